// SPDX-License-Identifier: Apache-2.0
// Every loss with all of its options: PyTorch's numbers, gradients by finite differences, capture, memory.
import { describe, expect, test } from 'vitest';
import { noGrad } from '../../lib/autograd/grad-mode.js';
import { nativeInfo, setIsa, setNumThreads } from '../../lib/native/bindings.js';
import { scale } from '../../lib/ops/arithmetic.js';
import { binaryCrossEntropyWithLogits } from '../../lib/ops/binary-cross-entropy.js';
import { oneHot } from '../../lib/ops/classify.js';
import { crossEntropy } from '../../lib/ops/cross-entropy.js';
import { klDiv } from '../../lib/ops/kl-div.js';
import { huberLoss, l1Loss, mseLoss, smoothL1Loss } from '../../lib/ops/pointwise-loss.js';
import { softmax } from '../../lib/ops/softmax.js';
import { tensor } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { capture } from '../../lib/train/capture.js';
import { expectRelative, readGolden } from '../helpers/golden.js';
import { gradcheck } from '../helpers/gradients.js';
import { distinct, irregular, operand } from '../helpers/operands.js';
import { expectFlatMemory } from '../helpers/refusal.js';

type Loss = (input: Tensor, target: Tensor, options: object) => Tensor;

const LOSSES: Readonly<Record<string, Loss>> = {
  crossEntropy,
  binaryCrossEntropyWithLogits,
  mseLoss,
  l1Loss,
  huberLoss,
  smoothL1Loss,
  klDiv,
};

describe("PyTorch's numbers", () => {
  interface Case {
    readonly name: string;
    readonly op: string;
    readonly options: object;
    readonly weights: string[];
  }
  const golden = readGolden<Case[]>('losses.safetensors');

  test('cover every loss and option', () => {
    expect(golden.cases.length).toBe(158);
    expect(new Set(golden.cases.map(({ op }) => op))).toEqual(new Set(Object.keys(LOSSES)));
  });

  function check({ name, op, options, weights }: Case, dtype: 'float32' | 'float64', tolerance: number) {
    using _scope = tensorScope();
    const input = (key: string, requiresGrad: boolean) => {
      const { data, shape } = golden.channelsLastAt(`${name}.${key}`);
      if (data instanceof Int32Array) return tensor(data, shape);
      return tensor(data, shape, { dtype, requiresGrad });
    };
    const [x, target] = [input('input', true), input('target', true)];
    const tensors = Object.fromEntries(weights.map((key) => [key, input(key, false)]));
    const output = LOSSES[op](x, target, { ...options, ...tensors });
    const wanted = golden.channelsLastAt(`${name}.output`);
    expect(output.shape).toEqual(wanted.shape);
    expectRelative(output.data(), wanted.data, tolerance, `${name} output`);
    const { data } = golden.channelsLastAt(`${name}.output.grad`);
    output.backward(dtype === 'float64' ? data : Float32Array.from(data));
    for (const [key, tensor] of [['input', x] as const, ['target', target] as const]) {
      if (!tensor.requiresGrad) continue;
      const gradient = golden.channelsLastAt(`${name}.${key}.grad`).data;
      expectRelative(tensor.grad?.data() ?? [], gradient, tolerance, `${name} gradient of ${key}`);
    }
    for (const leaf of [x, target]) leaf.dispose();
  }

  test.each(golden.cases.map((item) => [`${item.name} ${JSON.stringify(item.options)}`, item] as const))(
    '%s',
    (_, item) => {
      check(item, 'float64', 1e-13);
      const before = nativeInfo().isa;
      try {
        for (const isa of nativeInfo().supportedIsas) {
          setIsa(isa);
          check(item, 'float32', 2e-6);
        }
      } finally {
        setIsa(before);
      }
    },
  );
});

/** Probabilities that want a gradient. */
function probabilities(shape: readonly number[], phase = 0): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  const values = irregular(size, phase).map((value) => 0.55 + value / 2);
  return tensor(values, shape, { dtype: 'float64', requiresGrad: true });
}

const reductions = ['mean', 'sum', 'none'] as const;

describe('gradients by finite differences', () => {
  const int = (shape: readonly number[], classes: number, ignored?: number) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const labels = Int32Array.from({ length: size }, (_, i) => (i * 3 + 1) % classes);
    if (ignored !== undefined && size > 1) labels[size - 1] = ignored;
    return tensor(labels, shape);
  };
  const fixed = (shape: readonly number[]) => probabilities(shape, 5).detach();
  const cases: [name: string, body: (...inputs: Tensor[]) => Tensor, inputs: () => Tensor[]][] = [];

  for (const reduction of reductions) {
    for (const labelSmoothing of [0, 0.2]) {
      for (const weighted of [false, true]) {
        for (const shape of [
          [1, 4],
          [5, 3],
          [2, 2, 3, 4],
        ]) {
          const classes = shape[shape.length - 1];
          const options = () => ({
            reduction,
            labelSmoothing,
            weight: weighted ? fixed([classes]) : null,
          });
          const what = JSON.stringify({ reduction, labelSmoothing, weighted });
          const places = shape.slice(0, -1);
          cases.push(
            [
              `crossEntropy of [${shape}], labels, ${what}`,
              (x) => crossEntropy(x, int(places, classes), options()),
              () => [operand(shape)],
            ],
            [
              `crossEntropy of [${shape}], ignoring one, ${what}`,
              (x) => crossEntropy(x, int(places, classes, 77), { ...options(), ignoreIndex: 77 }),
              () => [operand(shape)],
            ],
            [
              `crossEntropy of [${shape}], soft, ${what}`,
              (x, t) => crossEntropy(x, t, options()),
              () => [operand(shape), probabilities(shape, 1)],
            ],
          );
        }
      }
    }
    for (const shape of [[], [1], [7], [2, 3], [2, 1, 3, 2]]) {
      const two = () => [distinct(shape), scale(distinct(shape), -0.7).detach()].map(leaf);
      const pointwise: [string, (x: Tensor, t: Tensor) => Tensor][] = [
        ['mseLoss', (x, t) => mseLoss(x, t, { reduction })],
        ['l1Loss', (x, t) => l1Loss(x, t, { reduction })],
        ['huberLoss', (x, t) => huberLoss(x, t, { reduction, delta: 0.31 })],
        ['smoothL1Loss', (x, t) => smoothL1Loss(x, t, { reduction, beta: 0.31 })],
        ['smoothL1Loss of beta 0', (x, t) => smoothL1Loss(x, t, { reduction, beta: 0 })],
      ];
      for (const [name, body] of pointwise) cases.push([`${name} of [${shape}], ${reduction}`, body, two]);
      cases.push(
        [
          `klDiv of [${shape}], ${reduction}`,
          (x, t) => klDiv(x, t, { reduction }),
          () => [operand(shape), probabilities(shape, 1)],
        ],
        [
          `klDiv of [${shape}], logTarget, ${reduction}`,
          (x, t) => klDiv(x, t, { reduction, logTarget: true }),
          () => [operand(shape), operand(shape, 1)],
        ],
      );
      for (const weights of [[], ['weight'], ['posWeight'], ['weight', 'posWeight']]) {
        const own = shape.slice(-1);
        const options = () => ({
          reduction,
          ...Object.fromEntries(weights.map((key) => [key, fixed(key === 'weight' ? shape : own)])),
        });
        cases.push([
          `binaryCrossEntropyWithLogits of [${shape}], ${weights.join(' and ') || 'plain'}, ${reduction}`,
          (x, t) => binaryCrossEntropyWithLogits(x, t, options()),
          () => [operand(shape), probabilities(shape, 1)],
        ]);
      }
    }
  }
  cases.push([
    'klDiv, batchmean',
    (x, t) => klDiv(x, t, { reduction: 'batchmean' }),
    () => [operand([3, 4]), probabilities([3, 4], 1)],
  ]);

  function leaf(values: Tensor): Tensor {
    return tensor(values.data(), values.shape, { requiresGrad: true });
  }

  test('has 274 cases', () => expect(cases.length).toBe(274));

  test.each(cases)('%s', (_name, body, inputs) =>
    expectFlatMemory(() => tensorScope(() => void gradcheck(body, inputs()))),
  );

  test('of the one input that wants it', () =>
    expectFlatMemory(() =>
      tensorScope(() => {
        const [x, t] = [operand([2, 3]), probabilities([2, 3])];
        for (const loss of Object.values(LOSSES)) {
          gradcheck((x) => loss(x, t.detach(), {}), [x]);
          gradcheck((t) => loss(x.detach(), t, {}), [t]);
        }
      }),
    ));
});

describe('cross-entropy', () => {
  test('is the same from labels, one-hot rows and pixels', () =>
    tensorScope(() => {
      const logits = operand([6, 4]);
      const labels = tensor(Int32Array.of(0, 3, 1, 1, 2, 0));
      const rows = oneHot(labels, 4, { dtype: 'float64' });
      const pixels = [tensor(logits.data(), [1, 2, 3, 4]), tensor(labels.data(), [1, 2, 3])] as const;
      for (const labelSmoothing of [0, 0.3]) {
        const options = { labelSmoothing };
        const loss = crossEntropy(logits, labels, options).item();
        expect(crossEntropy(logits, rows, options).item()).toBeCloseTo(loss, 14);
        expect(crossEntropy(...pixels, options).item()).toBe(loss);
      }
    }));

  test('options that say what is so anyway give the same bits', () =>
    tensorScope(() => {
      const [logits, labels] = [operand([67, 10], 0, 'float32'), tensor(new Int32Array(67).fill(3))];
      const plain = crossEntropy(logits, labels);
      plain.backward();
      const gradient = logits.grad?.data();
      for (const options of [
        { reduction: 'mean', ignoreIndex: 11 },
        { weight: null, labelSmoothing: 0 },
      ] as const) {
        const other = operand([67, 10], 0, 'float32');
        const loss = crossEntropy(other, labels, options);
        loss.backward();
        expect(loss.item()).toBe(plain.item());
        expect(other.grad?.data()).toEqual(gradient);
        other.dispose();
      }
      logits.dispose();
    }));

  test('of rows that are all ignored is NaN as a mean, 0 as a sum, and sends nothing back', () =>
    tensorScope(() => {
      for (const dtype of ['float32', 'float64'] as const) {
        const labels = tensor(Int32Array.of(-100, -100));
        const x = operand([2, 3], 0, dtype);
        const loss = crossEntropy(x, labels);
        expect(loss.item()).toBeNaN();
        loss.backward();
        expect(x.grad?.data().every((value) => value === 0)).toBe(true);
        expect(crossEntropy(x, labels, { reduction: 'sum' }).item()).toBe(0);
        x.dispose();
      }
    }));

  test('makes no gradient that nobody wants', () =>
    tensorScope(() => {
      const x = operand([4, 3]);
      const loss = noGrad(() => crossEntropy(x, tensor(Int32Array.of(0, 1, 2, 0))));
      expect(loss.requiresGrad).toBe(false);
      expect(loss.item()).toBe(crossEntropy(x, tensor(Int32Array.of(0, 1, 2, 0))).item());
    }));
});

describe('NaN and Infinity', () => {
  const pair = (x: number, t: number) =>
    (['float32', 'float64'] as const).map(
      (dtype) => [tensor([x, 0], [2], { dtype }), tensor([t, 0], [2], { dtype })] as const,
    );
  test.each(Object.entries(LOSSES).filter(([name]) => name !== 'crossEntropy'))('%s keeps NaN', (_, loss) =>
    tensorScope(() => {
      for (const [x, t] of [...pair(Number.NaN, 0.5), ...pair(0.5, Number.NaN)]) {
        const [first, second] = loss(x, t, { reduction: 'none' }).data();
        expect(first).toBeNaN();
        expect(second).not.toBeNaN();
        expect(loss(x, t, {}).item()).toBeNaN();
      }
    }),
  );

  test('a logit without end is right or infinitely wrong', () =>
    tensorScope(() => {
      const none = { reduction: 'none' } as const;
      for (const dtype of ['float32', 'float64'] as const) {
        const x = tensor([200, -200, 200, -200], [4], { dtype });
        const t = tensor([1, 0, 0, 1], [4], { dtype });
        const losses = binaryCrossEntropyWithLogits(x, t, none).data();
        expect(losses[0]).toBeLessThan(1e-37);
        expect(losses[1]).toBeLessThan(1e-37);
        expect([...losses.slice(2)]).toEqual([200, 200]);
        const far = tensor([Infinity, -Infinity], [2], { dtype });
        const zero = tensor([0, 0], [2], { dtype });
        expect([...l1Loss(far, zero, none).data()]).toEqual([Infinity, Infinity]);
        expect([...huberLoss(far, zero, none).data()]).toEqual([Infinity, Infinity]);
      }
    }));

  test('klDiv takes a target of 0 as no part of the divergence', () =>
    tensorScope(() => {
      for (const dtype of ['float32', 'float64'] as const) {
        const [x, t] = [tensor([-3, -0.5], [2], { dtype }), tensor([0, 1], [2], { dtype })];
        expect([...klDiv(x, t, { reduction: 'none' }).data()]).toEqual([0, 0.5]);
      }
    }));
});

describe('captured', () => {
  const threads = nativeInfo().threads;
  const rows = 33;
  const steps = 3;
  const x = Float32Array.from(irregular(rows * 5 * steps));
  const t = Float32Array.from(irregular(rows * 5 * steps, 2).map((value) => (value + 1) / 2));
  const y = Int32Array.from({ length: rows * steps }, (_, i) => (i * 7) % 5);
  const forms: [string, (x: Tensor, t: Tensor, y: Tensor, w: Tensor) => Tensor][] = [
    ['crossEntropy', (x, _, y, w) => crossEntropy(x, y, { weight: w, labelSmoothing: 0.1, ignoreIndex: 2 })],
    ['crossEntropy, each', (x, _, y) => crossEntropy(x, y, { reduction: 'none' })],
    ['crossEntropy, soft', (x, t) => crossEntropy(x, t, { labelSmoothing: 0.1 })],
    ['bce', (x, t, _, w) => binaryCrossEntropyWithLogits(x, t, { posWeight: w })],
    ['mse', (x, t) => mseLoss(x, t)],
    ['l1', (x, t) => l1Loss(x, t, { reduction: 'none' })],
    ['huber', (x, t) => huberLoss(x, t, { delta: 0.3 })],
    ['kl', (x, t) => klDiv(x, softmax(t), { reduction: 'batchmean' })],
    ['one-hot', (x, _, y) => mseLoss(x, oneHot(y, 5))],
  ];

  test.each(forms)('%s gives the bits of eager steps, with 1, 2, 3 and 7 threads', async (_, form) => {
    using weight = tensor([0.5, 1, 2, 0, 3]);
    const step = ({ x, t, y }: Readonly<Record<string, Tensor>>) => {
      const logits = scale(x, 2);
      const leaf = logits.detach();
      leaf.requiresGrad = true;
      const loss = form(leaf, t, y, weight);
      loss.backward(new Float32Array(loss.size).fill(0.75));
      return { loss, gradient: leaf.grad as Tensor };
    };
    const inputs = { x: [rows, 5], t: [rows, 5], y: { shape: [rows], dtype: 'int32' } } as const;
    const eager = Array.from({ length: steps }, (_, i) =>
      tensorScope(() => {
        const at = <A extends Float32Array | Int32Array>(array: A) =>
          array.subarray((i * array.length) / steps, ((i + 1) * array.length) / steps);
        const made = step({ x: tensor(at(x), [rows, 5]), t: tensor(at(t), [rows, 5]), y: tensor(at(y)) });
        const values = [...made.loss.data(), ...made.gradient.data()];
        made.gradient.dispose();
        return values;
      }),
    );
    try {
      for (const count of [1, 2, 3, 7]) {
        setNumThreads(count);
        using plan = capture(step, { inputs });
        const { outputs } = await plan.run({ x, t, y });
        const of = (array: ArrayLike<number>, i: number) =>
          Array.from(array).slice((i * array.length) / steps, ((i + 1) * array.length) / steps);
        for (let i = 0; i < steps; i++) {
          expect([...of(outputs.loss, i), ...of(outputs.gradient, i)]).toEqual(eager[i]);
        }
      }
    } finally {
      setNumThreads(threads);
    }
  });

  test('labels out of range end the run, and the plan goes on with others', async () => {
    using plan = capture(({ x, y }) => ({ loss: crossEntropy(x, y, { labelSmoothing: 0.1 }) }), {
      inputs: { x: [2, 5], y: { shape: [2], dtype: 'int32' } },
    });
    const images = new Float32Array(20);
    await expect(plan.run({ x: images, y: Int32Array.of(0, 4, 1, 5) })).rejects.toMatchObject({
      code: 'ERR_DATA',
      expected: 'labels from 0 to 4',
      received: 'label 5 at row 1',
    });
    const { outputs } = await plan.run({ x: images, y: Int32Array.of(0, 4, 1, -100) });
    expect(outputs.loss[1]).toBeCloseTo(Math.log(5), 6);
    using targets = capture(({ x, y }) => ({ loss: mseLoss(x, oneHot(y, 5)) }), {
      inputs: { x: [2, 5], y: { shape: [2], dtype: 'int32' } },
    });
    const bad = targets.run({ x: images, y: Int32Array.of(0, 4, -1, 2) });
    await expect(bad).rejects.toMatchObject({ code: 'ERR_DATA', received: 'label -1 at row 0' });
  });
});

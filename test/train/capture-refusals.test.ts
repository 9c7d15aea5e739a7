// SPDX-License-Identifier: Apache-2.0
// What plans and their sources are refused for, and that plan, model and process go on afterwards.
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type BatchArrays,
  type CaptureOptions,
  capture,
  DataLoader,
  fit,
  glyphs,
  memory,
  nn,
  optim,
  type Plan,
  type PlanSource,
  tensor,
  weightsSha256,
} from '../../lib/index.js';

const input = [2, 2, 2, 1];
const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(4, 3));
const optimizer = new optim.AdamW(model.parameters(), { lr: 0.01 });
let plan: Plan;

beforeEach(() => {
  plan?.dispose();
  plan = capture({ model, optimizer }, { input, threads: 1 });
});
afterAll(() => {
  for (const owner of [plan, optimizer, model]) owner.dispose();
});

const good = (): BatchArrays => ({ images: new Float32Array(8).fill(0.5), labels: Int32Array.of(1, 2) });
const detached = (array: Float32Array) => {
  structuredClone(array, { transfer: [array.buffer as ArrayBuffer] });
  return array;
};
const steps = () =>
  Math.max(
    0,
    ...[...optimizer.stateDict().numbers].flatMap(([name, n]) => (name.endsWith('.step') ? n : [])),
  );

/** Still runs, and moves on by one step. */
async function expectUsable(): Promise<void> {
  const before = [plan.stepsDone, steps()];
  expect((await plan.run(good())).steps).toBe(1);
  expect([plan.stepsDone, steps()]).toEqual(before.map((count) => count + 1));
}

describe('the inputs of a run', () => {
  const cases: [string, () => unknown, string, RegExp][] = [
    ['no source', () => undefined, 'ERR_ARGUMENT', /undefined/],
    ['a bare array', () => new Float32Array(8), 'ERR_ARGUMENT', /Float32Array/],
    ['one missing', () => ({ images: good().images }), 'ERR_ARGUMENT', /none named labels/],
    [
      'an unknown name',
      () => ({ ...good(), label: Int32Array.of(1) }),
      'ERR_ARGUMENT',
      /did you mean labels/,
    ],
    ['another dtype', () => ({ ...good(), labels: Float32Array.of(1, 2) }), 'ERR_DTYPE', /input labels/],
    ['a list', () => ({ ...good(), images: [1, 2, 3] }), 'ERR_DTYPE', /input images/],
    ['too few elements', () => ({ ...good(), images: new Float32Array(7) }), 'ERR_SHAPE', /input images/],
    ['different steps', () => ({ ...good(), labels: new Int32Array(4) }), 'ERR_SHAPE', /input labels/],
    ['none', () => ({ images: new Float32Array(0), labels: new Int32Array(0) }), 'ERR_SHAPE', /images/],
    ['detached', () => ({ ...good(), images: detached(new Float32Array(8)) }), 'ERR_SHAPE', /detached/],
  ];
  for (const [name, source, code, words] of cases) {
    it(`are refused: ${name}`, async () => {
      const before = [weightsSha256(model), steps()];
      const refusal = expect.objectContaining({ code, message: expect.stringMatching(words) });
      await expect(plan.run(source() as PlanSource)).rejects.toEqual(refusal);
      expect(() => plan.runSync(source() as BatchArrays)).toThrow(refusal);
      // The same as the third batch of iterables: the two before it are done.
      expect([weightsSha256(model), steps()]).toEqual(before);
      if (name === 'no source') return;
      const batches = [good(), good(), source() as BatchArrays, good()];
      await expect(plan.run(batches)).rejects.toEqual(expect.objectContaining({ code }));
      expect([plan.stepsDone, steps()]).toEqual([2, Number(before[1]) + 2]);
      expect(() => plan.runSync(batches)).toThrow(expect.objectContaining({ code }));
      expect([plan.stepsDone, steps()]).toEqual([4, Number(before[1]) + 4]);
      await expectUsable();
    });
  }

  it('are refused when they are detached during the run', async () => {
    const images = new Float32Array(8 * 500);
    const source = { images, labels: new Int32Array(2 * 500) };
    const before = steps();
    const onProgress = () => void (images.length > 0 && detached(images));
    await expect(plan.run(source, { prefetch: 4, onProgress })).rejects.toMatchObject({ code: 'ERR_SHAPE' });
    expect([plan.stepsDone, steps()]).toEqual([4, before + 4]);
    await expectUsable();
  });

  it('from loaders must have the recorded shapes', async () => {
    const { train } = glyphs({ seed: 1, trainSize: 6, testSize: 1 });
    using loader = new DataLoader(train, { batchSize: 2 });
    await expect(plan.run(loader)).rejects.toMatchObject({ code: 'ERR_SHAPE' });
    using other = capture(({ x }) => ({ x }), { inputs: { x: [2] } });
    await expect(other.run(loader)).rejects.toMatchObject({ code: 'ERR_DTYPE' });
    expect(loader.state).toEqual({ epoch: 0, batch: 0 });
    await expectUsable();
  });
});

describe('a source', () => {
  /** Counts what is asked of it. */
  function counted(limit: number, behaviour: (step: number) => unknown = good) {
    const seen = { pulled: 0, returned: 0 };
    const iterator = {
      next: async () => {
        if (seen.pulled === limit) return { done: true as const, value: undefined };
        return { done: false as const, value: (await behaviour(seen.pulled++)) as BatchArrays };
      },
      return: async () => {
        seen.returned += 1;
        return { done: true as const, value: undefined };
      },
    };
    return { seen, source: { [Symbol.asyncIterator]: () => iterator } };
  }

  it('that throws ends the run with its error, after the steps before it', async () => {
    const error = new Error('the disk is gone');
    const { seen, source } = counted(9, (step) => (step === 5 ? Promise.reject(error) : good()));
    await expect(plan.run(source)).rejects.toBe(error);
    expect(plan.stepsDone).toBe(5);
    expect(seen.returned).toBe(0); // it ended itself
    function* failing(): Generator<BatchArrays> {
      yield good();
      throw error;
    }
    expect(() => plan.runSync(failing())).toThrow(error);
    await expect(plan.run(failing())).rejects.toBe(error);
    expect(plan.stepsDone).toBe(7);
    await expectUsable();
  });

  it('that ends early is an error where the steps were said', async () => {
    const { source } = counted(3);
    await expect(plan.run(source, { steps: 5 })).rejects.toMatchObject({ code: 'ERR_DATA', received: /3/ });
    expect(plan.stepsDone).toBe(3);
    expect(() => plan.runSync([good()], { steps: 2 })).toThrow(expect.objectContaining({ code: 'ERR_DATA' }));
    expect((await plan.run(counted(3).source)).steps).toBe(3);
  });

  it('is asked for what will be run and no more, and told when that was enough', async () => {
    const { seen, source } = counted(1000);
    expect((await plan.run(source, { steps: 10, prefetch: 3 })).steps).toBe(10);
    expect(seen).toEqual({ pulled: 10, returned: 1 });
  });

  it('is not asked for more than can be staged', async () => {
    const { seen, source } = counted(1000);
    const ahead: number[] = [];
    await plan.run(source, { prefetch: 4, onProgress: ({ done }) => void ahead.push(seen.pulled - done) });
    expect(Math.max(...ahead)).toBeLessThanOrEqual(2 * 4 + 1);
    await plan.pause();
    const paused = counted(1000);
    const running = plan.run(paused.source, { prefetch: 4 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(paused.seen.pulled).toBeLessThanOrEqual(2 * 4 + 1);
    plan.resume();
    expect((await running).steps).toBe(1000);
  });

  it('is asked for nothing ahead where nothing is to be staged ahead', async () => {
    const { seen, source } = counted(20);
    const ahead: number[] = [];
    await plan.run(source, { prefetch: 0, onProgress: ({ done }) => void ahead.push(seen.pulled - done) });
    expect(ahead).toEqual(Array(20).fill(0));
    expect(plan.runSync([good(), good(), good()], { prefetch: 0 }).steps).toBe(3);
    expect((await plan.run(good(), { steps: 3, prefetch: 0 })).steps).toBe(3);
  });

  it('that never answers holds neither the event loop nor an abort', async () => {
    const { seen, source } = counted(9, (step) => (step < 2 ? good() : new Promise(() => {})));
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    const result = await plan.run(source, { signal: controller.signal });
    expect(result).toMatchObject({ steps: 2, aborted: true });
    expect(seen.returned).toBe(1);
    await expectUsable();
  });
});

describe('a run', () => {
  it('is refused beside another and after disposal', async () => {
    const running = plan.run(Array.from({ length: 50 }, good));
    await expect(plan.run(good())).rejects.toMatchObject({ code: 'ERR_BUSY' });
    expect(() => plan.runSync(good())).toThrow(expect.objectContaining({ code: 'ERR_BUSY' }));
    expect(() => plan.dispose()).toThrow(expect.objectContaining({ code: 'ERR_BUSY' }));
    expect((await running).steps).toBe(50);
    plan.dispose();
    plan.dispose();
    expect(plan.disposed).toBe(true);
    const gone = expect.objectContaining({ code: 'ERR_DISPOSED' });
    await expect(plan.run(good())).rejects.toEqual(gone);
    for (const use of [() => plan.runSync(good()), () => plan.describe(), () => plan.pause()]) {
      expect(use).toThrow(gone);
    }
  });

  it('is aborted before its first step, in the middle, and not after the last', async () => {
    const signal = AbortSignal.abort();
    expect(await plan.run(good(), { signal })).toMatchObject({ steps: 0, aborted: true });
    expect(plan.runSync(good(), { signal })).toMatchObject({ steps: 0, aborted: true });
    const controller = new AbortController();
    const options = {
      signal: controller.signal,
      prefetch: 4,
      onProgress: () => controller.abort(),
    };
    const result = await plan.run(Array.from({ length: 100 }, good), options);
    expect(result.aborted).toBe(true);
    expect(result.steps).toBe(plan.stepsDone);
    const last = new AbortController();
    const whole = await plan.run(good(), { signal: last.signal, onProgress: () => last.abort() });
    expect(whole).toMatchObject({ steps: 1, aborted: false });
    await expectUsable();
  });

  it('ends with what a callback throws, the steps counted that were done', async () => {
    const thrown = new Error('of the callback');
    const fails = () => {
      throw thrown;
    };
    const before = steps();
    for (const options of [{ onProgress: fails }, { beforeStep: fails }]) {
      await expect(plan.run(good(), options)).rejects.toBe(thrown);
      expect(() => plan.runSync(good(), options)).toThrow(thrown);
    }
    expect([plan.stepsDone, steps()]).toEqual([2, before + 2]);
    await expectUsable();
  });

  it('stops at a loss that is not finite, with the weights of the step before', async () => {
    const bad = { ...good(), images: new Float32Array(8).fill(Number.NaN) };
    const count = steps();
    for (const run of [
      () => plan.run([good(), good(), bad, good()]),
      async () => plan.runSync([good(), good(), bad, good()]),
    ]) {
      await expect(run()).rejects.toMatchObject({ code: 'ERR_NUMERICS' });
    }
    expect([plan.stepsDone, steps()]).toEqual([4, count + 4]);
    for (const parameter of model.parameters()) {
      expect([...parameter.data()].every(Number.isFinite)).toBe(true);
    }
    await expectUsable();
  });

  it('tells which label is wrong', async () => {
    const labels = Int32Array.of(1, 12);
    await expect(plan.run({ ...good(), labels })).rejects.toMatchObject({
      code: 'ERR_DATA',
      received: expect.stringContaining('12'),
    });
    await expectUsable();
  });

  it('refuses options that are no sizes, and asynchronous sources on this thread', async () => {
    for (const options of [{ steps: 0 }, { steps: 1.5 }, { prefetch: -1 }]) {
      await expect(plan.run(good(), options)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    }
    const source = (async function* () {})() as unknown as BatchArrays;
    expect(() => plan.runSync(source)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
    await expectUsable();
  });

  it('is refused when a tensor of the step was disposed', async () => {
    const gone = tensor(Float32Array.of(1, 2));
    using other = capture(({ x }) => ({ x, gone }), { inputs: { x: [2] } });
    gone.dispose();
    const source = { x: new Float32Array(2) };
    await expect(other.run(source)).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
    expect(() => other.runSync(source)).toThrow(expect.objectContaining({ code: 'ERR_DISPOSED' }));
  });
});

describe('capture', () => {
  it('refuses what it cannot record, and changes nothing', () => {
    const before = [memory().tensors, memory().bytes, weightsSha256(model), steps()];
    const training = { model, optimizer };
    const cases: [unknown, CaptureOptions, string][] = [
      [undefined, { input }, 'ERR_ARGUMENT'],
      [{ model }, { input }, 'ERR_ARGUMENT'],
      [{ ...training, loss: 'mean' }, { input }, 'ERR_ARGUMENT'],
      [training, {}, 'ERR_ARGUMENT'],
      [training, { input, inputs: { images: input } }, 'ERR_ARGUMENT'],
      [training, { inputs: { images: input } }, 'ERR_ARGUMENT'],
      [training, { inputs: input as unknown as Record<string, number[]> }, 'ERR_ARGUMENT'],
      [training, { inputs: { images: input, labels: 'two' as unknown as number[] } }, 'ERR_ARGUMENT'],
      [
        training,
        { inputs: { images: input, labels: { shape: [2], dtype: 'int8' as 'int32' } } },
        'ERR_DTYPE',
      ],
      [training, { inputs: { images: input, labels: { shape: [2], dtype: 'uint8' } } }, 'ERR_DTYPE'],
      [training, { input: [2, 3, 3, 1] }, 'ERR_SHAPE'],
      [training, { input, threads: 0 }, 'ERR_ARGUMENT'],
      [() => 3, { input }, 'ERR_CAPTURE'],
      [async () => ({}), { input }, 'ERR_CAPTURE'],
      [() => ({ loss: 3 }), { input }, 'ERR_CAPTURE'],
      [
        ({ images }: BatchArrays) => ({ value: (images as unknown as { data(): unknown }).data() }),
        { input },
        'ERR_CAPTURE',
      ],
      [{ ...training, loss: () => tensor([1]) }, { input }, 'ERR_ARGUMENT'],
    ];
    for (const [step, options, code] of cases) {
      expect(() => capture(step as Parameters<typeof capture>[0], options)).toThrow(
        expect.objectContaining({ code }),
      );
    }
    const twice = () =>
      capture(
        () => {
          optimizer.step();
          optimizer.step();
          return {};
        },
        { input },
      );
    expect(twice).toThrow(expect.objectContaining({ code: 'ERR_CAPTURE' }));
    expect(model.parameters().every(({ grad }) => grad === null)).toBe(true);
    expect([memory().tensors, memory().bytes, weightsSha256(model), steps()]).toEqual(before);
  });

  it('names the line that looks at a value', () => {
    const looks = () => capture(({ images }) => ({ x: tensor([images.data()[0]]) }), { input });
    expect(looks).toThrow(/capture-refusals\.test\.ts:\d+/);
  });

  it('leaves other trainings of the same model to work', async () => {
    const { train } = glyphs({ seed: 1, trainSize: 20, testSize: 1 });
    using net = new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 10));
    using sgd = new optim.SGD(net.parameters(), { lr: 0.01 });
    using own = capture({ model: net, optimizer: sgd }, { input: [5, 28, 28, 1] });
    await fit(net, train, { optimizer: sgd, batchSize: 5 });
    expect((await own.run({ images: new Float32Array(5 * 784), labels: new Int32Array(5) })).steps).toBe(1);
  });
});

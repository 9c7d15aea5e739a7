// SPDX-License-Identifier: Apache-2.0
// Random shapes and options of poolings, resizing, normalisations, losses, activations and what joins channels.
import fc from 'fast-check';
import {
  elu,
  gelu,
  hardswish,
  leakyRelu,
  relu,
  relu6,
  sigmoid,
  silu,
  softplus,
  tanh,
} from '../../../lib/ops/activations.js';
import {
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  spatialPyramidPool2d,
} from '../../../lib/ops/adaptive-pool2d.js';
import { batchNorm2d } from '../../../lib/ops/batch-norm.js';
import { binaryCrossEntropyWithLogits } from '../../../lib/ops/binary-cross-entropy.js';
import { concat, padChannels } from '../../../lib/ops/concat.js';
import { crossEntropy } from '../../../lib/ops/cross-entropy.js';
import { dropout2d } from '../../../lib/ops/dropout-groups.js';
import { groupNorm } from '../../../lib/ops/group-norm.js';
import { klDiv } from '../../../lib/ops/kl-div.js';
import { layerNorm } from '../../../lib/ops/layer-norm.js';
import { localResponseNorm } from '../../../lib/ops/local-response-norm.js';
import { huberLoss, mseLoss, smoothL1Loss } from '../../../lib/ops/pointwise-loss.js';
import { avgPool2d, lpPool2d, maxPool2d } from '../../../lib/ops/pool2d.js';
import { prelu } from '../../../lib/ops/prelu.js';
import { logSoftmax, softmax } from '../../../lib/ops/softmax.js';
import { upsample } from '../../../lib/ops/upsample.js';
import type { Tensor } from '../../../lib/tensor/tensor.js';
import { type Drawn, type Family, family, int, phase } from './families.js';
import {
  type Accuracy,
  apart,
  constant,
  leaf,
  type Operand,
  positive,
  type Sample,
  state,
  times,
  whole,
} from './row.js';

const drawn = (accuracy: Accuracy, operands: readonly Operand[], run: Sample['run'], terms = 1): Drawn => ({
  accuracy,
  sample: { name: '', operands, run, terms },
});

const image = fc.record({ n: int(1, 2), h: int(1, 7), w: int(1, 7), c: int(1, 5), phase: phase() });
type Image = typeof image extends fc.Arbitrary<infer Value> ? Value : never;
const shapeOf = ({ n, h, w, c }: Image) => [n, h, w, c];

const window = fc.record({ kernel: int(1, 4), stride: int(1, 4), pad: int(0, 2) });
const pooling = fc.record({
  ...{ image, h: window, w: window, ceilMode: fc.boolean() },
  mode: fc.constantFrom('max', 'avg', 'inside', 'lp1', 'lp2', 'lp3'),
});

const pools = family('pooling', 6, pooling, ({ image, h, w, ceilMode, mode }) => {
  // The kernel no larger than the image and its padding, which is at most half the kernel.
  const fit = ({ kernel, stride, pad }: typeof h, length: number) => {
    const size = Math.min(kernel, length);
    return { size, stride, pad: Math.min(pad, size >> 1) };
  };
  const [ofH, ofW] = [fit(h, image.h), fit(w, image.w)];
  const options = {
    ...{ kernelSize: [ofH.size, ofW.size] as const, stride: [ofH.stride, ofW.stride] as const },
    ...{ padding: [ofH.pad, ofW.pad] as const, ceilMode },
  };
  const x = apart(shapeOf(image));
  if (mode === 'max') return drawn('winners', [x], (x) => maxPool2d(x, options));
  if (mode === 'avg' || mode === 'inside') {
    return drawn('sums', [x], (x) => avgPool2d(x, { ...options, countIncludePad: mode === 'avg' }), 16);
  }
  return drawn('conditioned', [x], (x) => lpPool2d(x, { ...options, normType: Number(mode[2]) }));
});

const adaptive = family(
  'adaptive pooling',
  3,
  fc.record({ image, h: int(1, 9), w: int(1, 9), mode: fc.constantFrom('max', 'avg', 'pyramid') }),
  ({ image, h, w, mode }) => {
    const x = apart(shapeOf(image));
    if (mode === 'max') return drawn('winners', [x], (x) => adaptiveMaxPool2d(x, [h, w]));
    if (mode === 'avg') return drawn('sums', [x], (x) => adaptiveAvgPool2d(x, [h, w]), 49);
    return drawn('winners', [x], (x) => spatialPyramidPool2d(x, [1, Math.min(h, 4)]));
  },
);

const resizing = family(
  'upsample',
  4,
  fc.record({
    ...{ image, h: int(1, 10), w: int(1, 10), by: fc.constantFrom('size', 'factor') },
    mode: fc.constantFrom('nearest', 'bilinear', 'aligned'),
  }),
  ({ image, h, w, by, mode }) => {
    const scaleFactor = [Math.max(h / 4, 1 / image.h), Math.max(w / 4, 1 / image.w)] as const;
    const size = by === 'size' ? { size: [h, w] as const } : { scaleFactor };
    const options =
      mode === 'nearest' ? size : { ...size, mode: 'bilinear' as const, alignCorners: mode === 'aligned' };
    return drawn(mode === 'nearest' ? 'sums' : 'conditioned', [leaf(shapeOf(image), image.phase)], (x) =>
      upsample(x, options),
    );
  },
);

const affine = (c: number, phase: number) => [positive([c], phase + 1), leaf([c], phase + 2)];

const EPS = 1e-2;

/** The largest weight / sqrt(variance + EPS): a gradient is a difference of terms of that size, which may cancel. */
function steepest(x: Operand, weight: Operand, partOf: (i: number) => number): number {
  const parts = new Map<number, number[]>();
  x.values.forEach((value, i) => {
    parts.set(partOf(i), [...(parts.get(partOf(i)) ?? []), value]);
  });
  const slopes = [...parts.values()].map((values) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    return 1 / Math.sqrt(variance + EPS);
  });
  return Math.max(...weight.values) * Math.max(...slopes);
}

function normalized(operands: readonly Operand[], partOf: (i: number) => number, run: Sample['run']): Drawn {
  const [x, weight] = operands;
  return {
    accuracy: 'conditioned',
    sample: { name: '', operands, run, cancelled: steepest(x, weight, partOf) },
  };
}

const batch = family(
  'batchNorm2d',
  2,
  fc.record({ image, training: fc.boolean() }),
  ({ image, training }) => {
    const { c, phase } = image;
    const shape = shapeOf({ ...image, n: 2 });
    const statistics = [leaf([c], phase + 3), positive([c], phase + 4)].map(training ? state : constant);
    const operands = [times(2, leaf(shape, phase)), ...affine(c, phase), ...statistics];
    return normalized(
      operands,
      (i) => i % c,
      (x, w, b, runningMean, runningVar) =>
        batchNorm2d(x, w, b, { runningMean, runningVar, training, eps: EPS }),
    );
  },
);

const groups = family(
  'groupNorm and layerNorm',
  3,
  fc.record({ image, groups: int(1, 3), mode: fc.constantFrom('group', 'row', 'image') }),
  ({ image, groups, mode }) => {
    const { n, h, w, phase } = image;
    const c = image.c * groups;
    const x = times(2, leaf([n, h, w, c], phase));
    const [row, whole] = [(i: number) => Math.floor(i / c), (i: number) => Math.floor(i / (h * w * c))];
    if (mode === 'group') {
      const partOf = (i: number) => whole(i) * groups + Math.floor((i % c) / image.c);
      return normalized([x, ...affine(c, phase)], partOf, (x, w, b) =>
        groupNorm(x, groups, w, b, { eps: EPS }),
      );
    }
    const shape = mode === 'row' ? [c] : [h, w, c];
    const operands = [x, positive(shape, phase + 1), leaf(shape, phase + 2)];
    return normalized(operands, mode === 'row' ? row : whole, (x, w, b) =>
      layerNorm(x, shape, w, b, { eps: EPS }),
    );
  },
);

const response = family(
  'localResponseNorm',
  2,
  fc.record({ image, size: int(1, 9), beta: int(1, 4), within: fc.boolean() }),
  ({ image, size, beta, within }) =>
    drawn('conditioned', [times(2, leaf(shapeOf(image), image.phase))], (x) =>
      localResponseNorm(x, size, {
        ...{ alpha: 0.7, beta: beta / 2, k: 1, region: within ? 'withinChannel' : 'acrossChannels' },
      }),
    ),
);

const reduction = fc.constantFrom('mean', 'sum', 'none');

const labelled = family(
  'crossEntropy',
  3,
  fc.record({
    ...{ rows: int(1, 8), classes: int(1, 12), reduction, smoothing: int(0, 3), phase: phase() },
    ...{ weighted: fc.boolean(), soft: fc.boolean(), ignored: fc.boolean() },
  }),
  ({ rows, classes, reduction, smoothing, weighted, soft, ignored, phase }) => {
    const labels = Array.from({ length: rows }, (_, i) =>
      ignored && i % 3 === 1 ? -1 : (i * 5 + phase) % classes,
    );
    const target = soft ? positive([rows, classes], phase + 1) : whole(labels);
    const weights = weighted ? [constant(positive([classes], phase + 2))] : [];
    return drawn(
      'conditioned',
      [times(4, leaf([rows, classes], phase)), target, ...weights],
      (x, labels, weight) =>
        crossEntropy(x, labels, {
          ...{ reduction, weight: weight ?? null, labelSmoothing: smoothing / 4 },
          ...(soft ? {} : { ignoreIndex: -1 }),
        }),
    );
  },
);

const losses = {
  mse: (x: Tensor, t: Tensor, reduction: 'mean' | 'sum' | 'none') => mseLoss(x, t, { reduction }),
  huber: (x: Tensor, t: Tensor, reduction: 'mean' | 'sum' | 'none') =>
    huberLoss(x, t, { reduction, delta: 0.7 }),
  smooth: (x: Tensor, t: Tensor, reduction: 'mean' | 'sum' | 'none') =>
    smoothL1Loss(x, t, { reduction, beta: 0.6 }),
  kl: (x: Tensor, t: Tensor, reduction: 'mean' | 'sum' | 'none') => klDiv(x, t, { reduction }),
  bce: (x: Tensor, t: Tensor, reduction: 'mean' | 'sum' | 'none') =>
    binaryCrossEntropyWithLogits(x, t, { reduction }),
};

const pointwise = family(
  'losses of elements',
  3,
  fc.record({
    ...{ rows: int(1, 6), columns: int(1, 20), reduction, phase: phase() },
    loss: fc.constantFrom(...(Object.keys(losses) as (keyof typeof losses)[])),
  }),
  ({ rows, columns, reduction, phase, loss }) =>
    drawn(
      'conditioned',
      [times(3, leaf([rows, columns], phase)), positive([rows, columns], phase + 1)],
      (x, t) => losses[loss](x, t, reduction),
    ),
);

const activations: Record<string, (x: Tensor) => Tensor> = {
  ...{
    elu: (x: Tensor) => elu(x, 0.7),
    gelu,
    hardswish,
    leakyRelu,
    relu,
    relu6,
    sigmoid,
    silu,
    softplus,
    tanh,
  },
  'gelu, tanh': (x: Tensor) => gelu(x, { approximate: 'tanh' }),
};

const elementwise = family(
  'activations',
  2,
  fc.record({
    size: int(1, 70),
    scale: int(1, 3),
    kind: fc.constantFrom(...Object.keys(activations)),
  }),
  ({ size, scale, kind }) => drawn('conditioned', [times(scale, apart([size]))], (x) => activations[kind](x)),
);

const rows = family(
  'softmax, logSoftmax, prelu',
  2,
  fc.record({
    rows: int(1, 6),
    columns: int(1, 20),
    phase: phase(),
    kind: fc.constantFrom('softmax', 'logSoftmax', 'prelu'),
  }),
  ({ rows, columns, phase, kind }) => {
    const x = times(3, leaf([rows, columns], phase));
    if (kind === 'prelu')
      return drawn('conditioned', [apart([rows, columns]), leaf([columns], phase)], prelu);
    return drawn('conditioned', [x], kind === 'softmax' ? softmax : logSoftmax);
  },
);

const joining = family(
  'concat, padChannels, dropout2d',
  1,
  fc.record({ image, other: int(1, 5), before: int(0, 3), kind: fc.constantFrom('concat', 'pad', 'drop') }),
  ({ image, other, before, kind }) => {
    const x = leaf(shapeOf(image), image.phase);
    if (kind === 'pad') return drawn('exact', [x], (x) => padChannels(x, before, other));
    if (kind === 'drop') return drawn('sums', [x], (x) => dropout2d(x, before / 4));
    const second = leaf([...shapeOf(image).slice(0, 3), other], image.phase + 1);
    return drawn('exact', [x, second], (a, b) => concat([a, b]));
  },
);

export const otherFamilies: readonly Family[] = [
  ...[pools, adaptive, resizing, batch, groups, response, labelled, pointwise, elementwise, rows, joining],
];

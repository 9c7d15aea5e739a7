// SPDX-License-Identifier: Apache-2.0
// Random shapes and options, by families of operations: what fast-check draws and shrinks, and the sample it makes.
import fc from 'fast-check';
import { convTranspose2d } from '../../../lib/ops/conv-transpose2d.js';
import { conv1d } from '../../../lib/ops/conv1d.js';
import { conv2d } from '../../../lib/ops/conv2d.js';
import { linear } from '../../../lib/ops/linear.js';
import { matmul } from '../../../lib/ops/matmul.js';
import { type Accuracy, leaf, type Sample } from './row.js';

export interface Drawn {
  readonly sample: Sample;
  readonly accuracy: Accuracy;
}

/** A family: runs `check` on so many random samples. */
export interface Family {
  readonly name: string;
  /** Of all random shapes, relative to the others. */
  readonly share: number;
  readonly run: (check: (drawn: Drawn) => void, parameters: { seed: number; numRuns: number }) => void;
}

/** What is drawn is plain numbers, so that a failure can be read; `build` makes the sample. */
export function family<Spec>(
  name: string,
  share: number,
  specs: fc.Arbitrary<Spec>,
  build: (spec: Spec) => Drawn,
): Family {
  return {
    name,
    share,
    run: (check, parameters) =>
      fc.assert(
        fc.property(specs, (spec) => check(build(spec))),
        parameters,
      ),
  };
}

export const int = (min: number, max: number) => fc.integer({ min, max });
/** Which numbers operands have. */
export const phase = () => int(0, 200);

/** One axis of a window that has at least one output. */
const axis = fc.record({
  kernel: int(1, 3),
  dilation: int(1, 2),
  stride: int(1, 3),
  pad: int(0, 2),
  room: int(0, 2),
});
type Axis = typeof axis extends fc.Arbitrary<infer Value> ? Value : never;

const lengthOf = ({ kernel, dilation, pad, room }: Axis) =>
  Math.max(1, (kernel - 1) * dilation + 1 - 2 * pad) + room;

const channels = fc.record({ groups: int(1, 3), groupIn: int(1, 3), groupOut: int(1, 3) });
const common = {
  ...{ batch: int(1, 2), channels, hasBias: fc.boolean(), phase: phase() },
  rule: fc.constantFrom('number', 'number', 'same', 'valid'),
  algorithm: fc.constantFrom('auto', 'auto', 'direct', 'im2col'),
} as const;

/** Padding by rule where that can be done. */
function paddingOf<Padding>(
  rule: string,
  axes: readonly Axis[],
  padding: Padding,
): Padding | 'same' | 'valid' {
  if (rule === 'same' && axes.every(({ stride }) => stride === 1)) return 'same';
  const fits = axes.every((one) => lengthOf(one) >= (one.kernel - 1) * one.dilation + 1);
  return rule === 'valid' && fits ? 'valid' : padding;
}

const sums = (operands: Sample['operands'], run: Sample['run']): Drawn => ({
  accuracy: 'sums',
  sample: { name: '', operands, run },
});

const operandsOf = (
  x: readonly number[],
  weight: readonly number[],
  outC: number,
  { hasBias, phase }: { hasBias: boolean; phase: number },
) => [leaf(x, phase), leaf(weight, phase + 1), ...(hasBias ? [leaf([outC], phase + 2)] : [])];

const images = family('conv2d', 6, fc.record({ ...common, h: axis, w: axis }), (spec) => {
  const { batch, h, w, rule, algorithm } = spec;
  const { groups, groupIn, groupOut } = spec.channels;
  const outC = groups * groupOut;
  const pair = (key: keyof Axis) => [h[key], w[key]] as const;
  const padding = paddingOf(rule, [h, w], pair('pad'));
  const options = { stride: pair('stride'), dilation: pair('dilation'), padding, groups, algorithm };
  const x = [batch, lengthOf(h), lengthOf(w), groups * groupIn];
  return sums(operandsOf(x, [outC, ...pair('kernel'), groupIn], outC, spec), (x, weight, bias) =>
    conv2d(x, weight, bias ?? null, options),
  );
});

const sequences = family('conv1d', 2, fc.record({ ...common, l: axis }), (spec) => {
  const { batch, l, rule, algorithm } = spec;
  const { groups, groupIn, groupOut } = spec.channels;
  const outC = groups * groupOut;
  const padding = paddingOf(rule, [l], l.pad);
  const options = { stride: l.stride, dilation: l.dilation, padding, groups, algorithm };
  const x = [batch, lengthOf(l), groups * groupIn];
  return sums(operandsOf(x, [outC, l.kernel, groupIn], outC, spec), (x, weight, bias) =>
    conv1d(x, weight, bias ?? null, options),
  );
});

const transposedAxis = fc.record({
  ...{ length: int(1, 3), kernel: int(1, 3), dilation: int(1, 2) },
  stride: int(1, 3),
  pad: int(0, 2),
  more: int(0, 2),
});
type TransposedAxis = typeof transposedAxis extends fc.Arbitrary<infer Value> ? Value : never;

/** Padding and output padding as far as they leave a pixel and belong to the input. */
function fitted({ length, kernel, dilation, stride, pad, more }: TransposedAxis) {
  const extra = Math.min(more, Math.max(stride, dilation) - 1);
  const whole = (length - 1) * stride + dilation * (kernel - 1) + extra + 1;
  return { pad: Math.min(pad, (whole - 1) >> 1), extra };
}

const transposed = family(
  'convTranspose2d',
  4,
  fc.record({ ...common, h: transposedAxis, w: transposedAxis }),
  (spec) => {
    const { batch, h, w, algorithm } = spec;
    const { groups, groupIn, groupOut } = spec.channels;
    const pair = (key: keyof TransposedAxis) => [h[key], w[key]] as const;
    const [ofH, ofW] = [fitted(h), fitted(w)];
    const options = {
      ...{ stride: pair('stride'), dilation: pair('dilation'), groups, algorithm },
      ...{ padding: [ofH.pad, ofW.pad] as const, outputPadding: [ofH.extra, ofW.extra] as const },
    };
    const x = [batch, ...pair('length'), groups * groupIn];
    const weight = [groups * groupIn, ...pair('kernel'), groupOut];
    return sums(operandsOf(x, weight, groups * groupOut, spec), (x, weight, bias) =>
      convTranspose2d(x, weight, bias ?? null, options),
    );
  },
);

const layers = family(
  'linear',
  1,
  fc.record({ rows: int(1, 6), features: int(1, 20), out: int(1, 8), hasBias: fc.boolean(), phase: phase() }),
  (spec) => {
    const { rows, features, out } = spec;
    return sums(operandsOf([rows, features], [out, features], out, spec), (x, weight, bias) =>
      linear(x, weight, bias ?? null),
    );
  },
);

const products = family(
  'matmul',
  1,
  fc.record({ m: int(1, 8), k: int(1, 20), n: int(1, 8), phase: phase() }),
  ({ m, k, n, phase }) => sums([leaf([m, k], phase), leaf([k, n], phase + 1)], matmul),
);

export const convolutionFamilies: readonly Family[] = [images, sequences, transposed, layers, products];

// SPDX-License-Identifier: Apache-2.0
// What an instruction has to do at least, and why it may take longer than that.
import type { ProfiledInstruction } from '../native/addon.js';
import type { Place } from '../native/place.js';
import type { ProfileRow } from './profile.js';

/** Multiply-adds count as two; what is not a product of matrices counts as none. Numbers: native/plan/conv2d.cc, gemm.cc. */
export function flopsOf({ op, numbers: n }: ProfiledInstruction): number {
  if (op.startsWith('conv2d_')) {
    const dense = (2 * n[0] * n[4] * n[5] * n[6] * n[7] * n[8] * n[3]) / groupsOf(n);
    // One output of each window, for the gradient of the weight and, where it is asked for, that of the input
    return op === 'conv2d_winner_gradients' ? (dense / (n[16] * n[17])) * n[20] : dense;
  }
  if (op.startsWith('linear_') || op === 'matmul') return 2 * n[0] * n[1] * n[2];
  return 0;
}

/** Of a convolution: native/plan/parameters.h. 1 where it is left out. */
function groupsOf(numbers: readonly number[]): number {
  return numbers[23] || 1;
}

/** The part of the model and the pass that an instruction belongs to. */
export function partOf({
  op,
  layer,
  isBackward,
}: ProfiledInstruction & Place): Pick<ProfileRow, 'layer' | 'pass'> {
  if (op.endsWith('_update')) return { layer: 'optimizer', pass: 'update' };
  const isGradient = isBackward || /_(backward|grad_input|grad_weight|gradients)$/.test(op);
  return { layer: layer === '' ? 'gradients' : layer, pass: isGradient ? 'backward' : 'forward' };
}

/** From here on an instruction does what can be expected of it. */
const GOOD_SHARE = 0.6;
/** Below this much time, calling and waking threads is a good part of it. */
const SHORT_US = 15;
/** A full AVX-512 vector of floats. */
const FULL_VECTOR = 16;
/** Rows below which a product of matrices cannot pay for packing its weights. */
const FEW_ROWS = 64;

/** One plain reason, or '' where there is none to see. */
export function hintFor(row: ProfiledInstruction, known: Omit<ProfileRow, 'hint'>): string {
  const { us, share, bound } = known;
  if (share > 1 && bound === 'memory') return 'in the caches';
  if (share >= GOOD_SHARE) return bound === 'memory' ? 'bandwidth bound' : '';
  if (us < SHORT_US) return 'short: overhead of the call';
  if (row.op.startsWith('conv2d_')) {
    const [batch, , , inC, outH, outW, outC] = row.numbers;
    const pixels = batch * outH * outW;
    const groups = groupsOf(row.numbers);
    const [groupIn, groupOut] = [inC / groups, outC / groups];
    // A depthwise convolution has its vectors along the groups.
    const isNarrow =
      row.algorithm === 'depthwise' ? outC < FULL_VECTOR : Math.min(groupIn, groupOut) < FULL_VECTOR;
    if (isNarrow) return `few channels: ${groupIn} in, ${groupOut} out${groups > 1 ? ' a group' : ''}`;
    if (pixels < 4 * FEW_ROWS) return `small batch: ${pixels} pixels`;
  }
  if (row.op.startsWith('linear_')) {
    const [rows, , outputs] = row.numbers;
    if (rows < FEW_ROWS) return `small batch: ${rows} rows`;
    if (outputs < FULL_VECTOR) return `few outputs: ${outputs}`;
  }
  return bound === 'memory' ? 'bandwidth bound' : '';
}

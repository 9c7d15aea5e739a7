// SPDX-License-Identifier: Apache-2.0
// The single place where an operation enters the recorded computation.
import { anomalyDetector } from '../autograd/anomaly.js';
import { isGradEnabled } from '../autograd/grad-mode.js';
import { type BackwardFunction, GradNode, type Reach, type RecomputeFunction } from '../autograd/node.js';
import { currentScope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/** True if `backward` will want a gradient through an operation on these inputs. */
export function isRecording(inputs: readonly Tensor[]): boolean {
  return isGradEnabled() && inputs.some((input) => input.requiresGrad);
}

/**
 * Records that `output` came from `inputs`, if a gradient may be asked for; returns `output`.
 *
 * @param saved tensors that `backward` needs; they stay alive until it has run
 * @param reach which pixels of an input image an output sees; left out: the one at its own place
 * @param recompute in place of `backward`: see `RecomputeFunction`
 */
export function record(
  op: string,
  output: Tensor,
  inputs: readonly Tensor[],
  saved: readonly Tensor[],
  backward: BackwardFunction,
  reach?: Reach,
  recompute?: RecomputeFunction,
): Tensor {
  const detector = anomalyDetector();
  detector?.checkOutput(op, output, inputs);
  if (!isRecording(inputs)) return output;
  output.requiresGrad = true;
  output.node = new GradNode(op, inputs, saved, backward, reach, recompute);
  detector?.noteNode(output.node);
  currentScope()?.trackNode(output.node);
  return output;
}

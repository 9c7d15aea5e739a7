// SPDX-License-Identifier: Apache-2.0
// What a call costs when there is next to nothing to compute.
import { noGrad, relu, sum, tensor, tensorScope } from '../../../dist/index.js';
import { emit } from '../../../dist/native/bindings.js';

export const variants = () => ['eager'];

export function prepare({ op, size }) {
  const values = Float32Array.from({ length: size }, (_, i) => i / size);
  const x = tensor(values);
  const leaf = tensor(values, [size], { requiresGrad: true });
  const total = tensor([0]);
  const operands = [total.handle];
  const numbers = [1];
  const bodies = {
    // One instruction into a tensor that is there: the way through the binding alone
    fill: () => emit('fill', operands, numbers),
    relu: () => noGrad(() => relu(x).dispose()),
    'relu recorded': () => tensorScope(() => void relu(leaf)),
    'relu sum backward': () => {
      leaf.grad?.dispose();
      leaf.grad = null;
      tensorScope(() => sum(relu(leaf)).backward());
    },
  };
  return {
    run: bodies[op],
    dispose() {
      for (const held of [x, leaf, total]) held.dispose();
    },
  };
}

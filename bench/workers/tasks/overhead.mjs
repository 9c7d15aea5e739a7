// SPDX-License-Identifier: Apache-2.0
// What a call costs when there is next to nothing to compute.
import { crossEntropy, nn, noGrad, optim, relu, sum, tensor, tensorScope } from '../../../dist/index.js';
import { emit } from '../../../dist/native/bindings.js';
import { capturePlan } from '../../../dist/train/plan.js';

export const variants = () => ['eager'];

const REPLAYED_STEPS = 1000;

/** A training step of one linear layer on one image, captured; a call replays it many times. */
function replay(size) {
  const model = new nn.Linear(size, 10);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  const step = ({ x, labels }) => {
    const loss = crossEntropy(model.call(x), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return { loss };
  };
  const specs = { x: { shape: [1, size], dtype: 'float32' }, labels: { shape: [1], dtype: 'int32' } };
  optimizer.prepare();
  const plan = capturePlan(step, specs, [optimizer]);
  optimizer.zeroGrad();
  const streams = {
    x: new Float32Array(REPLAYED_STEPS * size).fill(0.5),
    labels: new Int32Array(REPLAYED_STEPS),
  };
  return {
    perCall: REPLAYED_STEPS,
    run: () => void plan.runSync({ steps: REPLAYED_STEPS, streams }),
    dispose() {
      for (const held of [plan, optimizer, model]) held.dispose();
    },
  };
}

export function prepare({ op, size }) {
  if (op === 'replay') return replay(size);
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

// SPDX-License-Identifier: Apache-2.0
// Whole nets: one training step (forward, loss, backward, update) or one forward pass, on a batch that is in memory.
import {
  createModel,
  crossEntropy,
  manualSeed,
  noGrad,
  optim,
  tensor,
  tensorScope,
} from '../../../dist/index.js';
import { capturePlan } from '../../../dist/train/plan.js';
import { randomArray } from './arrays.mjs';

export const variants = ({ kind }) =>
  kind === 'step' ? ['captured', 'eager'] : ['captured', 'folded', 'eager'];

/** The library's own model of a description (nets.mjs), with weights as they start out. */
export const buildModel = ({ model, input, classes }) =>
  createModel(model, { inputShape: input, classes }).model;

export function prepare({ kind, net, batch }, variant) {
  manualSeed(1);
  const model = buildModel(net);
  const shape = [batch, ...net.input];
  const images = tensor(
    randomArray(
      shape.reduce((a, b) => a * b),
      1,
    ),
    shape,
  );
  const task =
    kind === 'step'
      ? training(model, images, net.classes, variant === 'captured')
      : inference(model, images, variant);
  return {
    ...task,
    dispose() {
      model.dispose();
      images.dispose();
      task.dispose();
    },
  };
}

function training(model, images, classes, isCaptured) {
  const noise = randomArray(images.shape[0], 2);
  const labels = tensor(Int32Array.from(noise, (value) => Math.floor(((value + 1) / 2) * classes)));
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  const step = ({ images, labels }) => {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.call(images), labels);
    loss.backward();
    optimizer.step();
    return { loss };
  };
  const lossOf = isCaptured ? captured(step, images, labels, optimizer) : eager(step, images, labels);
  return {
    run: lossOf.run,
    // Garbage is quick to compute: a figure counts only if the net still learns
    check() {
      const loss = lossOf.read();
      if (!Number.isFinite(loss)) throw new Error(`the loss is ${loss}`);
    },
    dispose() {
      lossOf.dispose?.();
      labels.dispose();
      optimizer.dispose();
    },
  };
}

function eager(step, images, labels) {
  return {
    run: () => tensorScope(() => void step({ images, labels })),
    read: () => tensorScope(() => step({ images, labels }).loss.item()),
  };
}

function captured(step, images, labels, optimizer) {
  const streams = { images: images.data(), labels: labels.data() };
  const specs = {
    images: { shape: images.shape, dtype: 'float32' },
    labels: { shape: labels.shape, dtype: 'int32' },
  };
  optimizer.prepare();
  const plan = capturePlan(step, specs, [optimizer]);
  optimizer.zeroGrad();
  return {
    run: () => void plan.runSync({ steps: 1, streams }),
    read: () => plan.runSync({ steps: 1, streams }).outputs.loss[0],
    dispose: () => plan.dispose(),
  };
}

function inference(model, images, variant) {
  model.eval();
  if (variant === 'eager') {
    return { run: () => tensorScope(() => noGrad(() => void model.call(images))), dispose() {} };
  }
  const streams = { images: images.data() };
  const specs = { images: { shape: images.shape, dtype: 'float32' } };
  const forward = ({ images }) => ({ logits: model.call(images) });
  const plan = noGrad(() => capturePlan(forward, specs, [], { fold: variant === 'folded' }));
  return { run: () => void plan.runSync({ steps: 1, streams }), dispose: () => plan.dispose() };
}

// SPDX-License-Identifier: Apache-2.0
// Whole nets: one training step (forward, loss, backward, update) or one forward pass, on a batch that is in memory.
import { createHash } from 'node:crypto';
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
import { largestError, randomArray } from './arrays.mjs';

/** BENCH_VARIANT asks for one: the eager step stands beside the captured one as a contestant of its own. */
export function variants({ kind }) {
  if (process.env.BENCH_VARIANT) return [process.env.BENCH_VARIANT];
  return kind === 'step' ? ['captured'] : ['eager', 'captured', 'folded'];
}

/** The model of the library by the name of a description (nets.mjs), with weights as they start out. */
export function buildModel({ model: name, input, classes, parameters }) {
  const { model } = createModel(name, { inputShape: input, classes });
  const count = model.parameters().reduce((total, { size }) => total + size, 0);
  if (count === parameters) return model;
  throw new Error(`${name} has ${count} parameters here instead of ${parameters}`);
}

export function prepare(task, variant) {
  manualSeed(1);
  const model = buildModel(task.net);
  const images = imagesFor(task);
  const prepared =
    task.kind === 'step' ? training(model, images, task, variant) : inference(model, images, variant);
  return {
    error: () => (task.kind === 'step' ? stepError(task.net) : inferenceError(task.net)),
    ...prepared,
    dispose() {
      prepared.dispose();
      images.dispose();
      model.dispose();
    },
  };
}

function imagesFor({ net, batch }) {
  const shape = [batch, ...net.input];
  const size = shape.reduce((a, b) => a * b);
  return tensor(randomArray(size, 1), shape);
}

function labelsFor({ net, batch }) {
  return tensor(
    Int32Array.from(randomArray(batch, 2), (value) => Math.floor(((value + 1) / 2) * net.classes)),
  );
}

function training(model, images, task, variant) {
  const labels = labelsFor(task);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  const step = ({ images, labels }) => {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.call(images), labels);
    loss.backward();
    optimizer.step();
    return { loss };
  };
  const options = { maxMemory: task.maxMemory };
  const lossOf =
    variant === 'captured'
      ? captured(step, { images, labels }, [optimizer], options)
      : eager(step, images, labels);
  return {
    run: lossOf.run,
    // Garbage is quick to compute: a figure counts only if the net still learns
    check() {
      const loss = lossOf.read();
      if (!Number.isFinite(loss)) throw new Error(`the loss is ${loss}`);
    },
    peakBytes: lossOf.peakBytes,
    digest: () => digestOf(model),
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

/** The step as a plan: its inputs lie in JavaScript's memory and its results come back there. */
function captured(step, inputs, optimizers, options) {
  const entries = Object.entries(inputs);
  const streams = Object.fromEntries(entries.map(([name, input]) => [name, input.data()]));
  const specs = Object.fromEntries(entries.map(([name, { shape, dtype }]) => [name, { shape, dtype }]));
  for (const optimizer of optimizers) optimizer.prepare();
  const plan = capturePlan(step, specs, optimizers, options);
  for (const optimizer of optimizers) optimizer.zeroGrad();
  return {
    run: () => void plan.runSync({ steps: 1, streams }),
    read: () => plan.runSync({ steps: 1, streams }).outputs.loss[0],
    peakBytes: () => plan.describe().peakBytes,
    dispose: () => plan.dispose(),
  };
}

function inference(model, images, variant) {
  model.eval();
  const forward = ({ images }) => ({ logits: noGrad(() => model.call(images)) });
  if (variant === 'eager') return { run: () => tensorScope(() => void forward({ images })), dispose() {} };
  const { run, dispose } = captured(forward, { images }, [], { fold: variant === 'folded' });
  return { run, dispose };
}

/** SHA-256 of weights and running statistics. */
function digestOf(model) {
  const hash = createHash('sha256');
  for (const [name, values] of Object.entries(model.stateDict())) hash.update(name).update(values.data());
  return hash.digest('hex');
}

/** Double precision is slow: so many images are enough to see an error. */
const ERROR_IMAGES = 2;

/** What `compute` gives for the same weights and images in float32 and in double precision, compared. */
function errorBesideDouble(net, compute) {
  const values = ['float32', 'float64'].map((dtype) => {
    manualSeed(1);
    const task = { net, batch: ERROR_IMAGES };
    const model = buildModel(net).to(dtype);
    const [images, labels] = [imagesFor(task), labelsFor(task)];
    const own = dtype === 'float32' ? images : tensor(Float64Array.from(images.data()), images.shape);
    try {
      return tensorScope(() => compute(model, own, labels));
    } finally {
      for (const held of new Set([own, images, labels, model])) held.dispose();
    }
  });
  return Math.max(...values[0].map((actual, i) => largestError(actual, 1, (index) => values[1][i][index])));
}

/** The largest error of any parameter's gradient, over the root mean square of that gradient. */
const stepError = (net) =>
  errorBesideDouble(net, (model, images, labels) => {
    crossEntropy(model.call(images), labels).backward();
    return model.parameters().map((parameter) => parameter.grad.data());
  });

/** The largest error of a logit, over their root mean square. */
const inferenceError = (net) =>
  errorBesideDouble(net, (model, images) => {
    model.eval();
    return [noGrad(() => model.call(images).data())];
  });

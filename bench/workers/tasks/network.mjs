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
import { inferFlops, stepFlops } from '../../nets.mjs';
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
  const errorImages = imagesForError(task);
  return {
    errorImages,
    error: () =>
      task.kind === 'step'
        ? stepError(task.net, errorImages)
        : inferenceError(task.net, errorImages, variant),
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
      const [loss] = lossOf.outputs().loss;
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
    outputs: () => tensorScope(() => ({ loss: [step({ images, labels }).loss.item()] })),
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
    outputs: () => plan.runSync({ steps: 1, streams }).outputs,
    peakBytes: () => plan.describe().peakBytes,
    dispose: () => plan.dispose(),
  };
}

function inference(model, images, variant) {
  model.eval();
  const forward = ({ images }) => ({ logits: noGrad(() => model.call(images)) });
  if (variant === 'eager') {
    return {
      run: () => tensorScope(() => void forward({ images })),
      logits: () => tensorScope(() => forward({ images }).logits.data()),
      dispose() {},
    };
  }
  const { run, outputs, dispose } = captured(forward, { images }, [], { fold: variant === 'folded' });
  return { run, logits: () => outputs().logits, dispose };
}

/** SHA-256 of weights and running statistics. */
function digestOf(model) {
  const hash = createHash('sha256');
  for (const [name, values] of Object.entries(model.stateDict())) hash.update(name).update(values.data());
  return hash.digest('hex');
}

/**
 * Operations of the passes that are compared with double precision, where as many take a few seconds: all 64 images of LeNet-5,
 * whose blocks of 16 images take another way than single ones, but 2 of ResNet-18.
 */
const ERROR_FLOPS = 4e9;
const LEAST_ERROR_IMAGES = 2;

function imagesForError({ kind, net, batch }) {
  const flops = kind === 'step' ? stepFlops(net, 1) : inferFlops(net, 1);
  return Math.min(batch, Math.max(LEAST_ERROR_IMAGES, Math.floor(ERROR_FLOPS / flops)));
}

/** What `compute` gives for the same weights and images in float32 and in double precision, compared. */
function errorBesideDouble(net, batch, compute) {
  const values = ['float32', 'float64'].map((dtype) => {
    manualSeed(1);
    const task = { net, batch };
    const model = buildModel(net).to(dtype);
    const [images, labels] = [imagesFor(task), labelsFor(task)];
    const own = dtype === 'float32' ? images : tensor(Float64Array.from(images.data()), images.shape);
    try {
      return compute(model, own, labels);
    } finally {
      for (const held of new Set([own, images, labels, model])) held.dispose();
    }
  });
  return Math.max(...values[0].map((actual, i) => largestError(actual, 1, (index) => values[1][i][index])));
}

/**
 * The largest error of any parameter's gradient, over the root mean square of that gradient. The eager step, whose bits are
 * those of the captured one. In deep nets it may be large in any library: where the sign of an activation near zero turns,
 * gradients jump.
 */
const stepError = (net, batch) =>
  errorBesideDouble(net, batch, (model, images, labels) =>
    tensorScope(() => {
      crossEntropy(model.call(images), labels).backward();
      return model.parameters().map((parameter) => parameter.grad.data());
    }),
  );

/** The largest error of a logit, over their root mean square, as the variant computes it. */
const inferenceError = (net, batch, variant) =>
  errorBesideDouble(net, batch, (model, images) => {
    const { logits, dispose } = inference(model, images, images.dtype === 'float64' ? 'eager' : variant);
    try {
      return [logits()];
    } finally {
      dispose();
    }
  });

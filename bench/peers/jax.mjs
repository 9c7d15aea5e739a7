// SPDX-License-Identifier: Apache-2.0
// jax-js as a contestant, images [n, c, h, w]: WebAssembly that it generates, on one thread (its threads need a browser's
// Worker). It has no optimizer on npm, so the update stands here, in the compiled function that is the whole step: LeNet-5 at
// batch 1 in 10 ms, where gradients compiled and updates eager took 23; pooling by windows 588 ms at batch 64, by reshaping 636.
import { createRequire } from 'node:module';
import { inferFlops, stepFlops } from '../nets.mjs';
import { checkParameters, checkWork, randomLabels, servePeer, uniform, unsupported } from './protocol.mjs';

/** GFLOP of one call: it makes 0.3 GFLOP/s of a LeNet-5 step. */
const MOST_WORK = 2;
const [LEARNING_RATE, MOMENTUM] = [0.01, 0.9];

async function load() {
  const jax = await import('@jax-js/jax');
  await jax.init('wasm');
  jax.defaultDevice('wasm');
  const entry = createRequire(import.meta.url).resolve('@jax-js/jax');
  const { version } = createRequire(entry)('../package.json');
  return new JaxJs(jax, version);
}

class JaxJs {
  name = 'jax-js';

  constructor(jax, version) {
    this.jax = jax;
    this.np = jax.numpy;
    this.version = version;
  }

  variants() {
    return ['wasm jit'];
  }

  prepare({ kind, net, batch }) {
    const flops = { step: stepFlops, infer: inferFlops }[kind];
    if (flops === undefined) throw unsupported(`no task ${kind}`);
    checkWork(flops(net, batch), MOST_WORK);
    const { parameters, forward } = this.build(net);
    const [height, width, channels] = net.input;
    const shape = [batch, channels, height, width];
    const images = this.np.array(uniform(shape.reduce((a, b) => a * b))).reshape(shape);
    return kind === 'step'
      ? this.step({ parameters, forward, images, net, batch })
      : this.infer({ parameters, forward, images });
  }

  /** The parameters, and a function of them and of images. Functions of jax-js use up the arrays they are given. */
  build(net) {
    const parameters = [];
    const calls = [];
    let size = net.input;
    for (const [kind, ...numbers] of net.layers) {
      if (this[kind] === undefined) throw unsupported(`no layer ${kind}`);
      const layer = this[kind](numbers, size, parameters);
      calls.push(layer.call);
      size = layer.size;
    }
    checkParameters(
      net,
      parameters.reduce((count, { size }) => count + size, 0),
    );
    return { parameters, forward: (values, x) => calls.reduce((value, call) => call(value, values), x) };
  }

  /** Adds a parameter; its place among them. */
  parameter(parameters, shape, fanIn) {
    const size = shape.reduce((a, b) => a * b);
    const values = fanIn === undefined ? new Float32Array(size) : uniform(size, fanIn ** -0.5);
    return parameters.push(this.np.array(values).reshape(shape)) - 1;
  }

  conv([outC, kernel, padding, stride = 1, hasBias = true], [height, width, channels], parameters) {
    const { lax } = this.jax;
    if (!hasBias) throw unsupported('no layer conv without a bias');
    const weight = this.parameter(parameters, [outC, channels, kernel, kernel], kernel ** 2 * channels);
    const bias = this.parameter(parameters, [outC, 1, 1]);
    const pads = [
      [padding, padding],
      [padding, padding],
    ];
    const call = (x, values) =>
      lax.convGeneralDilated(x, values[weight].ref, [stride, stride], pads).add(values[bias].ref);
    const after = (length) => Math.floor((length + 2 * padding - kernel) / stride) + 1;
    return { call, size: [after(height), after(width), outC] };
  }

  linear([out], [height, width, channels], parameters) {
    const inputs = height * width * channels;
    const weight = this.parameter(parameters, [inputs, out], inputs);
    const bias = this.parameter(parameters, [out]);
    const call = (x, values) => this.np.matmul(x, values[weight].ref).add(values[bias].ref);
    return { call, size: [1, 1, out] };
  }

  relu(_, size) {
    return { call: (x) => this.jax.nn.relu(x), size };
  }

  maxpool([window], [height, width, channels]) {
    const windows = [1, 1, window, window];
    const { lax, numpy } = this.jax;
    const after = (length) => Math.floor(length / window);
    return {
      call: (x) => lax.reduceWindow(x, numpy.max, windows, windows),
      size: [after(height), after(width), channels],
    };
  }

  flatten(_, [height, width, channels]) {
    const features = height * width * channels;
    return { call: (x) => x.reshape([-1, features]), size: [1, 1, features] };
  }

  step({ parameters, forward, images, net, batch }) {
    const { jit, nn, valueAndGrad, blockUntilReady, numpy: np } = this.jax;
    const labels = nn.oneHot(np.array(randomLabels(batch, net.classes)), net.classes);
    const loss = (values, x, y) => {
      const logits = forward(values, x);
      for (const value of values) value.dispose();
      return nn
        .logSoftmax(logits)
        .mul(y)
        .sum()
        .mul(-1 / batch);
    };
    const gradients = valueAndGrad(loss);
    const compiled = jit((values, velocities, x, y) => {
      const kept = values.map((value) => value.ref);
      const [lossNow, grads] = gradients(kept, x, y);
      const after = velocities.map((velocity, i) => velocity.mul(MOMENTUM).add(grads[i]));
      return [lossNow, values.map((value, i) => value.sub(after[i].ref.mul(LEARNING_RATE))), after];
    });
    let [values, velocities] = [parameters, parameters.map((parameter) => np.zeros(parameter.shape))];
    return async () => {
      let lossNow;
      [lossNow, values, velocities] = compiled(values, velocities, images.ref, labels.ref);
      await blockUntilReady([lossNow, ...values]);
      lossNow.dispose();
    };
  }

  infer({ parameters, forward, images }) {
    const compiled = this.jax.jit((values, x) => {
      const logits = forward(values, x);
      for (const value of values) value.dispose();
      return logits;
    });
    return async () => {
      const logits = compiled(
        parameters.map((parameter) => parameter.ref),
        images.ref,
      );
      await logits.data();
    };
  }
}

servePeer(load);

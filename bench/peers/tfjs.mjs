// SPDX-License-Identifier: Apache-2.0
// TensorFlow.js as a contestant, images [n, h, w, c]: its backend in JavaScript, and the one in WebAssembly, which has no
// gradients of convolutions. Both run on one thread: in Node.js the WebAssembly one is never threaded (its flags_wasm.js).
// tfjs-node is not here: its binaries are fetched by an install script, and its kernels are TensorFlow's.
import { inferFlops, stepFlops } from '../nets.mjs';
import { checkParameters, checkWork, randomLabels, servePeer, uniform, unsupported } from './protocol.mjs';

/** GFLOP of one call: JavaScript makes 0.04 GFLOP/s of a LeNet-5 step, WebAssembly some 10 in forward passes. */
const MOST_WORK = { cpu: 1, wasm: 200 };

/** What takes bias and ReLU along. */
const FUSED = ['conv', 'linear'];

async function load() {
  const { default: tf } = await import('@tensorflow/tfjs');
  await import('@tensorflow/tfjs-backend-wasm');
  tf.enableProdMode();
  return new TensorFlowJs(tf);
}

class TensorFlowJs {
  name = 'tfjs';

  constructor(tf) {
    this.tf = tf;
    this.version = tf.version.tfjs;
  }

  variants({ kind, net, batch }) {
    if (kind === 'step') return ['cpu'];
    return inferFlops(net, batch) > MOST_WORK.cpu * 1e9 ? ['wasm'] : ['cpu', 'wasm'];
  }

  async prepare({ kind, net, batch }, variant) {
    const flops = { step: stepFlops, infer: inferFlops }[kind];
    if (flops === undefined) throw unsupported(`no task ${kind}`);
    checkWork(flops(net, batch), MOST_WORK[variant]);
    this.tf.disposeVariables();
    if (!(await this.tf.setBackend(variant))) throw unsupported(`no backend ${variant}`);
    return kind === 'step' ? this.step(net, batch) : this.infer(net, batch);
  }

  /** The variables to learn, and the forward pass. */
  build(net) {
    const variables = [];
    const { call } = this.layers(net.layers, net.input, variables);
    checkParameters(
      net,
      variables.reduce((count, { size }) => count + size, 0),
    );
    return { variables, call };
  }

  variable(variables, shape, fanIn) {
    const size = shape.reduce((a, b) => a * b);
    const values = fanIn === undefined ? new Float32Array(size) : uniform(size, fanIn ** -0.5);
    variables.push(this.tf.variable(this.tf.tensor(values, shape)));
    return variables.at(-1);
  }

  /** A function of x, and the size [height, width, channels] of what it gives; adds to the variables. */
  layers(described, input, variables) {
    const calls = [];
    let size = input;
    described.forEach(([kind, ...numbers], i) => {
      if (this[kind] === undefined) throw unsupported(`no layer ${kind}`);
      const [before, after] = [described[i - 1]?.[0], described[i + 1]?.[0]];
      if (kind === 'relu' && FUSED.includes(before)) return;
      const activation = after === 'relu' ? 'relu' : 'linear';
      const layer = this[kind](numbers, size, variables, activation);
      calls.push(layer.call);
      size = layer.size;
    });
    return { call: (x) => calls.reduce((value, call) => call(value), x), size };
  }

  conv([outC, kernel, pad, strides = 1, hasBias = true], [height, width, channels], variables, activation) {
    const { tf } = this;
    const filter = this.variable(variables, [kernel, kernel, channels, outC], kernel ** 2 * channels);
    const bias = hasBias ? this.variable(variables, [outC]) : undefined;
    const options = { filter, strides, pad, dimRoundingMode: 'floor', bias, activation };
    const call = (x) => tf.fused.conv2d({ x, ...options });
    const after = (length) => Math.floor((length + 2 * pad - kernel) / strides) + 1;
    return { call, size: [after(height), after(width), outC] };
  }

  linear([out], [height, width, channels], variables, activation) {
    const { tf } = this;
    const inputs = height * width * channels;
    const b = this.variable(variables, [inputs, out], inputs);
    const bias = this.variable(variables, [out]);
    return { call: (a) => tf.fused.matMul({ a, b, bias, activation }), size: [1, 1, out] };
  }

  batchnorm(_, size, variables) {
    const { tf } = this;
    const scale = this.variable(variables, [size[2]], 1);
    const offset = this.variable(variables, [size[2]]);
    const [mean, variance] = [tf.zeros([size[2]]), tf.ones([size[2]])];
    return { call: (x) => tf.batchNorm(x, mean, variance, offset, scale, 1e-5), size };
  }

  relu(_, size) {
    return { call: (x) => this.tf.relu(x), size };
  }

  maxpool([window], [height, width, channels]) {
    const after = (length) => Math.floor(length / window);
    return {
      call: (x) => this.tf.maxPool(x, window, window, 'valid'),
      size: [after(height), after(width), channels],
    };
  }

  globalavgpool(_, [, , channels]) {
    return { call: (x) => this.tf.mean(x, [1, 2]), size: [1, 1, channels] };
  }

  flatten(_, [height, width, channels]) {
    const features = height * width * channels;
    return { call: (x) => this.tf.reshape(x, [-1, features]), size: [1, 1, features] };
  }

  residual([body, shortcut], size, variables) {
    const [main, side] = [body, shortcut].map((part) => this.layers(part, size, variables));
    return { call: (x) => this.tf.add(main.call(x), side.call(x)), size: main.size };
  }

  images({ input }, batch) {
    const shape = [batch, ...input];
    return this.tf.tensor(uniform(shape.reduce((a, b) => a * b)), shape);
  }

  step(net, batch) {
    const { tf } = this;
    const { variables, call } = this.build(net);
    const images = this.images(net, batch);
    const labels = tf.oneHot(tf.tensor1d(randomLabels(batch, net.classes), 'int32'), net.classes);
    const optimizer = tf.train.momentum(0.01, 0.9);
    return () => {
      optimizer.minimize(() => tf.losses.softmaxCrossEntropy(labels, call(images)), false, variables);
    };
  }

  infer(net, batch) {
    const { call } = this.build(net);
    const images = this.images(net, batch);
    // dataSync waits for the result
    return () => void this.tf.tidy(() => call(images).dataSync());
  }
}

servePeer(load);

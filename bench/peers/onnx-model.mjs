// SPDX-License-Identifier: Apache-2.0
// A net of nets.mjs as an ONNX model: plain objects with the fields of onnx.proto, images [n, c, h, w], the batch fixed.
// onnx-file.mjs makes bytes of it.
import { uniform } from './protocol.mjs';

const OPSET = 17;
const IR_VERSION = 8;
const FLOAT = 1;
const INT64 = 7;
const ATTRIBUTE = { FLOAT: 1, INT: 2, INTS: 7 };

const size = (shape) => shape.reduce((a, b) => a * b, 1);
const bytesOf = (array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
const ints = (name, values) => ({ name, type: ATTRIBUTE.INTS, ints: values });
const int = (name, i) => ({ name, type: ATTRIBUTE.INT, i });
const float = (name, f) => ({ name, type: ATTRIBUTE.FLOAT, f });

function valueInfo(name, shape) {
  const dim = shape.map((dimValue) => ({ dimValue }));
  return { name, type: { tensorType: { elemType: FLOAT, shape: { dim } } } };
}

/** Collects nodes and initializers while it walks through the layers. */
class Builder {
  node = [];
  initializer = [];
  parameters = 0;

  constructor(valuesOf) {
    this.valuesOf = valuesOf;
  }

  constant(name, dims, values, dataType = FLOAT) {
    this.initializer.push({ name, dims, dataType, rawData: bytesOf(values) });
    return name;
  }

  integers(name, values) {
    return this.constant(name, [values.length], BigInt64Array.from(values.map(BigInt)), INT64);
  }

  /** Something to learn. */
  parameter(name, dims, scale) {
    this.parameters += size(dims);
    return this.constant(name, dims, this.valuesOf(name, dims, scale));
  }

  /** Adds an operation; the name of its result. */
  operation(opType, input, attribute = []) {
    const name = `${opType}_${this.node.length}`;
    this.node.push({ name, opType, input, output: [name], attribute });
    return name;
  }

  /** Adds layers after the value `x` of a size [h, w, c]; gives both for what comes out. Names start with `path`. */
  layers(described, x, input, path = '') {
    let [value, shape] = [x, input];
    described.forEach(([kind, ...numbers], i) => {
      if (this[kind] === undefined) throw new Error(`no layer ${kind}`);
      ({ value, shape } = this[kind](numbers, value, shape, `${path}${i}`));
    });
    return { value, shape };
  }

  conv([outC, kernel, padding, stride = 1, hasBias = true], x, [height, width, channels], path) {
    const fanIn = kernel ** 2 * channels;
    const inputs = [x, this.parameter(`${path}.weight`, [outC, channels, kernel, kernel], fanIn ** -0.5)];
    if (hasBias) inputs.push(this.parameter(`${path}.bias`, [outC], fanIn ** -0.5));
    const value = this.operation('Conv', inputs, [
      ints('kernel_shape', [kernel, kernel]),
      ints('strides', [stride, stride]),
      ints('pads', Array(4).fill(padding)),
    ]);
    const after = (length) => Math.floor((length + 2 * padding - kernel) / stride) + 1;
    return { value, shape: [after(height), after(width), outC] };
  }

  batchnorm(_, x, shape, path) {
    const channels = [shape[2]];
    const scale = this.parameter(`${path}.weight`, channels, 1);
    const offset = this.parameter(`${path}.bias`, channels, 1);
    const mean = this.constant(`${path}.mean`, channels, new Float32Array(shape[2]));
    const variance = this.constant(`${path}.variance`, channels, new Float32Array(shape[2]).fill(1));
    const inputs = [x, scale, offset, mean, variance];
    return { value: this.operation('BatchNormalization', inputs, [float('epsilon', 1e-5)]), shape };
  }

  relu(_, x, shape) {
    return { value: this.operation('Relu', [x]), shape };
  }

  maxpool([window], x, [height, width, channels]) {
    const square = [window, window];
    const value = this.operation('MaxPool', [x], [ints('kernel_shape', square), ints('strides', square)]);
    return { value, shape: [Math.floor(height / window), Math.floor(width / window), channels] };
  }

  globalavgpool(_, x, [, , channels]) {
    const pooled = this.operation('GlobalAveragePool', [x]);
    return { value: this.operation('Flatten', [pooled]), shape: [1, 1, channels] };
  }

  flatten(_, x, shape) {
    return { value: this.operation('Flatten', [x]), shape: [1, 1, size(shape)] };
  }

  linear([out], x, shape, path) {
    const inputs = size(shape);
    const weight = this.parameter(`${path}.weight`, [out, inputs], inputs ** -0.5);
    const bias = this.parameter(`${path}.bias`, [out], inputs ** -0.5);
    return { value: this.operation('Gemm', [x, weight, bias], [int('transB', 1)]), shape: [1, 1, out] };
  }

  padchannels([outC, stride], x, [height, width, channels], path) {
    const slice = this.operation('Slice', [
      x,
      this.integers(`${path}.starts`, [0, 0]),
      this.integers(`${path}.ends`, [height, width]),
      this.integers(`${path}.axes`, [2, 3]),
      this.integers(`${path}.steps`, [stride, stride]),
    ]);
    const missing = outC - channels;
    const before = Math.floor(missing / 2);
    const pads = this.integers(`${path}.pads`, [0, before, 0, 0, 0, missing - before, 0, 0]);
    const value = this.operation('Pad', [slice, pads]);
    return { value, shape: [Math.ceil(height / stride), Math.ceil(width / stride), outC] };
  }

  residual([body, shortcut], x, shape, path) {
    const main = this.layers(body, x, shape, `${path}.body.`);
    const side = this.layers(shortcut, x, shape, `${path}.shortcut.`);
    return { value: this.operation('Add', [main.value, side.value]), shape: main.shape };
  }
}

/** Random weights. */
const randomValues = (_name, dims, scale) => uniform(size(dims), scale);

/**
 * The model of a net for a batch: input `images` [batch, c, h, w], output [batch, classes].
 *
 * @param valuesOf the numbers of a parameter by its name (the place of its layer, as in '0.weight' or '3.body.1.bias'), its
 *   dims (PyTorch's order) and a scale for random ones; default: random
 * @returns `model`, and in `parameters` how many there are to learn
 */
export function onnxModel(net, batch, valuesOf = randomValues) {
  const builder = new Builder(valuesOf);
  const [height, width, channels] = net.input;
  const { value, shape } = builder.layers(net.layers, 'images', net.input);
  const model = {
    irVersion: IR_VERSION,
    producerName: 'receptive-bench',
    opsetImport: [{ domain: '', version: OPSET }],
    graph: {
      name: net.model,
      node: builder.node,
      initializer: builder.initializer,
      input: [valueInfo('images', [batch, channels, height, width])],
      output: [valueInfo(value, [batch, size(shape)])],
    },
  };
  return { model, parameters: builder.parameters };
}

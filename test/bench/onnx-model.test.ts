// SPDX-License-Identifier: Apache-2.0
// The ONNX models that onnxruntime-node is measured with: every shape is worked out again from the nodes alone.
import { describe, expect, it } from 'vitest';
import { NETS } from '../../bench/nets.mjs';
import { onnxModel } from '../../bench/peers/onnx-model.mjs';

interface Attribute {
  name: string;
  type: number;
  i?: number;
  ints?: number[];
}
interface Node {
  opType: string;
  input: string[];
  output: string[];
  attribute: Attribute[];
}
interface Tensor {
  name: string;
  dims: number[];
  dataType: number;
  rawData: Uint8Array;
}

const product = (values: number[]) => values.reduce((a, b) => a * b, 1);

/** The shape that a node gives, by the specification of its operation. Throws where its inputs do not fit. */
function outputShape(node: Node, shapes: number[][], integers: (i: number) => number[]): number[] {
  const ints = (name: string) => node.attribute.find((attribute) => attribute.name === name)?.ints ?? [];
  const [x, weight] = shapes;
  const slide = (size: number, i: number) =>
    Math.floor((size + 2 * (ints('pads')[i] ?? 0) - ints('kernel_shape')[i]) / ints('strides')[i]) + 1;
  switch (node.opType) {
    case 'Conv': {
      expect(weight.slice(1)).toEqual([x[1], ...ints('kernel_shape')]);
      if (shapes.length > 2) expect(shapes[2]).toEqual([weight[0]]);
      return [x[0], weight[0], slide(x[2], 0), slide(x[3], 1)];
    }
    case 'BatchNormalization':
      for (const of of shapes.slice(1)) expect(of).toEqual([x[1]]);
      expect(shapes).toHaveLength(5);
      return x;
    case 'Relu':
      return x;
    case 'MaxPool':
      return [x[0], x[1], slide(x[2], 0), slide(x[3], 1)];
    case 'GlobalAveragePool':
      return [x[0], x[1], 1, 1];
    case 'Flatten':
      return [x[0], product(x.slice(1))];
    case 'Gemm':
      expect(node.attribute).toEqual([{ name: 'transB', type: 2, i: 1 }]);
      expect(weight[1]).toBe(x[1]);
      expect(shapes[2]).toEqual([weight[0]]);
      return [x[0], weight[0]];
    case 'Add':
      expect(weight).toEqual(x);
      return x;
    case 'Slice': {
      const [starts, ends, axes, steps] = [1, 2, 3, 4].map(integers);
      const shape = [...x];
      axes.forEach((axis, i) => {
        shape[axis] = Math.ceil((ends[i] - starts[i]) / steps[i]);
      });
      return shape;
    }
    case 'Pad':
      return x.map((size, i) => size + integers(1)[i] + integers(1)[i + x.length]);
    default:
      throw new Error(`no operation ${node.opType}`);
  }
}

describe.each(Object.values(NETS))('the ONNX model of $model', (net) => {
  const batch = 3;
  const { model, parameters } = onnxModel(net, batch);
  const { node, initializer, input, output } = model.graph as {
    node: Node[];
    initializer: Tensor[];
    input: { name: string; type: { tensorType: { shape: { dim: { dimValue: number }[] } } } }[];
    output: typeof input;
  };
  const dims = (info: (typeof input)[0]) => info.type.tensorType.shape.dim.map(({ dimValue }) => dimValue);
  const constants = new Map(initializer.map((tensor) => [tensor.name, tensor]));

  it('has the shapes of the net, from images to classes', () => {
    const [height, width, channels] = net.input;
    expect(dims(input[0])).toEqual([batch, channels, height, width]);
    const shapes = new Map(initializer.map((tensor) => [tensor.name, tensor.dims]));
    shapes.set(input[0].name, dims(input[0]));
    for (const one of node) {
      const operands = one.input.map((name) => shapes.get(name));
      expect(operands, `${one.opType} uses what is not there yet`).not.toContain(undefined);
      const integers = (i: number) => {
        const bytes = constants.get(one.input[i])?.rawData ?? new Uint8Array();
        return Array.from(new BigInt64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8), Number);
      };
      shapes.set(one.output[0], outputShape(one, operands as number[][], integers));
    }
    expect(shapes.get(output[0].name)).toEqual([batch, net.classes]);
    expect(dims(output[0])).toEqual([batch, net.classes]);
  });

  it('has its parameters, in as many bytes as their shapes say, under names of their own', () => {
    expect(parameters).toBe(net.parameters);
    expect(constants.size).toBe(initializer.length);
    expect(new Set(node.flatMap((one) => one.output)).size).toBe(node.length);
    for (const { name, dims, dataType, rawData } of initializer) {
      expect(rawData.length, name).toBe(product(dims) * (dataType === 7 ? 8 : 4));
    }
  });
});

it('asks for the values of each parameter once, in the order of the layers', () => {
  const asked: string[] = [];
  const { model } = onnxModel(NETS.lenet5, 1, (name: string, dims: number[]) => {
    asked.push(`${name} ${dims}`);
    return new Float32Array(product(dims)).fill(asked.length);
  });
  expect(asked.slice(0, 4)).toEqual(['0.weight 6,1,5,5', '0.bias 6', '3.weight 16,6,5,5', '3.bias 16']);
  expect(asked).toHaveLength(10);
  const { rawData } = model.graph.initializer[2];
  expect(new Float32Array(rawData.buffer, rawData.byteOffset, 2)).toEqual(Float32Array.of(3, 3));
});

it('refuses a layer that it does not know', () => {
  expect(() => onnxModel({ ...NETS.lenet5, layers: [['swish']] }, 1)).toThrow('no layer swish');
});

// SPDX-License-Identifier: Apache-2.0
// Receptive fields against figures worked out by hand, and those of Araujo, Norris and Sim (Distill, 2019).
import { describe, expect, it } from 'vitest';
import { createModel } from '../../lib/models/registry.js';
import * as nn from '../../lib/nn/index.js';
import { withoutMemory } from '../../lib/nn/without-memory.js';
import { add } from '../../lib/ops/arithmetic.js';
import { concat } from '../../lib/ops/concat.js';
import { conv2d } from '../../lib/ops/conv2d.js';
import { maxPool2d } from '../../lib/ops/pool2d.js';
import { reshape } from '../../lib/ops/reshape.js';
import type { Tensor } from '../../lib/tensor/tensor.js';

const summaryOf = (name: string) =>
  withoutMemory(() => {
    const { model, inputShape } = createModel(name);
    return nn.summarize(model, inputShape);
  });

type Field = [size: number | number[], stride: number | number[], padding: number | number[]];
const both = (part: number | number[]) => (typeof part === 'number' ? [part, part] : part);

function fieldsOf(rows: readonly nn.LayerSummary[]) {
  return rows.map(({ receptiveField }) => receptiveField);
}

function expectFields(model: nn.Module, inputShape: number[], fields: (Field | null)[]): void {
  const wanted = fields.map(
    (field) => field && { size: both(field[0]), stride: both(field[1]), padding: both(field[2]) },
  );
  expect(fieldsOf(nn.summarize(model, inputShape))).toEqual(wanted);
}

/** size, stride and padding of the layers of a type. */
function ofType(name: string, type: string): number[][] {
  return summaryOf(name)
    .filter((row) => row.type === type)
    .map(({ receptiveField: field }) => {
      expect(field?.size[0]).toBe(field?.size[1]);
      return [field!.size[0], field!.stride[0], field!.padding[0]];
    });
}

describe('known networks', () => {
  it('LeNet-5', () => {
    // 5; 5 + 1; 6 + 4 x 2; 14 + 1 x 2; then all of 5 x 5 positions, 4 apart: 16 + 4 x 4
    expect(ofType('lenet5', 'Conv2d')).toEqual([
      [5, 1, 2],
      [14, 2, 2],
    ]);
    expect(ofType('lenet5', 'MaxPool2d')).toEqual([
      [6, 2, 2],
      [16, 4, 2],
    ]);
    expect(ofType('lenet5', 'Linear').map(([size]) => size)).toEqual([32, 32, 32]);
  });

  it('VGG-16, as published: 212, 32, 90', () => {
    expect(ofType('vgg16', 'MaxPool2d')).toEqual([
      [6, 2, 2],
      [16, 4, 6],
      [44, 8, 18],
      [100, 16, 42],
      [212, 32, 90],
    ]);
    expect(ofType('vgg16', 'Linear')[0][0]).toBe(404); // 212 + 6 x 32
  });

  it('VGG-11, AlexNet and All-CNN-C', () => {
    expect(ofType('vgg11', 'MaxPool2d').at(-1)).toEqual([150, 32, 59]);
    expect(ofType('alexnet', 'MaxPool2d').map(([size, stride]) => [size, stride])).toEqual([
      [19, 8],
      [67, 16],
      [195, 32], // as published
    ]);
    // 3, 5, 7 (stride 2), 11, 15, 19 (stride 4), 27 without padding, twice 1x1
    expect(ofType('all-cnn-c', 'Conv2d').map(([size]) => size)).toEqual([3, 5, 7, 11, 15, 19, 27, 27, 27]);
    expect(ofType('all-cnn-c', 'Conv2d').at(-1)).toEqual([27, 4, 9]);
  });

  it("cuda-convnet's net, whose normalisation sees 3 x 3 pixels", () => {
    // 5; 7 (stride 2); 11; 19; 23 (stride 4); 31; 47; 55 (stride 8)
    const fields = ['MaxPool2d', 'LocalResponseNorm', 'AvgPool2d'].map((type) =>
      ofType('cuda-convnet', type).map(([size, stride]) => [size, stride]),
    );
    expect(fields).toEqual([
      [[7, 2]],
      [
        [11, 2],
        [31, 4],
      ],
      [
        [23, 4],
        [55, 8],
      ],
    ]);
  });

  it('ResNets, by their longest paths', () => {
    const last = (name: string, path: string) =>
      summaryOf(name)
        .filter((row) => row.path === path)
        .at(-1)?.receptiveField;
    expect(last('resnet18', 'layer4.1.relu')).toEqual({
      size: [435, 435],
      stride: [32, 32],
      padding: [217, 217],
    });
    expect(last('resnet34', 'layer4.2.relu')).toEqual({
      size: [899, 899],
      stride: [32, 32],
      padding: [449, 449],
    });
    // 483 with the strides in the first convolutions, as the paper has them; here they are in the 3x3 ones
    expect(last('resnet50', 'layer4.2.relu')).toEqual({
      size: [427, 427],
      stride: [32, 32],
      padding: [213, 213],
    });
    expect(last('resnet20-cifar', 'layer3.2.relu')).toEqual({
      size: [81, 81],
      stride: [4, 4],
      padding: [40, 40],
    });
  });
});

describe('layers', () => {
  it('windows of unlike sides', () => {
    const model = new nn.Sequential(
      new nn.Conv2d(1, 1, { kernelSize: [3, 5], stride: [1, 2], padding: [0, 1] }),
      new nn.AvgPool2d({ kernelSize: [2, 1], stride: 1, padding: [1, 0] }),
    );
    expectFields(
      model,
      [9, 9, 1],
      [
        [
          [3, 5],
          [1, 2],
          [0, 1],
        ],
        [
          [4, 5],
          [1, 2],
          [1, 1],
        ],
      ],
    );
  });

  it('pools to a size, and to one', () => {
    const model = new nn.Sequential(new nn.AdaptiveMaxPool2d(4), new nn.GlobalMaxPool2d());
    expectFields(
      model,
      [8, 8, 2],
      [
        [2, 2, 0],
        [8, 8, 0],
      ],
    );
    // outputs of 10 pixels by 4 begin at 0, 2, 5, 7 and cover 3 each
    expectFields(new nn.AdaptiveAvgPool2d(4), [10, 10, 1], [[3, 2.5, 0]]);
    expectFields(new nn.SpatialPyramidPool2d([1, 2]), [8, 8, 1], [[8, 8, 0]]);
  });

  it('resizing makes fields lie nearer to each other', () => {
    const model = new nn.Sequential(
      new nn.MaxPool2d(2),
      new nn.Upsample({ scaleFactor: 2 }),
      new nn.Upsample({ scaleFactor: 2, mode: 'bilinear' }),
      new nn.Conv2d(1, 1, { kernelSize: 3 }),
    );
    expectFields(
      model,
      [8, 8, 1],
      [
        [2, 2, 0],
        [2, 1, 0],
        [3, 0.5, 0],
        [4, 0.5, 0],
      ],
    );
  });

  it('sequences', () => {
    const model = new nn.Sequential(
      new nn.MaxPool1d({ kernelSize: 3, stride: 2, padding: 1 }),
      new nn.AvgPool1d(2),
      new nn.Flatten(),
      new nn.Linear(8, 2),
    );
    expectFields(
      model,
      [8, 4],
      [
        [
          [1, 3],
          [1, 2],
          [0, 1],
        ],
        [
          [1, 5],
          [1, 4],
          [0, 1],
        ],
        [
          [1, 5],
          [1, 4],
          [0, 1],
        ],
        [
          [1, 9],
          [1, 8],
          [0, 1],
        ],
      ],
    );
  });
});

describe('graphs', () => {
  class Graph extends nn.Module {
    readonly a = new nn.Conv2d(1, 1, { kernelSize: 3, padding: 1 });
    readonly b = new nn.Conv2d(1, 1, { kernelSize: 7, padding: 3 });
    readonly c = new nn.Conv2d(1, 1, { kernelSize: 3 });
    readonly end = new nn.Identity();

    constructor(readonly body: (graph: Graph, x: Tensor) => Tensor) {
      super();
    }

    override forward(x: Tensor): Tensor {
      return this.end.call(this.body(this, x));
    }
  }

  const last = (body: (graph: Graph, x: Tensor) => Tensor, shape = [12, 12, 1]) =>
    nn.summarize(new Graph(body), shape).at(-1)?.receptiveField;
  const square = (size: number, stride: number, padding: number) => ({
    size: [size, size],
    stride: [stride, stride],
    padding: [padding, padding],
  });

  it('see what their branches see together, also where these lie apart', () => {
    expect(last((g, x) => add(g.a.call(x), g.b.call(x)))).toEqual(square(7, 1, 3));
    expect(last((g, x) => concat([x, g.a.call(g.b.call(x))]))).toEqual(square(9, 1, 4));
    // one branch sees pixels 0 to 2 for its first output, the other -1 to 1
    const thirds = (x: Tensor, padding: number) => maxPool2d(x, { kernelSize: 3, stride: 3, padding });
    expect(last((_, x) => add(thirds(x, 0), thirds(x, 1)))).toEqual(square(4, 3, 1));
  });

  it('see through operations that are no layers', () => {
    expect(last((g, x) => conv2d(g.a.call(x), g.b.weight, null, { stride: 2 }))).toEqual(square(9, 2, 1));
  });

  it('say so where they do not know', () => {
    expect(last((g, x) => reshape(g.a.call(x), [1, 6, 24, 1]))).toBeNull();
    expect(last((g, x) => g.a.call(x).detach())).toBeNull();
    expect(last((g) => g.a.weight, [12, 12, 1])).toBeNull();
    expect(nn.summarize(new nn.Linear(3, 2), [3])[0].receptiveField).toBeNull();
  });
});

describe('summarize', () => {
  it('computes nothing, unless a model looks at values', () => {
    const looked: number[] = [];
    class Looks extends nn.Module {
      readonly layer = new nn.Linear(2, 2);
      override forward(x: Tensor): Tensor {
        looked.push(x.data()[0]);
        return this.layer.call(x);
      }
    }
    expect(nn.summarize(new Looks(), [2]).map(({ path }) => path)).toEqual(['layer']);
    expect(looked).toEqual([0]);
  });

  it('counts no bytes for views, and eight for a double', () => {
    using model = new nn.Sequential(
      new nn.Conv2d(1, 2, { kernelSize: 2 }),
      new nn.Flatten(),
      new nn.Dropout(),
    );
    expect(nn.summarize(model, [4, 4, 1]).map(({ outputBytes }) => outputBytes)).toEqual([72, 0, 0]);
    model.to('float64');
    expect(nn.summarize(model, [4, 4, 1])[0].outputBytes).toBe(144);
  });
});

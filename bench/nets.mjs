// SPDX-License-Identifier: Apache-2.0
// The nets to measure, as data. Ours are the library's own models, by name; peers build the layers that are described
// here, and the tests hold both to the same operations and parameters.
//
//   ['conv', outC, kernel, padding, stride = 1, bias = true]   ['batchnorm']   ['relu']   ['maxpool', size]   ['flatten']
//   ['globalavgpool']   ['linear', out]   ['residual', layers, shortcut]   ['padchannels', outC, stride]
//
// 'residual' adds what its layers and what its shortcut (no layers: the input itself) make of the same input;
// 'padchannels' takes every stride-th pixel and puts channels of zeros around those that are there.

const LENET5 = {
  model: 'lenet5',
  input: [28, 28, 1],
  classes: 10,
  layers: [
    ['conv', 6, 5, 2],
    ['relu'],
    ['maxpool', 2],
    ['conv', 16, 5, 0],
    ['relu'],
    ['maxpool', 2],
    ['flatten'],
    ['linear', 120],
    ['relu'],
    ['linear', 84],
    ['relu'],
    ['linear', 10],
  ],
};

const conv3 = (channels) => [['conv', channels, 3, 1], ['relu']];

const VGG_CIFAR = {
  model: 'vgg-cifar',
  input: [32, 32, 3],
  classes: 10,
  layers: [
    ...conv3(64),
    ['maxpool', 2],
    ...conv3(128),
    ['maxpool', 2],
    ...conv3(256),
    ...conv3(256),
    ['maxpool', 2],
    ...conv3(512),
    ...conv3(512),
    ['maxpool', 2],
    ['flatten'],
    ['linear', 512],
    ['relu'],
    ['linear', 10],
  ],
};

/** A convolution that keeps the size but for its stride, normalised. */
const normalised = (channels, kernel, stride) => [
  ['conv', channels, kernel, (kernel - 1) / 2, stride, false],
  ['batchnorm'],
];

const projection = (channels, stride) => normalised(channels, 1, stride);
const padding = (channels, stride) => [['padchannels', channels, stride]];

function residualBlock(inC, outC, stride, shortcut) {
  const body = [...normalised(outC, 3, stride), ['relu'], ...normalised(outC, 3, 1)];
  return [['residual', body, inC === outC && stride === 1 ? [] : shortcut(outC, stride)], ['relu']];
}

function residualNet(model, channels, blocks, shortcut) {
  const stages = channels.flatMap((outC, stage) =>
    Array.from({ length: blocks }, (_, block) => {
      const isFirst = block === 0;
      const inC = isFirst ? channels[Math.max(0, stage - 1)] : outC;
      return residualBlock(inC, outC, isFirst && stage > 0 ? 2 : 1, shortcut);
    }).flat(),
  );
  const layers = [...normalised(channels[0], 3, 1), ['relu'], ...stages, ['globalavgpool'], ['linear', 10]];
  return { model, input: [32, 32, 3], classes: 10, layers };
}

const DESCRIBED = {
  lenet5: LENET5,
  'vgg-cifar': VGG_CIFAR,
  'resnet18-cifar': residualNet('resnet18-cifar', [64, 128, 256, 512], 2, projection),
  'resnet20-cifar': residualNet('resnet20-cifar', [16, 32, 64], 3, padding),
};

/** What a layer makes of images of a size: the size after it, its operations on one image and its parameters. */
function measured([kind, ...numbers], [height, width, channels]) {
  const same = { size: [height, width, channels], flops: [], parameters: 0 };
  switch (kind) {
    case 'conv': {
      const [outC, kernel, pad, stride = 1, bias = true] = numbers;
      const [h, w] = [height, width].map((size) => Math.floor((size + 2 * pad - kernel) / stride) + 1);
      const weights = outC * channels * kernel ** 2;
      return { size: [h, w, outC], flops: [2 * h * w * weights], parameters: weights + (bias ? outC : 0) };
    }
    case 'linear': {
      const weights = height * width * channels * numbers[0];
      return { size: [1, 1, numbers[0]], flops: [2 * weights], parameters: weights + numbers[0] };
    }
    case 'maxpool':
      return { ...same, size: [Math.floor(height / numbers[0]), Math.floor(width / numbers[0]), channels] };
    case 'globalavgpool':
      return { ...same, size: [1, 1, channels] };
    case 'padchannels':
      return {
        ...same,
        size: [height, width].map((size) => Math.ceil(size / numbers[1])).concat(numbers[0]),
      };
    case 'batchnorm':
      return { ...same, parameters: 2 * channels };
    case 'residual': {
      const [body, shortcut] = numbers.map((layers) => measureAll(layers, same.size));
      const flops = [...body.flops, ...shortcut.flops];
      return { size: body.size, flops, parameters: body.parameters + shortcut.parameters };
    }
    default:
      return same;
  }
}

function measureAll(layers, input) {
  const total = { size: input, flops: [], parameters: 0 };
  for (const layer of layers) {
    const { size, flops, parameters } = measured(layer, total.size);
    total.size = size;
    total.flops.push(...flops);
    total.parameters += parameters;
  }
  return total;
}

/**
 * Operations of the convolutions and linear layers of one forward pass over one image, layer by layer; the rest is
 * not arithmetic that counts.
 */
export const layerFlops = ({ input, layers }) => measureAll(layers, input).flops;

/** Weights and biases to learn. */
export const parameterCount = ({ input, layers }) => measureAll(layers, input).parameters;

/** Nets by name, each with how many parameters it has: whoever builds it counts before it is measured. */
export const NETS = Object.fromEntries(
  Object.entries(DESCRIBED).map(([name, net]) => [name, { ...net, parameters: parameterCount(net) }]),
);

const sum = (values) => values.reduce((total, value) => total + value, 0);

export const inferFlops = (net, batch) => batch * sum(layerFlops(net));

/** Forward, gradient of the weights, and of the inputs but for those of the first layer, which are the images. */
export function stepFlops(net, batch) {
  const flops = layerFlops(net);
  return batch * (3 * sum(flops) - flops[0]);
}

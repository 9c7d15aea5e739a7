// SPDX-License-Identifier: Apache-2.0
// The nets to measure, as data: every contestant builds the same layers from the same description.
//
//   ['conv', outC, kernel, padding]   ['relu']   ['maxpool', size]   ['flatten']   ['linear', out]

const LENET5 = {
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

/** Nets by name. The residual nets wait for batch normalisation in the library. */
export const NETS = { lenet5: LENET5, 'vgg-cifar': VGG_CIFAR };

/**
 * Operations of the convolutions and linear layers of one forward pass over one image, layer by layer; the rest is
 * not arithmetic that counts.
 */
export function layerFlops({ input, layers }) {
  let [height, width, channels] = input;
  return layers.flatMap(([kind, ...numbers]) => {
    if (kind === 'conv') {
      const [outC, kernel, padding] = numbers;
      height += 2 * padding - kernel + 1;
      width += 2 * padding - kernel + 1;
      const flops = 2 * height * width * outC * channels * kernel ** 2;
      channels = outC;
      return [flops];
    }
    if (kind === 'linear') {
      const flops = 2 * height * width * channels * numbers[0];
      [height, width, channels] = [1, 1, numbers[0]];
      return [flops];
    }
    if (kind === 'maxpool') {
      height = Math.floor(height / numbers[0]);
      width = Math.floor(width / numbers[0]);
    }
    return [];
  });
}

const sum = (values) => values.reduce((total, value) => total + value, 0);

export const inferFlops = (net, batch) => batch * sum(layerFlops(net));

/** Forward, gradient of the weights, and of the inputs but for those of the first layer, which are the images. */
export function stepFlops(net, batch) {
  const flops = layerFlops(net);
  return batch * (3 * sum(flops) - flops[0]);
}

// SPDX-License-Identifier: Apache-2.0
// Shapes to measure, each with the reason why it is here.

/** Matrix products: c [m, n] = a [m, k] · b [k, n]; transposed operands lie in memory as [k, m] or [n, k]. */
export const GEMM_SHAPES = [
  ...[64, 128, 256, 512, 1024, 2048].map((size) => ({ name: `${size}`, m: size, n: size, k: size })),
  { name: '64x120x400', m: 64, n: 120, k: 400, transposeB: true, why: 'first linear layer of LeNet-5' },
  { name: '6x50176x25', m: 6, n: 50176, k: 25, why: 'first convolution of LeNet-5 as a matrix product' },
  { name: '64x576x32768', m: 64, n: 576, k: 32768, transposeA: true, why: 'weight gradient: long sums' },
  { name: '12544x256x2304', m: 12544, n: 256, k: 2304, why: '3x3 convolution on 256 channels' },
  { name: '784x512x4608', m: 784, n: 512, k: 4608, why: '3x3 convolution on 512 channels' },
];

/** Convolutions: batch, input channels, image size, output channels, kernel size, stride, padding. */
export const CONV_SHAPES = [
  ['S1', 64, 1, 28, 6, 5, 1, 2, 'LeNet-5, first: one channel'],
  ['S2', 64, 6, 14, 16, 5, 1, 0, 'LeNet-5, second: few channels'],
  ['S3', 128, 32, 16, 32, 5, 1, 2, 'cuda-convnet: 5x5'],
  ['S4', 128, 3, 32, 64, 3, 1, 1, 'first layer of a CIFAR net'],
  ['S5', 32, 64, 32, 64, 3, 1, 1, 'ResNet-18 on CIFAR: the workhorse'],
  ['S6', 32, 64, 32, 128, 3, 2, 1, 'ResNet-18 on CIFAR: stride 2'],
  ['S7', 128, 512, 4, 512, 3, 1, 1, 'ResNet-18 on CIFAR: 4x4 images, large weights'],
  ['S8', 8, 3, 224, 64, 7, 2, 3, 'ResNet stem: 7x7, stride 2'],
  ['S9', 16, 64, 56, 64, 3, 1, 1, 'ResNet-50, stage 2'],
  ['S10', 4, 256, 56, 256, 3, 1, 1, 'VGG, conv3_2'],
  ['S11', 16, 512, 7, 512, 3, 1, 1, 'ResNet-50, stage 5: 7x7 images'],
  ['S12', 16, 64, 56, 256, 1, 1, 0, 'ResNet-50, stage 2: 1x1, near the memory bound'],
  ['S13', 16, 1024, 14, 256, 1, 1, 0, 'ResNet-50, stage 4: deep 1x1'],
  ['S14', 16, 256, 56, 512, 1, 2, 0, 'ResNet-50, stage 3: 1x1, stride 2'],
  ['S15', 16, 128, 56, 128, 3, 1, 1, 'MobileNet: depthwise', 128],
  ['S16', 2, 64, 224, 64, 3, 1, 1, 'VGG, conv1_2: a large image'],
].map(([name, n, inC, size, outC, kernel, stride, padding, why, groups = 1]) => ({
  name,
  n,
  inC,
  size,
  outC,
  kernel,
  stride,
  padding,
  groups,
  outSize: Math.floor((size + 2 * padding - kernel) / stride) + 1,
  why,
}));

/** Operations of one pass; all three passes have as many. */
export function convFlops({ n, inC, outC, outSize, kernel, groups }) {
  return (2 * n * outSize ** 2 * outC * inC * kernel ** 2) / groups;
}

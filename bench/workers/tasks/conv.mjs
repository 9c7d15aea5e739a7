// SPDX-License-Identifier: Apache-2.0
// One pass of a convolution: its instruction, output and operands allocated beforehand. Images [n, h, w, c], weights
// [outC, kH, kW, inC / groups].
import { allocate, emit, NO_TENSOR } from '../../../dist/native/bindings.js';
import { download, largestError, randomArray, release, upload } from './arrays.mjs';

/** By the number that instructions carry. */
const ALGORITHMS = ['auto', 'direct', 'winograd'];

export const variants = () => ['auto'];

/** The values of one pass in double precision, each by its definition. `x`, `weight` and `dy` are flat arrays. */
function definitionOf(pass, shape, { x, weight, dy }) {
  const { n, inC, size, outC, kernel, stride, padding, outSize, groups } = shape;
  const [groupIn, groupOut] = [inC / groups, outC / groups];
  const xAt = (image, row, column, c) =>
    row < 0 || row >= size || column < 0 || column >= size
      ? 0
      : x[((image * size + row) * size + column) * inC + c];
  const weightAt = (o, i, j, c) => weight[((o * kernel + i) * kernel + j) * groupIn + c];
  /** The first input channel that output channel o reads, and the first output channel that reads input channel c. */
  const firstIn = (o) => Math.floor(o / groupOut) * groupIn;
  const firstOut = (c) => Math.floor(c / groupIn) * groupOut;
  const dyAt = (image, row, column, o) => dy[((image * outSize + row) * outSize + column) * outC + o];

  /** Where index points in an array of shape […, height, width, channels]. */
  const split = (index, height, width, channels) => [
    Math.floor(index / (height * width * channels)),
    Math.floor(index / (width * channels)) % height,
    Math.floor(index / channels) % width,
    index % channels,
  ];

  const definitions = {
    forward(index) {
      const [image, row, column, o] = split(index, outSize, outSize, outC);
      let sum = 0;
      for (let i = 0; i < kernel; i++)
        for (let j = 0; j < kernel; j++)
          for (let c = 0; c < groupIn; c++)
            sum +=
              xAt(image, row * stride + i - padding, column * stride + j - padding, firstIn(o) + c) *
              weightAt(o, i, j, c);
      return sum;
    },
    grad_input(index) {
      const [image, row, column, c] = split(index, size, size, inC);
      let sum = 0;
      for (let i = 0; i < kernel; i++) {
        for (let j = 0; j < kernel; j++) {
          const [fromRow, fromColumn] = [(row + padding - i) / stride, (column + padding - j) / stride];
          if (!Number.isInteger(fromRow) || fromRow < 0 || fromRow >= outSize) continue;
          if (!Number.isInteger(fromColumn) || fromColumn < 0 || fromColumn >= outSize) continue;
          for (let o = firstOut(c); o < firstOut(c) + groupOut; o++)
            sum += dyAt(image, fromRow, fromColumn, o) * weightAt(o, i, j, c % groupIn);
        }
      }
      return sum;
    },
    grad_weight(index) {
      const [o, i, j, c] = split(index, kernel, kernel, groupIn);
      let sum = 0;
      for (let image = 0; image < n; image++)
        for (let row = 0; row < outSize; row++)
          for (let column = 0; column < outSize; column++)
            sum +=
              xAt(image, row * stride + i - padding, column * stride + j - padding, firstIn(o) + c) *
              dyAt(image, row, column, o);
      return sum;
    },
  };
  return definitions[pass];
}

export function prepare({ pass, shape, algorithm = 'auto' }) {
  const { n, inC, size, outC, kernel, stride, padding, outSize, groups } = shape;
  const xSize = n * size ** 2 * inC;
  const weightSize = (outC * kernel ** 2 * inC) / groups;
  const dySize = n * outSize ** 2 * outC;
  const needs = { forward: ['x', 'weight'], grad_input: ['dy', 'weight'], grad_weight: ['dy', 'x'] }[pass];
  const sizes = { x: xSize, weight: weightSize, dy: dySize };
  const arrays = Object.fromEntries(needs.map((name, seed) => [name, randomArray(sizes[name], seed + 1)]));
  const resultSize = { forward: dySize, grad_input: xSize, grad_weight: weightSize }[pass];
  const depth = {
    forward: (kernel ** 2 * inC) / groups,
    grad_input: (kernel ** 2 * outC) / groups,
    grad_weight: n * outSize ** 2,
  }[pass];

  const handles = [allocate(resultSize, 'float32'), ...needs.map((name) => upload(arrays[name]))];
  const [result, ...inputs] = handles;
  const operands = {
    forward: [...handles, NO_TENSOR], // no bias
    grad_input: handles,
    grad_weight: [result, NO_TENSOR, ...inputs],
  }[pass];
  const numbers = [n, size, size, inC, outSize, outSize, outC, kernel, kernel];
  numbers.push(
    stride,
    stride,
    padding,
    padding,
    0,
    ALGORITHMS.indexOf(algorithm),
    0,
    0,
    0,
    0,
    0,
    0,
    1,
    1,
    groups,
  );
  return {
    run: () => emit(`conv2d_${pass}`, operands, numbers),
    error: () => largestError(download(handles[0], resultSize), depth, definitionOf(pass, shape, arrays)),
    dispose: () => release(handles),
  };
}

// SPDX-License-Identifier: Apache-2.0
// Data sets and models that train in milliseconds, for the tests of this folder.
import { ArrayDataset, type Dataset } from '../../lib/data/dataset.js';
import { xo } from '../../lib/data/xo.js';
import { createModel } from '../../lib/models/registry.js';
import { Flatten } from '../../lib/nn/flatten.js';
import { Linear } from '../../lib/nn/linear.js';
import type { Module } from '../../lib/nn/module.js';
import { Sequential } from '../../lib/nn/sequential.js';
import { manualSeed } from '../../lib/tensor/random.js';

/** X's and O's. */
export function someXo(count = 32): Dataset {
  return xo({ trainSize: count, testSize: 1, seed: 4 }).train;
}

/** The small convolutional network, fresh from a seed. */
export function xoModel(seed = 1): Module {
  manualSeed(seed);
  return createModel('xo').model;
}

/** Two classes of [2, 2, 1] images: the brighter half is on top or at the bottom. */
export function halves(count: number): Dataset {
  const images = new Float32Array(count * 4);
  const labels = Int32Array.from({ length: count }, (_, i) => i % 2);
  labels.forEach((label, i) => {
    images.fill(1 + (i % 5) / 10, i * 4 + label * 2, i * 4 + label * 2 + 2);
  });
  return new ArrayDataset({
    name: 'halves',
    images,
    labels,
    imageShape: [2, 2, 1],
    classNames: ['top', 'bottom'],
  });
}

/** One linear layer over [2, 2, 1] images. */
export function linearModel(seed = 1, classes = 2): Module {
  manualSeed(seed);
  return new Sequential(new Flatten(), new Linear(4, classes));
}

/** A copy of all weights. */
export function weightsOf(model: Module): number[] {
  return model.parameters().flatMap((parameter) => [...parameter.data()]);
}

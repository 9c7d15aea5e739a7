// SPDX-License-Identifier: Apache-2.0
// What each augmentation of a batch costs, on one thread and on all, beside the gather that every batch begins with.
import { runCases } from '../harness/run-cases.mjs';

export const summary = 'cost of each augmentation, images of CIFAR and MNIST by size';

/** There is nothing to compare. */
export const alone = true;

const BATCH = 256;
const SHAPES = { cifar: [32, 32, 3], mnist: [28, 28, 1] };

/** Case name → what `DataLoader` would be given; nothing: the gather alone. */
const STEPS = {
  gather: undefined,
  flip: { kind: 'flip' },
  'crop-fill': { kind: 'crop', padding: 4 },
  'crop-reflect': { kind: 'crop', padding: 4, border: 'reflect' },
  cutout: { kind: 'cutout', size: 8 },
  affine: { kind: 'affine', rotate: 15, translate: 0.1, scale: [0.9, 1.1], shear: 5 },
  elastic: { kind: 'elastic', alpha: 8, sigma: 4 },
  jitter: { kind: 'jitter', brightness: 0.2, contrast: 0.2, saturation: 0.2 },
  'jitter-hue': { kind: 'jitter', brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.1 },
  randaugment: { kind: 'randaugment' },
  mixup: { kind: 'mixup', alpha: 0.2 },
  cutmix: { kind: 'cutmix' },
};

const CASES = Object.entries(SHAPES).flatMap(([set, imageShape]) =>
  Object.entries(STEPS)
    .filter(([, step]) => imageShape[2] === 3 || step?.hue === undefined) // a hue is of three channels
    .map(([name, step]) => ({
      name: `${name}/${set}`,
      task: { kind: 'augment', step, imageShape, batch: BATCH },
    })),
);

export const caseNames = () => CASES.map(({ name }) => name);

export function run(context, names) {
  const cases = CASES.filter(({ name }) => names.includes(name));
  const row = (measured) => {
    const imagesPerSecond = BATCH / (measured.value / 1000);
    const rate = `${Math.round(imagesPerSecond).toLocaleString('en-US')} images/s`;
    const notes = [rate, measured.notes].filter((text) => text !== '').join('; ');
    context.row({ ...measured, imagesPerSecond, notes });
  };
  const counting = Object.assign(Object.create(context), { row });
  return runCases(counting, cases, context.threadCounts({ withOne: true }));
}

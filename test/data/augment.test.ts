// SPDX-License-Identifier: Apache-2.0
// Augmentations against numpy's and scikit-image's (test/golden/make_augment_golden.py), and their random numbers.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Augmentation, augmentInstructions } from '../../lib/data/augment.js';
import { parseAugment } from '../../lib/data/augment-text.js';
import { ArrayDataset, type Dataset, type Normalization } from '../../lib/data/dataset.js';
import { DataLoader } from '../../lib/data/loader.js';
import { nativeInfo, setIsa, setNumThreads } from '../../lib/native/bindings.js';
import { augmentImages, mixLabels } from '../../lib/ops/augment.js';
import { tensor } from '../../lib/tensor/create.js';
import { memory, tensorScope } from '../../lib/tensor/scope.js';
import { goldenPath } from '../helpers/golden.js';

interface Case {
  readonly step: Augmentation;
  readonly imageShape: readonly [number, number, number];
  readonly normalization: Normalization;
  readonly key: readonly [seed: number, stream: number, epoch: number];
  readonly indices: readonly number[];
  readonly images: readonly number[];
  readonly expected: readonly number[];
  /** Of mixed images. */
  readonly labels?: readonly number[];
  readonly targets?: readonly number[];
}
const golden: readonly Case[] = JSON.parse(readFileSync(goldenPath('augment.json'), 'utf8'));

function run({ step, key: [seed, stream, epoch], ...item }: Case, dtype: 'float32' | 'float64') {
  return tensorScope(() => {
    const shape = [item.indices.length, ...item.imageShape];
    const values = dtype === 'float64' ? Float64Array.from(item.images) : Float32Array.from(item.images);
    const steps = augmentInstructions('test', [step], item);
    const images = tensor(values, shape, { dtype });
    const indices = tensor(Int32Array.from(item.indices));
    return augmentImages(images, indices, steps, { seed, stream, epoch }).data().slice();
  });
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i] - b[i]));
  return largest;
}

describe('augmentations', () => {
  it.each(golden.map((item, i) => [`${i}: ${JSON.stringify(item.step)}`, item] as const))(
    'are those of numpy and scikit-image, %s',
    (_, item) => {
      // scikit-image works out places from rounded matrices of its own; values are up to 4 and change by up to 4 a pixel.
      expect(largestDifference(run(item, 'float64'), item.expected)).toBeLessThan(1e-9);
      const { isa, supportedIsas } = nativeInfo();
      try {
        let first: ArrayLike<number> | undefined;
        for (const name of supportedIsas) {
          for (const threads of [1, 2, 3]) {
            setIsa(name);
            setNumThreads(threads);
            const result = run(item, 'float32');
            expect(largestDifference(result, item.expected)).toBeLessThan(3e-5); // fractions of pixels in 24 bits, times 4
            first ??= result;
            expect(Buffer.from(result.buffer).equals(Buffer.from((first as Float32Array).buffer))).toBe(true);
          }
        }
      } finally {
        setIsa(isa);
      }
    },
  );
});

/** Images as bytes, in base64. */
interface ByteCase extends Omit<Case, 'images' | 'expected'> {
  readonly bytes: string;
  readonly expected: string;
}
const byteGolden: readonly ByteCase[] = JSON.parse(readFileSync(goldenPath('rand-augment.json'), 'utf8'));

describe('RandAugment', () => {
  it.each(byteGolden.map((item, i) => [`${i}: ${JSON.stringify(item.step)}`, item] as const))(
    'is that of Pillow, byte for byte, %s',
    (_, { bytes, expected: changed, ...rest }) => {
      const { mean, std } = rest.normalization;
      const normalized = (byte: number, i: number) =>
        (byte / 255 - mean[i % mean.length]) / std[i % std.length];
      const expected = [...Buffer.from(changed, 'base64')];
      const item = { ...rest, expected, images: [...Buffer.from(bytes, 'base64')].map(normalized) };
      const toBytes = (values: ArrayLike<number>) =>
        Array.from(values, (value, i) => 255 * (value * std[i % std.length] + mean[i % std.length]));
      expect(largestDifference(toBytes(run(item, 'float64')), expected)).toBeLessThan(1e-9);
      const { isa, supportedIsas } = nativeInfo();
      try {
        for (const name of supportedIsas) {
          for (const threads of [1, 2, 3]) {
            setIsa(name);
            setNumThreads(threads);
            const found = toBytes(run(item, 'float32'));
            expect(largestDifference(found, expected)).toBeLessThan(1e-4); // 255 in 24 bits
          }
        }
      } finally {
        setIsa(isa);
      }
    },
  );
});

describe('mixed labels', () => {
  it.each(
    golden
      .filter(({ labels }) => labels !== undefined)
      .map((item) => [JSON.stringify(item.step), item] as const),
  )(
    'are shares of both classes, %s',
    (_, { step, key: [seed, stream, epoch], imageShape, indices, labels = [], targets = [], ...item }) => {
      const [instruction] = augmentInstructions('test', [step], { imageShape, ...item });
      const found = tensorScope(() => {
        const [own, rows] = [tensor(Int32Array.from(labels)), tensor(Int32Array.from(indices))];
        return mixLabels(own, rows, instruction, imageShape, 3, { seed, stream, epoch }).data().slice();
      });
      expect(largestDifference(found, targets)).toBeLessThan(1e-6);
    },
  );

  it('come with the batches of a loader, and are those of whole images where nothing is mixed', () => {
    for (const [kind, p] of [
      ['mixup', 1],
      ['cutmix', 1],
      ['mixup', 0],
    ] as const) {
      using loader = new DataLoader(numbered(), { batchSize: 4, augment: [{ kind: 'flip' }, { kind, p }] });
      for (const batch of loader) {
        const shares = [...(batch.targets?.data() ?? [])];
        expect(shares).toHaveLength(8);
        for (let i = 0; i < 4; i++) {
          expect(shares[2 * i] + shares[2 * i + 1]).toBeCloseTo(1, 6);
          if (p === 0) expect(shares[2 * i + (batch.indices[i] % 2)]).toBe(1);
        }
        batch.dispose();
      }
    }
    using plain = new DataLoader(numbered(), { augment: [{ kind: 'flip' }] });
    for (const batch of plain) {
      expect(batch.targets).toBeUndefined();
      batch.dispose();
    }
  });
});

/** 12 images whose pixels are their own numbers. */
function numbered(): Dataset {
  return new ArrayDataset({
    images: Uint8Array.from({ length: 12 * 48 }, (_, i) => (i * 7) % 256),
    labels: Array.from({ length: 12 }, (_, i) => i % 2),
    imageShape: [4, 4, 3],
    classNames: ['a', 'b'],
  });
}

const STEPS: readonly Augmentation[] = [
  { kind: 'flip' },
  { kind: 'crop', padding: 2, border: 'reflect' },
  { kind: 'affine', rotate: 20, scale: [0.8, 1.2] },
  { kind: 'elastic', alpha: 2, sigma: 1 },
  { kind: 'jitter', brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.1 },
  { kind: 'randaugment' },
  { kind: 'cutout', size: 2 },
];

/** Each image as it was given out in each epoch. */
function seen(
  options: { batchSize: number; shuffle: boolean; seed?: number },
  epochs = 2,
  from = 0,
): string[][] {
  using loader = new DataLoader(numbered(), { ...options, augment: STEPS });
  loader.state = { epoch: from, batch: 0 };
  return Array.from({ length: epochs }, () => {
    const images: string[] = [];
    for (const batch of loader) {
      const values = batch.images.data();
      batch.indices.forEach((index, i) => {
        images[index] = String(values.slice(48 * i, 48 * (i + 1)));
      });
      batch.dispose();
    }
    return images;
  });
}

describe('a loader that augments', () => {
  it('changes an image by seed, epoch and image alone', () => {
    const all = seen({ batchSize: 5, shuffle: true });
    expect(seen({ batchSize: 1, shuffle: false })).toEqual(all);
    expect(seen({ batchSize: 12, shuffle: true }, 1, 1)).toEqual(all.slice(1));
    expect(new Set(all.flat()).size).toBe(24);
    expect(seen({ batchSize: 5, shuffle: true, seed: 9 }, 1)).not.toEqual(all.slice(0, 1));
  });

  it('shows every image both ways in two epochs where flips alternate', () => {
    using loader = new DataLoader(numbered(), {
      batchSize: 12,
      augment: [{ kind: 'flip', alternate: true }],
    });
    const epochs = Array.from({ length: 4 }, () => {
      const [batch] = [...loader];
      const values = [...batch.images.data()];
      batch.dispose();
      return values;
    });
    expect(epochs[2]).toEqual(epochs[0]);
    expect(epochs[3]).toEqual(epochs[1]);
    const isFlipped = epochs[0].map((value, i) => value !== epochs[1][i]);
    for (let image = 0; image < 12; image++)
      expect(isFlipped.slice(48 * image, 48 * image + 48)).toContain(true);
  });

  it('frees what it makes on the way', () => {
    seen({ batchSize: 5, shuffle: true }, 1);
    const before = memory().tensors;
    seen({ batchSize: 5, shuffle: true }, 3);
    expect(memory().tensors).toBe(before);
  });
});

describe('augment refuses', () => {
  it.each<[unknown, string]>([
    ['flip', 'an array'],
    [[{ kind: 'flop' }], 'one of flip'],
    [['flip'], 'one of flip'],
    [[null], 'one of flip'],
    [[{ kind: 'flip', p: 2 }], 'p from 0 to 1'],
    [[{ kind: 'flip', alternate: 'yes' }], 'alternate'],
    [[{ kind: 'flip', axis: 'diagonal' }], 'axis'],
    [[{ kind: 'crop' }], 'padding'],
    [[{ kind: 'crop', padding: 1.5 }], 'padding'],
    [[{ kind: 'crop', padding: 4, border: 'reflect' }], 'padding'],
    [[{ kind: 'crop', padding: 1, fill: [1] }], 'fill'],
    [[{ kind: 'crop', padding: 1, fill: Number.NaN }], 'fill'],
    [[{ kind: 'crop', padding: 1, mode: 'edge' }], 'only the options'],
    [[{ kind: 'cutout' }], 'size'],
    [[{ kind: 'affine', scale: [0, 1] }], 'scale'],
    [[{ kind: 'affine', scale: [2, 1] }], 'scale'],
    [[{ kind: 'affine', shear: 60 }], 'shear'],
    [[{ kind: 'affine', rotate: '10' }], 'rotate'],
    [[{ kind: 'affine', translate: [0.1] }], 'translate'],
    [[{ kind: 'elastic', alpha: 1 }], 'sigma'],
    [[{ kind: 'elastic', sigma: 1 }], 'alpha'],
    [[{ kind: 'jitter', brightness: -1 }], 'brightness'],
    [[{ kind: 'jitter', hue: 0.6 }], 'hue'],
    [[{ kind: 'randaugment', changes: 0 }], 'changes'],
    [[{ kind: 'randaugment', changes: 2.5 }], 'changes'],
    [[{ kind: 'randaugment', changes: 17 }], 'changes'],
    [[{ kind: 'randaugment', magnitude: 31 }], 'magnitude'],
    [[{ kind: 'randaugment', p: 1 }], 'only the options'],
    [[{ kind: 'mixup', alpha: 0 }], 'alpha'],
    [[{ kind: 'cutmix', alpha: 5 }], 'alpha'],
    [[{ kind: 'mixup' }, { kind: 'cutmix' }], 'one mixup'],
    [new Array(17).fill({ kind: 'flip' }), 'at most 16'],
  ])('%j', (augment, expected) => {
    const before = memory().tensors;
    const make = () => new DataLoader(numbered(), { augment: augment as Augmentation[] });
    expect(make).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT', expected: expect.stringContaining(expected) }),
    );
    expect(memory().tensors).toBe(before);
  });
});

it.each<[Augmentation, number, string]>([
  [{ kind: 'jitter', hue: 0.1 }, 1, 'images of 3 channels for hue'],
  [{ kind: 'randaugment' }, 2, 'images of 1 or 3 channels for randaugment'],
])('%j is not for images of %i channels', (step, channels, expected) => {
  const values = new Array(channels).fill(0.5);
  const set = { imageShape: [4, 4, channels] as const, normalization: { mean: values, std: values } };
  const make = () => augmentInstructions('test', [step], set);
  expect(make).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT', expected }));
});

describe('parseAugment', () => {
  it('reads a line', () => {
    expect(
      parseAugment('flip=alternate, crop=4:reflect,cutout=8,flip,flip=vertical,flip=0.3,elastic=8:4:edge'),
    ).toEqual([
      { kind: 'flip', alternate: true },
      { kind: 'crop', padding: 4, border: 'reflect' },
      { kind: 'cutout', size: 8 },
      { kind: 'flip' },
      { kind: 'flip', axis: 'vertical' },
      { kind: 'flip', p: 0.3 },
      { kind: 'elastic', alpha: 8, sigma: 4, border: 'edge' },
    ]);
    expect(
      parseAugment('rotate=10,scale=0.9:1.1,translate=0.1,shear=5,rotate=3,jitter=0.1:0.2,mixup,cutmix=0.5'),
    ).toEqual([
      { kind: 'affine', rotate: 10, scale: [0.9, 1.1], translate: 0.1, shear: 5 },
      { kind: 'affine', rotate: 3 },
      { kind: 'jitter', brightness: 0.1, contrast: 0.2, saturation: 0.1 },
      { kind: 'mixup', alpha: undefined },
      { kind: 'cutmix', alpha: 0.5 },
    ]);
    expect(parseAugment('randaugment=2:9,randaugment,jitter=0.1:0.2:0.3:0.05')).toEqual([
      { kind: 'randaugment', changes: 2, magnitude: 9 },
      { kind: 'randaugment' },
      { kind: 'jitter', brightness: 0.1, contrast: 0.2, saturation: 0.3, hue: 0.05 },
    ]);
  });

  it.each([
    '',
    'flop',
    'crop',
    'crop=x',
    'crop=4:mirror',
    'flip=',
    'scale=1',
    'cutout=8:1:1',
    'flip;crop=4',
    'randaugment=2:9:1',
    'jitter=1:1:1:1:1',
  ])('refuses %j', (text) => {
    expect(() => parseAugment(text)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
  });
});

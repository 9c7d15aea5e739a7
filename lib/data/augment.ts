// SPDX-License-Identifier: Apache-2.0
// Augmentation: how images are changed at random each time they are trained on, as the user says it and as native code is
// told. Changes are made in the order in which they stand, on normalised images, natively, off JavaScript's thread.
import {
  checkBooleans,
  checkNumber,
  checkOptions,
  checkWhole,
  describe,
  didYouMean,
  fail,
} from '../errors.js';
import type { AugmentInstruction } from '../ops/augment.js';
import type { Dataset } from './dataset.js';

/** What lies beyond an image's edge: a colour, the image in a mirror (without its edge), or its edge. */
export type AugmentBorder = 'fill' | 'reflect' | 'edge';

/** A colour: 'mean' is what becomes 0 when images are normalised; else a pixel value from 0 to 1, or one a channel. */
export type AugmentFill = 'mean' | number | readonly number[];

/** Left and right exchanged, or top and bottom. */
export interface FlipAugmentation {
  readonly kind: 'flip';
  /** How often: default 0.5. */
  readonly p?: number | undefined;
  /**
   * Each image is flipped in every other epoch, half of them in the first one, in place of `p`: all images are seen both ways
   * as early as can be (the alternating flip of airbench, Jordan 2024).
   */
  readonly alternate?: boolean | undefined;
  readonly axis?: 'horizontal' | 'vertical' | undefined;
}

/** The image is shifted by up to `padding` pixels each way: a crop of its own size out of the padded image. */
export interface CropAugmentation {
  readonly kind: 'crop';
  readonly padding: number;
  /** Default 'fill', as in torchvision. */
  readonly border?: AugmentBorder | undefined;
  /** Default 0: black. */
  readonly fill?: AugmentFill | undefined;
}

/** A square is blanked out (DeVries and Taylor, 2017); its middle is any pixel, so that it may reach over the edge. */
export interface CutoutAugmentation {
  readonly kind: 'cutout';
  /** Pixels a side. */
  readonly size: number;
  /** How often: default 1. */
  readonly p?: number | undefined;
  /** Default 'mean'. */
  readonly fill?: AugmentFill | undefined;
}

/** Rotation, shift, scaling and shear, all in one bilinear resampling. Each is drawn evenly from its range. */
export interface AffineAugmentation {
  readonly kind: 'affine';
  /** Up to so many degrees either way. Default 0. */
  readonly rotate?: number | undefined;
  /** Up to such a share of the image's sides either way: one for both, or vertical and horizontal. Default 0. */
  readonly translate?: number | readonly [number, number] | undefined;
  /** From and to. Default [1, 1]. */
  readonly scale?: readonly [number, number] | undefined;
  /** Up to so many degrees either way, below 45: of both axes, or vertical and horizontal. Default 0. */
  readonly shear?: number | readonly [number, number] | undefined;
  /** Default 'fill'. */
  readonly border?: AugmentBorder | undefined;
  /** Default 0: black. */
  readonly fill?: AugmentFill | undefined;
}

/** Elastic deformation (Simard, Steinkraus and Platt, 2003): smooth random displacements. */
export interface ElasticAugmentation {
  readonly kind: 'elastic';
  /** Strength: the noise, from -1 to 1, is smoothed and multiplied by it. */
  readonly alpha: number;
  /** Standard deviation of the smoothing, in pixels; from 0.1 to 64. */
  readonly sigma: number;
  /** Default 'fill'. */
  readonly border?: AugmentBorder | undefined;
  /** Default 0: black. */
  readonly fill?: AugmentFill | undefined;
}

/** Colour jitter: each factor is drawn from 1 - x to 1 + x, and at least 0. In this order; default 0 each. */
export interface JitterAugmentation {
  readonly kind: 'jitter';
  readonly brightness?: number | undefined;
  readonly contrast?: number | undefined;
  readonly saturation?: number | undefined;
  /** The hue (of HSV) is turned by up to that share of the circle either way, at most 0.5; for images of three channels. */
  readonly hue?: number | undefined;
}

/**
 * RandAugment (Cubuk et al., 2020) with torchvision's list of changes and magnitudes: identity, shear, translation and rotation
 * (to the nearest pixel, black beyond the edge), brightness, colour, contrast, sharpness, posterize, solarize, contrast stretched
 * to the full range, equalized histogram. Images become bytes, and each change is Pillow's, byte for byte. For images of one or
 * three channels.
 */
export interface RandAugmentation {
  readonly kind: 'randaugment';
  /** Changes of each image, one after another, from 1 to 16. Default 2. */
  readonly changes?: number | undefined;
  /** From 0, hardly any, to 30. Default 9. */
  readonly magnitude?: number | undefined;
}

/**
 * Each image is blended with that of the mirrored place in its batch, and so are their labels (Zhang et al., 2018). The shares
 * follow Beta(alpha, alpha).
 */
export interface MixupAugmentation {
  readonly kind: 'mixup';
  /** From 0.001 to 4; default 0.2. */
  readonly alpha?: number | undefined;
  /** How often: default 1. */
  readonly p?: number | undefined;
}

/** The same with a box cut out of the other image; labels count by their areas (CutMix: Yun et al., 2019). */
export interface CutmixAugmentation {
  readonly kind: 'cutmix';
  /** From 0.001 to 4; default 1. */
  readonly alpha?: number | undefined;
  /** How often: default 1. */
  readonly p?: number | undefined;
}

/** One change of images. */
export type Augmentation =
  | MixupAugmentation
  | CutmixAugmentation
  | FlipAugmentation
  | CropAugmentation
  | CutoutAugmentation
  | AffineAugmentation
  | ElasticAugmentation
  | JitterAugmentation
  | RandAugmentation;

/** The images that are changed. */
type ImageSet = Pick<Dataset, 'imageShape' | 'normalization'>;

const BORDERS: readonly AugmentBorder[] = ['fill', 'reflect', 'edge']; // in native order
const RADIANS = Math.PI / 180;
const MAX_CHANNELS = 16;
/** More make nothing better, and each is a pass over the batch. */
const MAX_STEPS = 16;

/**
 * What native code is told, for images of this set.
 *
 * Throws ERR_ARGUMENT for anything that is no augmentation of them.
 */
export function augmentInstructions(
  op: string,
  steps: readonly Augmentation[] | undefined,
  set: ImageSet,
): readonly AugmentInstruction[] {
  if (steps === undefined) return [];
  if (!Array.isArray(steps) || steps.length > MAX_STEPS) {
    const received = Array.isArray(steps) ? `${steps.length} of them` : describe(steps);
    throw fail('ERR_ARGUMENT', {
      op,
      expected: `augment as an array of at most ${MAX_STEPS} steps`,
      received,
    });
  }
  const [, , c] = set.imageShape;
  if (steps.length > 0 && c > MAX_CHANNELS) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: `images of at most ${MAX_CHANNELS} channels to augment`,
      received: `${c}`,
    });
  }
  const instructions = steps.map((step) => instructionOf(op, step, set));
  if (instructions.filter(({ instruction }) => instruction === MIX).length > 1) {
    throw fail('ERR_ARGUMENT', { op, expected: 'one mixup or cutmix', received: 'more than one' });
  }
  return instructions;
}

/** The instruction that changes labels, too. */
export const MIX = 'mix_images';

const MAKERS: Readonly<Record<Augmentation['kind'], (check: StepCheck) => AugmentInstruction>> = {
  flip: (check) => {
    checkBooleans(check.op, { alternate: check.value('alternate') as boolean | undefined });
    const vertical = check.oneOf('axis', ['horizontal', 'vertical'], 'horizontal');
    const alternates = check.value('alternate') === true;
    return {
      instruction: 'flip_images',
      numbers: [check.number('p', 0.5, 0, 1), Number(alternates), vertical],
    };
  },
  crop: (check) => {
    const [border, fill] = check.border();
    const [h, w] = check.set.imageShape;
    const most = BORDERS[border] === 'reflect' ? Math.min(h, w) - 1 : 2 ** 20;
    const padding = check.whole('padding', 0, most);
    return { instruction: 'crop_images', numbers: [padding, border, ...fill] };
  },
  cutout: (check) => {
    const size = check.whole('size', 1, 2 ** 20);
    return { instruction: 'cut_out', numbers: [size, check.number('p', 1, 0, 1), ...check.fill('mean')] };
  },
  affine: (check) => {
    const [border, fill] = check.border();
    const rotate = check.number('rotate', 0, 0, 360) * RADIANS;
    const [down, right] = check.pair('translate', 0, 1);
    const [shearY, shearX] = check.pair('shear', 0, 44).map((degrees) => degrees * RADIANS);
    const numbers = [rotate, down, right, ...check.range('scale'), shearX, shearY, border, ...fill];
    return { instruction: 'warp_affine', numbers };
  },
  elastic: (check) => {
    const [border, fill] = check.border();
    const [alpha, sigma] = [
      check.number('alpha', undefined, 0, 2 ** 16),
      check.number('sigma', undefined, 0.1, 64),
    ];
    return { instruction: 'warp_elastic', numbers: [alpha, sigma, border, ...fill] };
  },
  jitter: (check) => {
    const { mean, std } = check.set.normalization;
    const ranges = ['brightness', 'contrast', 'saturation'].map((name) => check.number(name, 0, 0, 100));
    const hue = check.number('hue', 0, 0, 0.5);
    if (hue > 0) check.channels('hue', [3]);
    return { instruction: 'jitter_colours', numbers: [...ranges, hue, ...mean, ...std] };
  },
  randaugment: (check) => {
    check.channels('randaugment', [1, 3]);
    const { mean, std } = check.set.normalization;
    const changes = check.value('changes') === undefined ? 2 : check.whole('changes', 1, 16);
    const numbers = [changes, check.number('magnitude', 9, 0, 30), ...mean, ...std];
    return { instruction: 'rand_augment', numbers };
  },
  mixup: (check) => mixing(check, 0, 0.2),
  cutmix: (check) => mixing(check, 1, 1),
};

function mixing(check: StepCheck, isCut: number, alpha: number): AugmentInstruction {
  const numbers = [isCut, check.number('alpha', alpha, 1e-3, 4), check.number('p', 1, 0, 1)];
  return { instruction: MIX, numbers };
}

const OPTIONS: Readonly<Record<Augmentation['kind'], readonly string[]>> = {
  flip: ['p', 'alternate', 'axis'],
  crop: ['padding', 'border', 'fill'],
  cutout: ['size', 'p', 'fill'],
  affine: ['rotate', 'translate', 'scale', 'shear', 'border', 'fill'],
  elastic: ['alpha', 'sigma', 'border', 'fill'],
  jitter: ['brightness', 'contrast', 'saturation', 'hue'],
  randaugment: ['changes', 'magnitude'],
  mixup: ['alpha', 'p'],
  cutmix: ['alpha', 'p'],
};

/** The kinds of changes. */
export const AUGMENTATION_NAMES = Object.keys(MAKERS) as readonly Augmentation['kind'][];

function instructionOf(op: string, step: Augmentation, set: ImageSet): AugmentInstruction {
  const kind: unknown = Object(step).kind;
  if (!AUGMENTATION_NAMES.includes(kind as Augmentation['kind'])) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: `augment with { kind } one of ${AUGMENTATION_NAMES.join(', ')}`,
      received: describe(kind ?? step),
      hint: didYouMean(kind, AUGMENTATION_NAMES),
    });
  }
  const name = kind as Augmentation['kind'];
  const place = `${op}: augment, ${name}`;
  checkOptions(place, step, ['kind', ...OPTIONS[name]]);
  return MAKERS[name](new StepCheck(place, step as unknown as Readonly<Record<string, unknown>>, set));
}

/** Reads the options of one step. */
class StepCheck {
  readonly op: string;
  readonly set: ImageSet;
  readonly #step: Readonly<Record<string, unknown>>;

  constructor(op: string, step: Readonly<Record<string, unknown>>, set: ImageSet) {
    this.op = op;
    this.#step = step;
    this.set = set;
  }

  value(name: string): unknown {
    return this.#step[name];
  }

  /** A number in a range; without a default it must be there. */
  number(name: string, standard: number | undefined, low: number, high: number): number {
    return checkNumber(this.op, name, (this.value(name) ?? standard) as number, low, high);
  }

  whole(name: string, low: number, high: number): number {
    const value = checkWhole(this.op, name, this.value(name) as number, low);
    return checkNumber(this.op, name, value, low, high);
  }

  /** What is only for images of so many channels. */
  channels(name: string, known: readonly number[]): void {
    const [, , c] = this.set.imageShape;
    if (known.includes(c)) return;
    const expected = `images of ${known.join(' or ')} channels for ${name}`;
    throw fail('ERR_ARGUMENT', { op: this.op, expected, received: `${c}` });
  }

  oneOf(name: string, known: readonly string[], standard: string): number {
    const position = known.indexOf((this.value(name) ?? standard) as string);
    if (position >= 0) return position;
    throw fail('ERR_ARGUMENT', {
      op: this.op,
      expected: `${name} to be one of ${known.join(', ')}`,
      received: describe(this.value(name)),
    });
  }

  /** One number for both, or two. */
  pair(name: string, low: number, high: number): [number, number] {
    const value = this.value(name) ?? 0;
    const both = Array.isArray(value) && value.length === 2 ? value : [value, value];
    return [checkNumber(this.op, name, both[0], low, high), checkNumber(this.op, name, both[1], low, high)];
  }

  /** From and to, both above 0. */
  range(name: string): [number, number] {
    const value = this.value(name) ?? [1, 1];
    const isRange =
      Array.isArray(value) &&
      value.length === 2 &&
      value[0] >= 1e-3 &&
      value[1] <= 1e3 &&
      value[0] <= value[1];
    if (isRange) return [value[0], value[1]];
    const expected = `${name} as [from, to], from 0.001 to 1000`;
    throw fail('ERR_ARGUMENT', { op: this.op, expected, received: describe(value) });
  }

  border(): [border: number, fill: readonly number[]] {
    return [this.oneOf('border', BORDERS, 'fill'), this.fill(0)];
  }

  /** The colour as normalised images have it. */
  fill(standard: AugmentFill): readonly number[] {
    const value = (this.value('fill') ?? standard) as AugmentFill;
    const { mean, std } = this.set.normalization;
    if (value === 'mean') return mean.map(() => 0);
    const colours = Array.isArray(value) ? value : mean.map(() => value);
    if (colours.length !== mean.length) {
      const expected = `fill as 'mean', a pixel value, or ${mean.length} of them`;
      throw fail('ERR_ARGUMENT', { op: this.op, expected, received: describe(value) });
    }
    return colours.map((colour, c) => {
      return (checkNumber(this.op, 'fill', colour as number, -1e6, 1e6) - mean[c]) / std[c];
    });
  }
}

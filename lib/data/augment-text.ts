// SPDX-License-Identifier: Apache-2.0
// Augmentations as one line of text: `flip=alternate,crop=4:reflect,cutout=8`. Steps that resample, one after another, are one
// step: `rotate=10,scale=0.9:1.1,translate=0.1,shear=5`.
import { describe, didYouMean, fail } from '../errors.js';
import type { AffineAugmentation, Augmentation, AugmentBorder } from './augment.js';

type Values = readonly string[];

/** What a name is read as, and how it is written. */
const READERS: Readonly<
  Record<string, { readonly form: string; readonly read: (values: Values) => Augmentation }>
> = {
  flip: {
    form: 'flip, flip=alternate, flip=vertical, flip=0.3',
    read: ([how, ...rest]) => {
      noMore(rest);
      if (how === undefined) return { kind: 'flip' };
      if (how === 'alternate') return { kind: 'flip', alternate: true };
      return how === 'vertical' ? { kind: 'flip', axis: 'vertical' } : { kind: 'flip', p: number(how) };
    },
  },
  crop: {
    form: 'crop=4, crop=4:reflect, crop=4:edge, crop=4:mean',
    read: ([padding, how, ...rest]) => {
      noMore(rest);
      return { kind: 'crop', padding: number(padding), ...beyond(how) };
    },
  },
  cutout: {
    form: 'cutout=8, cutout=8:0.5',
    read: ([size, p, ...rest]) => {
      noMore(rest);
      return { kind: 'cutout', size: number(size), p: p === undefined ? undefined : number(p) };
    },
  },
  rotate: { form: 'rotate=15', read: ([degrees, ...rest]) => affine({ rotate: number(degrees) }, rest) },
  translate: {
    form: 'translate=0.1',
    read: ([share, ...rest]) => affine({ translate: number(share) }, rest),
  },
  scale: {
    form: 'scale=0.9:1.1',
    read: ([from, to, ...rest]) => affine({ scale: [number(from), number(to)] }, rest),
  },
  shear: { form: 'shear=10', read: ([degrees, ...rest]) => affine({ shear: number(degrees) }, rest) },
  elastic: {
    form: 'elastic=8:4',
    read: ([alpha, sigma, how, ...rest]) => {
      noMore(rest);
      return { kind: 'elastic', alpha: number(alpha), sigma: number(sigma), ...beyond(how) };
    },
  },
  jitter: {
    form: 'jitter=0.2, jitter=0.2:0.2:0.2, jitter=0.2:0.2:0.2:0.1',
    read: ([brightness, contrast = brightness, saturation = brightness, hue, ...rest]) => {
      noMore(rest);
      return {
        ...{ kind: 'jitter', brightness: number(brightness) },
        ...{ contrast: number(contrast), saturation: number(saturation) },
        ...(hue === undefined ? {} : { hue: number(hue) }),
      };
    },
  },
  randaugment: {
    form: 'randaugment=2:9, randaugment',
    read: ([changes, magnitude, ...rest]) => {
      noMore(rest);
      return {
        ...{ kind: 'randaugment', changes: changes === undefined ? undefined : number(changes) },
        ...{ magnitude: magnitude === undefined ? undefined : number(magnitude) },
      };
    },
  },
  mixup: {
    form: 'mixup, mixup=0.2',
    read: ([alpha, ...rest]) => {
      noMore(rest);
      return { kind: 'mixup', alpha: alpha === undefined ? undefined : number(alpha) };
    },
  },
  cutmix: {
    form: 'cutmix, cutmix=1',
    read: ([alpha, ...rest]) => {
      noMore(rest);
      return { kind: 'cutmix', alpha: alpha === undefined ? undefined : number(alpha) };
    },
  },
};

/** How each is written, for help texts. */
export const AUGMENT_FORMS: readonly string[] = Object.values(READERS).map(({ form }) => form.split(',')[0]);

/**
 * Reads augmentations from a line of text; ranges are checked where they are used.
 *
 * Throws ERR_ARGUMENT for a name that is none, or values of another form.
 */
export function parseAugment(text: string): Augmentation[] {
  const steps: Augmentation[] = [];
  for (const part of text.split(',')) {
    const [name, ...values] = part.trim().split(/[=:]/);
    const reader = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
    if (reader === undefined) {
      throw fail('ERR_ARGUMENT', {
        op: 'augment',
        expected: `steps like ${AUGMENT_FORMS.join(', ')}`,
        received: describe(part),
        hint: didYouMean(name, Object.keys(READERS)),
      });
    }
    let step: Augmentation;
    try {
      step = reader.read(values);
    } catch (cause) {
      if (!(cause instanceof FormError)) throw cause;
      throw fail('ERR_ARGUMENT', { op: 'augment', expected: reader.form, received: describe(part) });
    }
    const last = steps.at(-1);
    const joins =
      step.kind === 'affine' &&
      last?.kind === 'affine' &&
      Object.keys(step).every((key) => key === 'kind' || !(key in last));
    if (joins) steps[steps.length - 1] = { ...last, ...step } as AffineAugmentation;
    else steps.push(step);
  }
  return steps;
}

/** The values have another form. */
class FormError extends Error {}

function number(text: string | undefined): number {
  const value = Number(text);
  if (text === undefined || text.trim() === '' || !Number.isFinite(value)) throw new FormError();
  return value;
}

function noMore(rest: Values): void {
  if (rest.length > 0) throw new FormError();
}

function affine(options: Omit<AffineAugmentation, 'kind'>, rest: Values): AffineAugmentation {
  noMore(rest);
  return { kind: 'affine', ...options };
}

function beyond(how: string | undefined): { border?: AugmentBorder; fill?: 'mean' } {
  if (how === undefined) return {};
  if (how === 'mean') return { fill: 'mean' };
  if (how === 'reflect' || how === 'edge') return { border: how };
  throw new FormError();
}

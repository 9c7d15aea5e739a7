// SPDX-License-Identifier: Apache-2.0
// How many pictures each class has in each part, and which classes cannot be learnt.
import { describe } from '../errors.js';
import type { PartName, Place } from './layout.js';
import type { Problems } from './problems.js';

/** A class in a part: its folder, or else its first picture, and how many pictures were taken. */
interface Count {
  readonly name: string;
  images: number;
}

/** Something that lies in a class. */
interface Found extends Place {
  readonly name: string;
}

export class ClassCounts {
  readonly #counts = new Map<string, Map<PartName, Count>>();

  /** Takes note of a class, which may have no pictures. */
  add({ part, className, name }: Found): Count {
    const parts = this.#counts.get(className) ?? new Map<PartName, Count>();
    this.#counts.set(className, parts);
    const known = parts.get(part) ?? { name, images: 0 };
    parts.set(part, known);
    return known;
  }

  /** Counts a picture that was taken. */
  count(found: Found): void {
    this.add(found).images += 1;
  }

  /** Those with pictures, sorted by their letters. */
  get names(): string[] {
    return [...this.#counts.keys()].filter((name) => this.#imagesOf(name) > 0).sort();
  }

  /** Pictures of all classes. */
  get images(): number {
    return this.names.reduce((sum, name) => sum + this.#imagesOf(name), 0);
  }

  /** Tells of folders without pictures, and leaves out classes that are tested but not trained. */
  checkNoneEmpty(problems: Problems): void {
    const hasTraining = this.#has('train');
    for (const [className, parts] of this.#counts) {
      const empty = [...parts.values()].filter(({ images }) => images === 0);
      for (const { name } of empty) problems.report('empty class', name);
      if (!hasTraining || (parts.get('train')?.images ?? 0) > 0) continue;
      const [first] = parts.values();
      if (empty.length === 0) {
        problems.report('empty class', first.name, `${describe(className)} has no pictures to train with`);
      }
      this.#leaveOut(className);
    }
  }

  /** Leaves out classes of which nothing would be left to train with when the set is divided. */
  checkDivisible(problems: Problems): void {
    if (this.#has('train') && (this.#has('test') || this.#has('validation'))) return;
    const whole = this.#has('train') ? 'train' : 'all';
    for (const [className, parts] of this.#counts) {
      const { name, images } = parts.get(whole) ?? { name: '', images: 0 };
      if (images !== 1) continue;
      problems.report('one-file class', name);
      this.#leaveOut(className);
    }
  }

  #has(part: PartName): boolean {
    return [...this.#counts.values()].some((parts) => (parts.get(part)?.images ?? 0) > 0);
  }

  #imagesOf(className: string): number {
    const parts = [...(this.#counts.get(className)?.values() ?? [])];
    return parts.reduce((sum, { images }) => sum + images, 0);
  }

  #leaveOut(className: string): void {
    for (const count of this.#counts.get(className)?.values() ?? []) count.images = 0;
  }
}

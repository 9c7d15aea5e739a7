// SPDX-License-Identifier: Apache-2.0
// `folder`: pictures in one folder a class, or in an archive of such folders, decoded into memory.
import { describe, fail } from '../errors.js';
import { checkPath } from '../io/atomic-file.js';
import { ArrayDataset, type Dataset, type Split } from './dataset.js';
import { nameOf } from './image-files.js';
import { type ImageSink, type ReadImagesOptions, readImages, type SinkImage } from './image-source.js';
import type { PartName } from './layout.js';
import type { AnyDataset, AnySplit } from './packed-dataset.js';
import { PixelStatistics } from './pixel-statistics.js';
import type { ImageReport } from './problems.js';
import { classCounts, stratifiedSplit } from './select.js';

/** Pictures to learn from and to be judged on, and what became of the files. */
export interface ImageFolder extends Split {
  readonly report: ImageReport;
}

/**
 * Reads the pictures of a folder, or of a `.tar` or `.tar.gz`, into memory: images `[n, h, w, channels]` of bytes.
 *
 * `path/<class>/<picture>`, where a tenth of each class is set aside to test with; or `path/train/<class>/<picture>` and
 * `path/test/<class>/<picture>` (or validation). Classes are the folders' names, sorted. JPEG, PNG and WebP by their
 * contents; grey, CMYK and 16-bit pictures are converted, and counted. The normalisation is that of the training pictures.
 *
 * Throws ERR_NATIVE_MISSING where sharp, an optional package, is not installed; ERR_FILE for a path that cannot be read;
 * ERR_DATA, naming the file, for one that cannot be used, a class without pictures, or with one of a set that is to be divided
 * (unless `onBad` is 'skip'), for an archive that is damaged, a bomb or contradicts itself, and where no picture is left;
 * ERR_ABORTED, ERR_ARGUMENT.
 */
export async function imageFolder(path: string, options: ReadImagesOptions = {}): Promise<ImageFolder> {
  checkPath('imageFolder', path, 'the path of a folder or archive');
  const parts = new MemoryParts();
  const { imageShape, classNames, report } = await readImages('imageFolder', path, parts, options);
  const datasets = parts.datasets({ name: nameOf(path), imageShape, classNames });
  return { ...splitOf(path, datasets), report };
}

/** What all parts of a set share. */
export interface PartsDescription {
  readonly name: string;
  readonly imageShape: readonly [number, number, number];
  readonly classNames: readonly string[];
}

/** Pictures in memory, by part. */
class MemoryParts implements ImageSink {
  readonly divides = true;
  readonly #parts = new Map<PartName, { readonly pixels: Uint8Array[]; readonly classes: string[] }>();

  add(part: PartName, className: string, { pixels }: SinkImage): void {
    const known = this.#parts.get(part) ?? { pixels: [], classes: [] };
    this.#parts.set(part, known);
    known.pixels.push(pixels);
    known.classes.push(className);
  }

  datasets(description: PartsDescription): Map<PartName, Dataset> {
    const { imageShape, classNames } = description;
    const labelOf = new Map(classNames.map((name, label) => [name, label]));
    const imageSize = imageShape[0] * imageShape[1] * imageShape[2];
    const arrays = [...this.#parts].flatMap(([part, { pixels, classes }]) => {
      const kept = classes.flatMap((name, i) => {
        const label = labelOf.get(name);
        return label === undefined ? [] : [{ label, image: pixels[i] }];
      });
      if (kept.length === 0) return [];
      const images = new Uint8Array(kept.length * imageSize);
      kept.forEach(({ image }, i) => {
        images.set(image, i * imageSize);
      });
      return [{ part, images, labels: Int32Array.from(kept, ({ label }) => label) }];
    });
    const statistics = new PixelStatistics(imageShape[2]);
    const measured = arrays.find(({ part }) => part === 'train' || part === 'all') ?? arrays[0];
    statistics.add(measured.images);
    const { normalization } = statistics;
    return new Map(
      arrays.map(({ part, ...rest }) => [part, new ArrayDataset({ ...description, ...rest, normalization })]),
    );
  }
}

/** Two parts of whatever parts there are. */
export function splitOf(path: string, parts: ReadonlyMap<string, Dataset>): Split;
export function splitOf(path: string, parts: ReadonlyMap<string, AnyDataset>): AnySplit;
export function splitOf(path: string, parts: ReadonlyMap<string, AnyDataset>): AnySplit {
  const train = parts.get('train');
  const test = parts.get('test') ?? parts.get('validation');
  if (train !== undefined && test !== undefined) return { train, test };
  const whole = train ?? parts.get('all');
  if (whole === undefined) {
    throw fail('ERR_DATA', {
      op: `reading ${path}`,
      expected: 'pictures to train with',
      received: `only ${[...parts.keys()].join(' and ')}`,
      hint: 'put them into a folder train beside it',
    });
  }
  const single = classCounts(whole).indexOf(1);
  if (single >= 0) {
    throw fail('ERR_DATA', {
      op: `reading ${path}`,
      expected: 'at least two samples of each class, one of them to test with',
      received: `one of ${describe(whole.classNames[single])}`,
      hint: 'add a picture, leave the class away, or make parts train and test',
    });
  }
  const [rest, share] = stratifiedSplit(whole, { fraction: 0.1 });
  return { train: rest, test: share };
}

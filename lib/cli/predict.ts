// SPDX-License-Identifier: Apache-2.0
// `receptive predict`: what a saved model sees on pictures.
import { loadSharp } from '../data/sharp.js';
import { setNumThreads } from '../native/bindings.js';
import { type Prediction, predict } from '../train/predict.js';
import type { TtaName } from '../train/tta.js';
import { percent } from './format.js';
import { type Invert, readPicture } from './image.js';
import { type LoadedModel, loadModel } from './model-file.js';
import type { Priority } from './options.js';
import { Output, type OutputFlags } from './output.js';

/** The options as program.ts reads them. */
export interface PredictFlags extends OutputFlags {
  readonly invert: Invert;
  readonly tta?: TtaName;
  readonly threads?: number;
  readonly priority?: Priority;
  readonly cpuShare?: number;
}

const SHOWN = 3; // classes an image
const BAR = 24;

export async function predictCommand(
  path: string,
  images: readonly string[],
  flags: PredictFlags,
): Promise<number> {
  const output = new Output(flags);
  if (flags.threads !== undefined) setNumThreads(flags.threads);
  const loaded = await loadModel(path);
  const { inputShape, normalization } = loaded;
  const sharp = await loadSharp('predict');
  // Training pictures that are dark on average show bright figures on a dark ground.
  const options = { invert: flags.invert, inkIsBright: normalization.mean[0] < 0.5 };
  const [h, w, c] = inputShape;
  const pixels = new Uint8Array(images.length * h * w * c);
  const inverted: boolean[] = [];
  for (const [i, image] of images.entries()) {
    const picture = await readPicture(sharp, image, inputShape, options);
    pixels.set(picture.pixels, i * h * w * c);
    inverted.push(picture.inverted);
  }
  const prediction = await predict(loaded.model, pixels, {
    ...{ imageShape: inputShape, normalization, tta: flags.tta },
    ...{ priority: flags.priority, cpuShare: flags.cpuShare },
  });
  images.forEach((image, i) => {
    show(output, image, inverted[i], ranking(prediction, loaded, i));
  });
  output.json({
    model: path,
    predictions: images.map((image, i) => {
      const [best] = ranking(prediction, loaded, i);
      const all = Object.fromEntries(
        ranking(prediction, loaded, i).map(({ name, probability }) => [name, probability]),
      );
      return {
        image,
        class: best.name,
        probability: best.probability,
        inverted: inverted[i],
        probabilities: all,
      };
    }),
  });
  return 0;
}

interface Ranked {
  readonly name: string;
  readonly probability: number;
}

/** The classes of one image, the most probable first. */
function ranking({ probabilities, shape }: Prediction, { classNames }: LoadedModel, image: number): Ranked[] {
  const classes = shape[1];
  return Array.from(probabilities.subarray(image * classes, (image + 1) * classes), (probability, i) => ({
    name: classNames[i] ?? `(${i})`,
    probability,
  })).sort((a, b) => b.probability - a.probability);
}

function show(output: Output, image: string, inverted: boolean, ranked: readonly Ranked[]): void {
  const { bold, dim, cyan } = output.colors;
  const [best] = ranked;
  const note = inverted ? dim('   (dark and light swapped)') : '';
  output.line(`${image}: ${bold(best.name)} ${percent(best.probability, 1)}${note}`);
  if (output.isQuiet) return;
  const shown = ranked.slice(0, SHOWN);
  const width = Math.max(...shown.map(({ name }) => name.length));
  for (const { name, probability } of shown) {
    const filled = Math.round(probability * BAR);
    const bar = cyan('█'.repeat(filled)) + dim('░'.repeat(BAR - filled));
    output.line(`  ${name.padStart(width)} ${bar} ${percent(probability, 1).padStart(7)}`);
  }
}

// SPDX-License-Identifier: Apache-2.0
// The images with the largest loss, as pictures in the page.
import { type AnyDataset, PackedDataset } from '../data/packed-dataset.js';
import type { WorstSample } from '../train/worst-samples.js';
import { percent } from '../viz/format.js';
import { pngOf } from '../viz/png.js';
import { type Html, html } from './html.js';
import { className } from './tables.js';

/** A picture for each sample, with what it is and what it was taken for. */
export function pictureList(samples: readonly WorstSample[], dataset: AnyDataset): Html {
  return html`<ul class="pictures">
${samples.map((sample) => html`${picture(sample, dataset)}\n`)}</ul>`;
}

function picture(
  { index, label, predicted, loss, probability, labelProbability }: WorstSample,
  dataset: AnyDataset,
): Html {
  const [truth, answer] = [label, predicted].map((c) => className(dataset.classNames, c));
  const png = pngOf(imageAt(dataset, index), dataset.imageShape).toString('base64');
  const kind = label === predicted ? 'good' : 'bad';
  return html`<li><img src="data:image/png;base64,${png}" alt="${truth}, taken for ${answer}">
<span class="${kind}"><b title="${answer}">${answer}</b> ${percent(probability, 1)}</span>
<span><b title="${truth}">is ${truth}</b> ${percent(labelProbability, 1)}</span>
<span class="loss"><i>image ${index}</i> <i>loss ${loss.toFixed(2)}</i></span></li>`;
}

function imageAt(dataset: AnyDataset, index: number): Uint8Array | Float32Array {
  if (dataset instanceof PackedDataset) return dataset.imageAt(index);
  const [h, w, c] = dataset.imageShape;
  return dataset.images.subarray(index * h * w * c, (index + 1) * h * w * c);
}

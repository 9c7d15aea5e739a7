// SPDX-License-Identifier: Apache-2.0
// The page of a report: one file that needs nothing else, neither a network nor scripts.
import type { AnyDataset } from '../data/packed-dataset.js';
import { version } from '../native/version.js';
import type { LayerSummary } from '../nn/summary.js';
import type { Evaluation } from '../train/evaluate.js';
import type { FitResult } from '../train/fit.js';
import { curvesInPage } from '../viz/curves.js';
import { count, duration, percent, plural } from '../viz/format.js';
import { confusionTable } from './confusion-table.js';
import { Html, html } from './html.js';
import { pictureList } from './pictures.js';
import { STYLE } from './style.js';
import { classTable, configTable, historyTable, layerTable } from './tables.js';

/** What a page tells of a training. */
export type ReportedResult = Pick<FitResult, 'history' | 'curve' | 'steps' | 'seconds' | 'imagesPerSecond'> &
  Partial<Pick<FitResult, 'aborted' | 'stoppedEarly' | 'bestEpoch' | 'resumedAt'>>;

/** What there is to tell; sections without anything are left out. */
export interface PageInput {
  readonly title: string;
  /** What the set is called that is measured after each epoch. */
  readonly validationName: string;
  readonly result?: ReportedResult | undefined;
  readonly evaluation?: Evaluation | undefined;
  /** The set that `evaluation` is of. */
  readonly test?: AnyDataset | undefined;
  readonly layers?: readonly LayerSummary[] | undefined;
  readonly config?: Readonly<Record<string, unknown>> | undefined;
}

/** The HTML of a report. */
export async function pageOf(input: PageInput): Promise<string> {
  const { title, result, evaluation, test, layers, config, validationName } = input;
  const sections = [
    result && (await curves(result, validationName)),
    evaluation &&
      test &&
      html`<h2>Confusion matrix</h2>
${confusionTable(evaluation.confusion, test.classNames)}`,
    evaluation &&
      test &&
      html`<h2>Classes</h2>
${classTable(evaluation.confusion, test.classNames)}`,
    evaluation?.worst &&
      test &&
      html`<h2>Largest losses</h2>
<p class="quiet">Test images on which the model loses most: what it took them for and what they are, with the probability of each.</p>
${pictureList(evaluation.worst, test)}`,
    result && result.history.length > 0
      ? html`<h2>Epochs</h2>
${historyTable(result.history, validationName)}`
      : undefined,
    layers &&
      html`<h2>Model</h2>
${layerTable(layers)}`,
    config &&
      html`<h2>Configuration</h2>
${configTable(config)}`,
  ];
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${title}</h1>
<p class="quiet">${subtitle(result)}</p>
${facts(input)}
${sections.map((section) => (section === undefined ? undefined : html`<section>\n${section}\n</section>\n`))}
</body>
</html>
`;
  return page.text;
}

function subtitle(result: ReportedResult | undefined): string {
  const made = `receptive ${version}, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  if (result?.aborted) return `Stopped after ${plural(result.steps, 'step')}. ${made}`;
  if (result?.stoppedEarly) return `Ended early; the weights are those of epoch ${result.bestEpoch}. ${made}`;
  return made;
}

/** The figures that are asked for first. */
function facts({ result, evaluation, layers }: PageInput): Html {
  const parameters = layers?.reduce((sum, layer) => sum + layer.parameters, 0);
  const all: [name: string, value: string | undefined][] = [
    ['test accuracy', evaluation && percent(evaluation.accuracy)],
    ['test loss', evaluation?.loss.toFixed(4)],
    ['test images', evaluation && count(evaluation.images)],
    ...Object.entries(evaluation?.metrics ?? {}).flatMap(([name, value]): [string, string][] =>
      typeof value === 'number' ? [[name, percent(value)]] : [],
    ),
    ['training time', result && duration(result.seconds)],
    ['images/s', result && count(result.imagesPerSecond)],
    ['epochs', result && count(result.history.length)],
    ['steps', result && count(result.steps)],
    ['parameters', parameters === undefined ? undefined : count(parameters)],
  ];
  const known = all.filter(([, value]) => value !== undefined);
  return html`<dl class="facts">
${known.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>`;
}

async function curves({ history, curve }: ReportedResult, validationName: string): Promise<Html | undefined> {
  if (curve.length < 2) return undefined;
  const panels = await curvesInPage({ title: '', points: curve, history, validationName });
  return html`<h2>Curves</h2>
<div class="curves">${panels.map((svg) => html`<figure style="margin:0">${new Html(svg)}</figure>`)}</div>`;
}

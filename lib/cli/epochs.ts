// SPDX-License-Identifier: Apache-2.0
// A training as it is watched: a bar while an epoch runs and a line when it is over. Where no one watches, lines only.
import cliProgress from 'cli-progress';
import type { CheckpointReport } from '../train/checkpoint-options.js';
import type { HistoryRow, ProgressReport } from '../train/progress.js';
import { count, duration, percent } from './format.js';
import type { Output } from './output.js';

const LINE_INTERVAL = 10_000; // ms between two lines within a long epoch
const MIN_BAR = 5;
const MAX_BAR = 30;

/** What stands around the bar, and the most characters that it takes; the first that leaves room for the bar. */
const FORMATS = [
  {
    text: '{epoch}  {bar} {percentage} %   loss {loss}   accuracy {accuracy}   {rate} images/s   {left} left',
    width: 90,
  },
  {
    text: '{epoch} {bar} {percentage} %  loss {loss}  {accuracy}  {rate} images/s  {left} left',
    width: 75, // so that a terminal of 80 columns shows the time left
  },
];

/** Shows the epochs of one training. */
export class EpochDisplay {
  readonly #output: Output;
  readonly #epochs: number | undefined;
  readonly #stop: AbortSignal;
  readonly #watched: string;
  #bar: cliProgress.SingleBar | undefined;
  #lastLine = performance.now();

  /**
   * @param epochs nothing where the time ends the training
   * @param stop ends the display: what the last steps report afterwards is not shown
   * @param watched what the images are called that are measured after each epoch
   */
  constructor(output: Output, epochs: number | undefined, stop: AbortSignal, watched = 'test') {
    this.#output = output;
    this.#epochs = epochs;
    this.#stop = stop;
    this.#watched = watched;
    stop.addEventListener('abort', () => this.clear(), { once: true });
  }

  /** Takes what `fit` reports about ten times a second. */
  onProgress(report: ProgressReport): void {
    if (this.#output.isQuiet || this.#stop.aborted) return;
    const parts = {
      epoch: this.#name(report.epoch),
      loss: report.loss.toFixed(4),
      accuracy: percent(report.accuracy),
      rate: count(report.imagesPerSecond),
      left: duration(report.secondsLeft),
    };
    if (this.#output.isTerminal) {
      this.#bar ??= this.#newBar(report.batches, parts);
      this.#bar.update(report.batch, parts);
      return;
    }
    const now = performance.now();
    if (now - this.#lastLine < LINE_INTERVAL || report.batch === report.batches) return;
    this.#lastLine = now;
    const share = percent(report.batch / report.batches, 0).padStart(5);
    this.#output.progress(
      `${parts.epoch}  ${share}   loss ${parts.loss}   accuracy ${parts.accuracy}   ` +
        `${parts.rate} images/s   ${parts.left} left`,
    );
  }

  /** Takes the row of a finished epoch. */
  onEpoch(row: HistoryRow): void {
    this.clear();
    this.#lastLine = performance.now();
    const { dim } = this.#output.colors;
    const test =
      row.valLoss === undefined || row.valAccuracy === undefined
        ? ''
        : `  ${this.#watched} ${row.valLoss.toFixed(4)} ${percent(row.valAccuracy).padStart(8)}`;
    this.#output.progress(
      `${this.#name(row.epoch)}  loss ${row.loss.toFixed(4)} ${percent(row.accuracy).padStart(8)}${test}  ` +
        dim(`${count(row.imagesPerSecond)} images/s  ${duration(row.seconds)}`),
    );
  }

  /** Says where the training goes on, and what went wrong with its checkpoints, which standard error is told in any case. */
  onCheckpoint({ event, path, step, message }: CheckpointReport): void {
    if (event === 'saved') return;
    this.clear();
    if (event === 'resumed') this.#output.progress(`going on after step ${count(step)}, from ${path}\n`);
    else process.stderr.write(`receptive: warning: ${message}\n`);
  }

  /** Takes the bar away, so that other lines can be written. */
  clear(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  #name(epoch: number): string {
    if (this.#epochs === undefined) return `epoch ${epoch}`;
    return `epoch ${String(epoch).padStart(String(this.#epochs).length)}/${this.#epochs}`;
  }

  #newBar(batches: number, parts: object): cliProgress.SingleBar {
    const columns = this.#output.stream.columns ?? 80;
    const format = FORMATS.find(({ width }) => width + MIN_BAR <= columns) ?? FORMATS[1];
    const bar = new cliProgress.SingleBar({
      format: format.text,
      stream: this.#output.stream,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: Math.max(MIN_BAR, Math.min(MAX_BAR, columns - format.width)),
      fps: 12,
      gracefulExit: false, // the first Ctrl-C is ours: it ends the training, and the bar with it
      clearOnComplete: true,
      linewrap: false,
      autopadding: true,
    });
    bar.start(batches, 0, parts);
    return bar;
  }
}

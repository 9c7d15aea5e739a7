// SPDX-License-Identifier: Apache-2.0
// The checkpoints of one training: where it goes on from, when the next is due, and the writing behind the steps that follow.
import { resolve } from 'node:path';
import { fail, ReceptiveError } from '../errors.js';
import type { SafetensorsFile } from '../io/safetensors.js';
import { sealedParts } from '../io/sealed-file.js';
import { CheckpointFolder, type CheckpointName } from './checkpoint-folder.js';
import { type CheckpointReport, isBetter, type Keeping } from './checkpoint-options.js';
import { type Best, decodeNumbers, type Progress } from './checkpoint-shape.js';
import {
  changedSettings,
  restoreState,
  type StatefulParts,
  type TrainingState,
  takeState,
} from './checkpoint-state.js';
import type { HistoryRow } from './progress.js';

const isSameFolder = (a: string | undefined, b: string | undefined) =>
  a !== undefined && b !== undefined && resolve(a) === resolve(b);

/** Keeps one training. */
export class Checkpoints {
  readonly #keeping: Keeping;
  readonly #parts: StatefulParts;
  readonly #folder: CheckpointFolder | undefined;
  #best: Best | null = null;
  #writing: Promise<void> | undefined;
  #failure: { readonly thrown: unknown } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isTime = false;
  #pause = () => {};

  private constructor(keeping: Keeping, parts: StatefulParts) {
    this.#keeping = keeping;
    this.#parts = parts;
    this.#folder = keeping.dir === undefined ? undefined : new CheckpointFolder(keeping.dir);
  }

  /**
   * Goes on from the newest checkpoint, if that was asked for and there is one, and makes the folder ready for those to come.
   *
   * @returns them, and how far the training was
   *
   * Throws ERR_DATA for checkpoints that are all damaged, or of another training; ERR_FILE.
   */
  static async open(
    keeping: Keeping,
    parts: StatefulParts,
  ): Promise<{ checkpoints: Checkpoints; progress: Progress | undefined }> {
    const checkpoints = new Checkpoints(keeping, parts);
    const { dir, resumeFrom } = keeping;
    const progress = resumeFrom === undefined ? undefined : await checkpoints.#resume(resumeFrom);
    if (!isSameFolder(dir, resumeFrom) || progress === undefined) await checkpoints.#begin();
    else await checkpoints.#folder?.prepare();
    return { checkpoints, progress };
  }

  async #resume(from: string): Promise<Progress | undefined> {
    const { tell } = this.#keeping;
    const found = await new CheckpointFolder(from).newest((name, error) => {
      tell({ event: 'damaged', ...name, message: error.message, error });
    });
    if (found === undefined) return undefined;
    const { path, step } = found;
    const { progress, best, settings } = restoreState(this.#parts, found);
    const changed = changedSettings(this.#parts.settings, settings);
    if (changed.length > 0) {
      const message = `checkpoint ${path}: this training goes on with other options: ${changed.join('; ')}`;
      tell({ event: 'changed', path, step, message });
    }
    this.#best = isSameFolder(from, this.#keeping.dir) ? best : null;
    tell({ event: 'resumed', path, step });
    return progress;
  }

  /** A training that begins: checkpoints of a finished one go, those of any other are refused. */
  async #begin(): Promise<void> {
    const folder = this.#folder;
    if (folder === undefined) return;
    await folder.prepare();
    const [newest] = await folder.list();
    if (newest === undefined) return;
    if (!(await isFinished(folder, newest))) throw folder.refuseUnfinished(newest);
    await folder.clear();
  }

  /** The clock begins. @param pause asks for the end of the steps under way, for a checkpoint that is due by time */
  start(pause: () => void): void {
    this.#pause = pause;
    const { everySeconds } = this.#keeping;
    if (this.#folder === undefined || everySeconds === undefined) return;
    this.#timer = setInterval(() => {
      this.#isTime = true;
      pause();
    }, 1000 * everySeconds).unref();
  }

  /** Steps that may be done in one go after `step`. */
  stepsAfter(step: number): number {
    const { everySteps } = this.#keeping;
    return this.#folder === undefined || everySteps === undefined
      ? Infinity
      : everySteps - (step % everySteps);
  }

  /** Whether one is due within an epoch, after so many steps. */
  isDue(step: number): boolean {
    if (this.#failure !== undefined || this.#isTime) return true;
    return this.stepsAfter(step) === this.#keeping.everySteps;
  }

  /** After a step of an epoch, while none is running. Throws what went wrong where the training is to stop for it. */
  async afterStep(progress: () => Progress, step: number): Promise<void> {
    this.#throwFailure();
    if (this.isDue(step)) await this.#save(progress(), false);
  }

  /** After an epoch: one that is due anyway, or the best, which is never left out. */
  async afterEpoch(progress: () => Progress, step: number, row: HistoryRow): Promise<void> {
    this.#throwFailure();
    const { best, everySteps, everySeconds } = this.#keeping;
    if (best !== undefined) await this.#writing; // which says whether the best so far is on the disk
    if (best !== undefined && isBetter(row, best, this.#best?.value)) {
      const before = this.#best;
      this.#best = { step, value: row[best] as number };
      await this.#save(progress(), true, false, before);
    } else if (this.isDue(step) || (everySteps === undefined && everySeconds === undefined)) {
      await this.#save(progress(), false);
    }
  }

  /** The last one, on whose writing is waited. */
  async afterAll(progress: Progress, finished: boolean): Promise<void> {
    await this.#save(progress, true, finished);
    await this.#writing;
    this.#throwFailure();
  }

  /** Ends the clock, and waits for what is being written. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
  }

  /** Takes the state and writes it behind the steps to come. */
  async #save(
    progress: Progress,
    waits: boolean,
    finished = false,
    before = this.#best, // the best again, should this one fail
  ): Promise<void> {
    if (this.#folder === undefined || (this.#writing !== undefined && !waits)) return;
    await this.#writing;
    this.#throwFailure();
    this.#isTime = false;
    const path = this.#folder.fileOf(progress.step);
    try {
      const state = await takeState(this.#parts, progress, { finished, best: this.#best });
      this.#writing = this.#write(this.#folder, progress.step, state, before).finally(() => {
        this.#writing = undefined;
      });
    } catch (error) {
      this.#best = before;
      this.#fail(path, progress.step, error);
    }
  }

  async #write(
    folder: CheckpointFolder,
    step: number,
    { tensors, metadata }: TrainingState,
    before: Best | null,
  ): Promise<void> {
    const path = folder.fileOf(step);
    try {
      await folder.write(step, await sealedParts(tensors, metadata)).catch((error: unknown) => {
        this.#best = before;
        throw error;
      });
      await folder.prune(this.#keeping.keep, this.#best?.step);
      this.#tell({ event: 'saved', path, step });
    } catch (error) {
      this.#fail(path, step, error);
    }
  }

  #fail(path: string, step: number, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (this.#keeping.stops || !(error instanceof ReceptiveError)) this.#stop(error);
    this.#tell({ event: 'failed', path, step, message, error });
  }

  /** A listener that throws ends the training, as one of steps does. */
  #tell(report: CheckpointReport): void {
    try {
      this.#keeping.tell(report);
    } catch (thrown) {
      this.#stop(thrown);
    }
  }

  #stop(thrown: unknown): void {
    this.#failure ??= { thrown };
    this.#pause();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.thrown;
  }
}

/** Whether a checkpoint is whole, and that of the end of a training. */
async function isFinished(folder: CheckpointFolder, { path }: CheckpointName): Promise<boolean> {
  let file: SafetensorsFile | undefined;
  try {
    file = (
      await folder.newest(() => {
        throw fail('ERR_DATA', { op: 'checkpoint', expected: 'a whole checkpoint', received: path });
      })
    )?.file;
    return file !== undefined && decodeNumbers(file.metadata, path).finished;
  } catch (error) {
    if (error instanceof ReceptiveError && error.code === 'ERR_DATA') return false;
    throw error;
  }
}

// SPDX-License-Identifier: Apache-2.0
// `receptive search`: tries the networks of a space, and leaves the log, tables, a picture and the best of them.
import type { Dataset } from '../data/dataset.js';
import { loadDataset } from '../data/registry.js';
import { stratifiedSplit } from '../data/select.js';
import { fail } from '../errors.js';
import { weightsSha256 } from '../io/weights.js';
import { nativeInfo, setNumThreads } from '../native/bindings.js';
import { version } from '../native/version.js';
import { layersText, trainingText } from '../search/candidate.js';
import {
  type SearchResult,
  type StrategyName,
  searchIn,
  type TrialReport,
  type TrialResult,
} from '../search/search.js';
import { trainTrial } from '../search/trial-training.js';
import { evaluate } from '../train/evaluate.js';
import { searchSvg } from '../viz/search.js';
import { downloadLine } from './download-line.js';
import { drawingLine } from './drawing-line.js';
import { count, duration, percent, plural } from './format.js';
import { SEARCHED, saveModel } from './model-file.js';
import { checkDataDir } from './options.js';
import { Output, type OutputFlags } from './output.js';
import { RunFolder } from './run-folder.js';
import { effectsTable, notesOf, searchText, trialsTable } from './search-report.js';
import { loadSpace, spaceOf } from './search-space-file.js';
import { StopRequest } from './stop.js';

/** The options as program.ts reads them. */
export interface SearchFlags extends OutputFlags {
  readonly data: string;
  readonly dataDir?: string;
  readonly trainSize?: number;
  readonly testSize?: number;
  readonly strategy: StrategyName;
  readonly trials?: number;
  readonly epochs?: number;
  readonly validation: number;
  readonly seed: number;
  readonly threads?: number;
  readonly out?: string;
  readonly resume?: boolean;
}

const SHOWN = 10; // rows of each table in the terminal

interface Job {
  readonly flags: SearchFlags;
  readonly output: Output;
  readonly train: Dataset;
  readonly validation: Dataset;
  readonly test: Dataset;
  readonly folder: RunFolder;
  readonly stop: StopRequest;
}

export async function searchCommand(path: string, flags: SearchFlags): Promise<number> {
  const output = new Output(flags);
  if (flags.threads !== undefined) setNumThreads(flags.threads);
  const { space, written } = await loadSpace(path);
  const folder = await RunFolder.open(flags.out ?? `runs/search-${flags.data}`);
  using stop = new StopRequest(() => {
    process.stderr.write('\nstopping after this step; press Ctrl-C again to quit at once\n');
  });
  try {
    const { data, dataDir, trainSize, testSize, seed, strategy, trials, epochs, resume } = flags;
    checkDataDir(data, dataDir);
    const [onProgress, onDraw] = [downloadLine(output), drawingLine(output)];
    const sizes = { dataDir, trainSize, testSize, seed };
    const split = await loadDataset(data, { ...sizes, signal: stop.signal, onProgress, onDraw });
    const [train, validation] = stratifiedSplit(split.train, { fraction: flags.validation, seed });
    const job: Job = { flags, output, train, validation, test: split.test, folder, stop };
    sayWhat(job, path);
    const started = performance.now();
    const result = await searchIn(path, space, written, {
      ...{ train, validation, strategy, trials, epochs, seed, resume },
      log: folder.file('trials.jsonl'),
      signal: stop.signal,
      onTrial: (report) => sayTrial(output, report),
    });
    const seconds = (performance.now() - started) / 1000;
    return await finish(job, path, result, seconds);
  } catch (error) {
    await folder.abandon();
    if (stop.exitCode === undefined) throw error;
    process.stderr.write('receptive: stopped before the search began\n');
    return stop.exitCode;
  }
}

function sayWhat({ flags, output, train, validation, test }: Job, path: string): void {
  const { bold, dim } = output.colors;
  const { isa, threads } = nativeInfo();
  output.progress(
    `searching ${bold(path)} on ${bold(flags.data)}: ${count(train.length)} training, ` +
      `${count(validation.length)} validation and ${plural(test.length, 'test image')}`,
  );
  const settings = [`${isa}, ${plural(threads, 'thread')}`, flags.strategy, `seed ${flags.seed}`];
  output.progress(dim(settings.join('  ·  ')));
  output.progress();
}

function sayTrial(output: Output, { record, done, total, isFromLog }: TrialReport): void {
  const { dim } = output.colors;
  const { trial, epochs, score, loss, failure, seconds } = record;
  const outcome =
    score === undefined ? `failed: ${failure}` : `${percent(score).padStart(8)}  loss ${loss?.toFixed(4)}`;
  const time = isFromLog ? 'from the log' : duration(seconds);
  output.progress(
    `${String(done).padStart(String(total).length)}/${total}  trial ${trial}, ${plural(epochs, 'epoch')}  ` +
      `${outcome}  ${dim(time)}`,
  );
}

async function finish(job: Job, path: string, result: SearchResult, seconds: number): Promise<number> {
  const { flags, output, folder, stop } = job;
  const { best, baseline, effects } = result;
  if (result.aborted) {
    output.line(`stopped after ${plural(result.trials.length, 'trial')}; --resume goes on with them`);
    output.json({ stopped: true, trials: result.trials.length, out: folder.path });
    return stop.exitCode ?? 1;
  }
  if (best === undefined) {
    throw fail('ERR_NUMERICS', {
      op: 'search',
      expected: 'a trial that can be trained to the end',
      received: `${plural(result.failed, 'failure')}, such as: ${result.trials[0]?.failure}`,
      hint: 'smaller learning rates usually help',
    });
  }
  const width = output.stream.columns ?? 160;
  const { bold, dim } = output.colors;
  output.progress();
  for (const [i, line] of trialsTable(result.trials.slice(0, SHOWN), width).entries()) {
    output.progress(i === 0 ? dim(line) : line);
  }
  output.progress();
  for (const [i, line] of effectsTable(effects.slice(0, SHOWN), width).entries()) {
    output.progress(i === 0 ? dim(line) : line);
  }
  for (const note of notesOf(result)) output.progress(dim(note));
  output.progress();
  const tested = await testBest(job, best);
  if (tested === undefined) return stop.exitCode ?? 1;
  const records = await writeFiles(job, path, result, tested);
  output.line(`best: trial ${best.trial}, validation ${bold(percent(best.score ?? 0))}${beside(baseline)}`);
  output.line(`      ${layersText(best.layers)}`);
  output.line(`      ${trainingText(best.training)}`);
  output.line(`test accuracy ${bold(percent(tested.accuracy))}, loss ${tested.loss.toFixed(4)}`);
  output.line(`searched in ${duration(seconds)}; ${bold(folder.path)} has ${records.join(', ')}`);
  output.json({
    ...{ score: best.score, testAccuracy: tested.accuracy, testLoss: tested.loss, trial: best.trial },
    ...{ values: best.values, parameters: best.parameters, weightsSha256: tested.weightsSha256 },
    ...{ baselineScore: baseline?.score ?? null, trials: result.trials.length, failed: result.failed },
    ...{ skipped: result.skipped.count, strategy: flags.strategy, seed: flags.seed, seconds },
    ...{ stopped: false, out: folder.path },
  });
  return 0;
}

const beside = (baseline: TrialResult | undefined) =>
  baseline?.score === undefined
    ? ''
    : `, baseline ${percent(baseline.score)} after ${plural(baseline.epochs, 'epoch')}`;

/** The best is trained once more, to the same weights, and sees the test images for the first time; nothing if stopped. */
async function testBest({ flags, output, train, validation, test, folder, stop }: Job, best: TrialResult) {
  output.progress(`training trial ${best.trial} again, to save it`);
  const { epochs } = best;
  const { model, result } = await trainTrial(best, {
    ...{ train, validation, epochs, seed: flags.seed, signal: stop.signal },
  });
  try {
    if (result.aborted) return undefined;
    const sha = weightsSha256(model);
    if (sha !== best.weightsSha256) {
      throw fail('ERR_DATA', {
        op: 'search',
        expected: `the weights of trial ${best.trial}, ${best.weightsSha256}`,
        received: sha,
        hint: 'the log comes from another machine or version: search again in another folder',
      });
    }
    const network = JSON.stringify(JSON.parse(spaceOf(best)));
    await saveModel(folder.file('best.safetensors'), {
      modelName: SEARCHED,
      model,
      dataset: train,
      flags,
      network,
    });
    const { accuracy, loss } = await evaluate(model, test, { signal: stop.signal });
    return { accuracy, loss, weightsSha256: sha };
  } catch (error) {
    if (stop.exitCode !== undefined) return undefined;
    throw error;
  } finally {
    model.dispose();
  }
}

/** Writes tables, picture, the best trial as a space, and all of it for programs. Returns the names of the files. */
async function writeFiles(
  { flags, folder }: Job,
  path: string,
  result: SearchResult,
  tested: { accuracy: number; loss: number },
): Promise<string[]> {
  const { best, baseline, effects, scores, trials, rounds, skipped } = result;
  const title = `${trials.length} trials of ${path} on ${flags.data}`;
  const files: [name: string, contents: string][] = [
    ['trials.txt', searchText(result, title)],
    ['best.json', spaceOf(best as TrialResult)],
    [
      'search.json',
      `${JSON.stringify({ version, ...flags, rounds, skipped, tested, effects, trials }, null, 1)}\n`,
    ],
  ];
  if (effects.length > 0) {
    const picture = { title, effects, scores, best: best?.trial, baseline: baseline?.trial };
    files.push(['search.svg', await searchSvg(picture)]);
  }
  for (const [name, contents] of files) await folder.write(name, contents);
  return ['trials.jsonl', 'best.safetensors', ...files.map(([name]) => name)];
}

// SPDX-License-Identifier: Apache-2.0
// Whole searches: they find what is better, the same for the same seed, and go on after whatever ended them.
import { readFileSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { searchText } from '../../lib/cli/search-report.js';
import {
  fit,
  glyphs,
  info,
  LeNet5,
  manualSeed,
  memory,
  type SearchResult,
  type SearchSpace,
  search,
  setNumThreads,
  trainTrial,
  weightsSha256,
} from '../../lib/index.js';
import { refusedLater } from '../helpers/refused.js';
import { DATA, FEW, LENET5_SPACE, SMALL, temporaryFolder } from './small.js';

const before = info().threads;
afterAll(() => setNumThreads(before));
const folder = temporaryFolder();
const table = (result: SearchResult) => searchText(result, 'a search');

describe('search on glyphs', () => {
  it('finds a better LeNet than the default, with no more parameters and epochs', async () => {
    const { train, test: validation } = glyphs({ seed: 1, trainSize: 800, testSize: 400 });
    const OPTIONS = { train, validation, trials: 12, epochs: 2, seed: 1 };
    const result = await search(LENET5_SPACE, OPTIONS);
    const { best, baseline } = result;
    manualSeed(1);
    using lenet5 = new LeNet5();
    await fit(lenet5, train, { epochs: 2, batchSize: 64, seed: 1, schedule: 'cosine' });
    expect(baseline?.weightsSha256).toBe(weightsSha256(lenet5)); // the baseline is the default, to the bit
    expect(best?.score).toBeGreaterThan((baseline?.score ?? 1) + 0.05);
    expect(best?.parameters).toBeLessThanOrEqual(lenet5.parameterCount);
    expect(result.trials).toHaveLength(12);
  });
});

describe('search', () => {
  it('gives the same for the same seed, whatever the threads, and leaves no tensor behind', async () => {
    const options = { ...DATA, trials: 8, epochs: 2, seed: 3 };
    const { tensors } = memory();
    const results: SearchResult[] = [];
    for (const threads of [1, 2, 3]) {
      setNumThreads(threads);
      results.push(await search(SMALL, options));
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
    expect(memory().tensors).toBe(tensors);
    const { trials, best } = results[0];
    expect(trials.map(({ score }) => score)).toEqual(
      trials
        .map(({ score }) => score)
        .sort()
        .reverse(),
    );
    expect(best).toBe(trials[0]);
    const other = await search(SMALL, { ...options, seed: 4 });
    expect(other.trials.map(({ values }) => values)).not.toEqual(trials.map(({ values }) => values));
    const { model, result } = await trainTrial(trials[0], { ...DATA, epochs: 2, seed: 3 });
    expect(weightsSha256(model)).toBe(best?.weightsSha256);
    expect(result.history.at(-1)?.valAccuracy).toBe(best?.score);
    model.dispose();
  });

  it('draws dropout for each trial by itself', async () => {
    const space: SearchSpace = {
      layers: [{ dropout: { p: 0.5 } }, { linear: { features: { min: 4, max: 8 } } }],
    };
    const options = { ...FEW, trials: 5, epochs: 2, seed: 1 };
    setNumThreads(2);
    const both = await search(space, options);
    setNumThreads(1);
    expect(await search(space, options)).toEqual(both);
    const { model } = await trainTrial(both.trials[2], { train: FEW.train, epochs: 2 });
    expect(weightsSha256(model)).toBe(both.trials[2].weightsSha256);
    model.dispose();
  });

  it('halves, and ranks those that came far above the others', async () => {
    const result = await search(SMALL, { ...DATA, strategy: 'halving', trials: 9, epochs: 9 });
    expect(result.rounds).toEqual([
      { trials: 9, epochs: 1 },
      { trials: 3, epochs: 3 },
      { trials: 1, epochs: 9 },
    ]);
    expect(result.trials.map(({ epochs }) => epochs)).toEqual([9, 3, 3, 1, 1, 1, 1, 1, 1]);
    expect(result.scores).toHaveLength(9);
  });

  it('counts trainings that fail, and goes on', async () => {
    const space: SearchSpace = {
      layers: [{ linear: { features: 4 } }],
      training: { optimizer: 'sgd', lr: [0.01, 1e30] },
    };
    const result = await search(space, { ...FEW, strategy: 'grid', epochs: 3 });
    expect(result).toMatchObject({ failed: 1, best: { values: { lr: 0.01 } } });
    expect(result.trials[1]).toMatchObject({ score: undefined, failure: expect.stringMatching(/finite/) });
    expect(table(result)).toContain('failed: 1');
  });

  it('stops by its signal, and keeps what is finished', async () => {
    const stop = new AbortController();
    const log = join(folder, 'stopped.jsonl');
    const options = { ...DATA, trials: 8, epochs: 2, log };
    const whole = await search(SMALL, { ...options, log: undefined });
    const part = await search(SMALL, {
      ...options,
      signal: stop.signal,
      onTrial: ({ done }) => done === 3 && stop.abort(),
    });
    expect(part.aborted).toBe(true);
    expect(part.trials.length).toBeGreaterThanOrEqual(3);
    expect(part.trials.length).toBeLessThan(8);
    const fromLog: boolean[] = [];
    const rest = await search(SMALL, {
      ...options,
      resume: true,
      onTrial: ({ isFromLog }) => fromLog.push(isFromLog),
    });
    expect(rest).toEqual(whole);
    expect(fromLog.filter(Boolean)).toHaveLength(part.trials.length);
    expect(fromLog).toHaveLength(8);
  });

  it('ends with the same table, wherever its log was cut', async () => {
    const log = join(folder, 'cut.jsonl');
    const options = { ...FEW, strategy: 'halving' as const, trials: 4, epochs: 3, log };
    const whole = await search(SMALL, options);
    const bytes = readFileSync(log);
    const ends = [...bytes.keys()].filter((i) => bytes[i] === 10).map((i) => i + 1);
    expect(ends).toHaveLength(1 + 4 + 1);
    const cuts = ends
      .flatMap((end) => [end - 1, end, end + 1, end + 40])
      .filter((cut) => cut <= bytes.length);
    for (const cut of [0, 1, ...cuts]) {
      writeFileSync(log, bytes.subarray(0, cut));
      const trained: number[] = [];
      const result = await search(SMALL, {
        ...options,
        resume: true,
        onTrial: ({ isFromLog, record }) => isFromLog || trained.push(record.trial),
      });
      expect(table(result), `cut at ${cut}`).toBe(table(whole));
      expect(result).toEqual(whole);
      const kept = ends.filter((end) => end <= cut).length;
      expect(trained).toHaveLength(5 - Math.max(0, kept - 1)); // what is missing, and no more
      const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
      expect(lines.map((line) => typeof JSON.parse(line)).length).toBe(6);
    }
  });

  it('goes on with more trials', async () => {
    const log = join(folder, 'more.jsonl');
    await search(SMALL, { ...FEW, trials: 3, epochs: 1, log });
    const more = await search(SMALL, { ...FEW, trials: 6, epochs: 1, log, resume: true });
    expect(more).toEqual(await search(SMALL, { ...FEW, trials: 6, epochs: 1 }));
  });
});

describe('search refuses', () => {
  const refused = (options: object, space: unknown = SMALL) =>
    refusedLater(search(space as SearchSpace, { ...FEW, trials: 3, epochs: 1, ...options }));

  it.each([
    ['an unknown strategy', { strategy: 'rando' }, 'ERR_ARGUMENT', /strategy to be one of/],
    ['an unknown option', { trails: 3 }, 'ERR_ARGUMENT', /only the options/],
    ['no trials', { trials: 0 }, 'ERR_ARGUMENT', /trials to be a whole/],
    ['too many', { trials: 1e6 }, 'ERR_ARGUMENT', /at most 10000/],
    ['no epochs', { epochs: 0 }, 'ERR_ARGUMENT', /epochs to be a whole/],
    ['half a seed', { seed: 0.5 }, 'ERR_ARGUMENT', /seed to be a whole/],
    ['no data', { train: undefined }, 'ERR_ARGUMENT', /a data set/],
    ['both parts of data', { train: { train: 1, test: 2 } }, 'ERR_ARGUMENT', /a data set/],
    [
      'other images',
      { validation: glyphs({ trainSize: 1, testSize: 9 }).test },
      'ERR_SHAPE',
      /validation set/,
    ],
    ['a resume without a log', { resume: true }, 'ERR_ARGUMENT', /a log to resume/],
    ['resume that is no boolean', { resume: 'yes' }, 'ERR_ARGUMENT', /resume to be true or false/],
    ['a log that is no path', { log: 3 }, 'ERR_ARGUMENT', /path/],
    ['a device as a log', { log: '/dev/full', resume: true }, 'ERR_FILE', /the log of a search/],
    ['a log in no folder', { log: join(folder, 'no/log') }, 'ERR_FILE', /./],
    ['a folder as a log', { log: folder, resume: true }, 'ERR_FILE', /the log of a search/],
    ['a signal that is none', { signal: 1 }, 'ERR_ARGUMENT', /signal/],
    ['halving of too few', { strategy: 'halving', epochs: 2 }, 'ERR_ARGUMENT', /for halving/],
  ])('%s', async (_, options, code, expected) => {
    expect(await refused(options)).toMatchObject({ code, expected: expect.stringMatching(expected) });
  });

  it('a file that is no log, and leaves it as it is', async () => {
    const log = join(folder, 'space.json');
    writeFileSync(log, '{"layers":[]}');
    expect(await refused({ log })).toMatchObject({ code: 'ERR_FILE' });
    expect(await refused({ log, resume: true })).toMatchObject({ code: 'ERR_DATA' });
    expect(readFileSync(log, 'utf8')).toBe('{"layers":[]}');
  });

  it('a space that is none', async () => {
    expect(await refused({}, { layers: [{}] })).toMatchObject({ code: 'ERR_ARGUMENT', op: 'search' });
  });

  it('the log of another search, one that is there, and a damaged one', async () => {
    const log = join(folder, 'refused.jsonl');
    await search(SMALL, { ...FEW, trials: 3, epochs: 1, log });
    const good = readFileSync(log, 'utf8');
    expect(await refused({ log })).toMatchObject({ code: 'ERR_FILE', hint: expect.stringMatching(/resume/) });
    const others = [{ seed: 2 }, { epochs: 2 }, { strategy: 'grid', trials: 1000 }, DATA];
    for (const other of others) {
      const refusal = await refused({ log, resume: true, ...other });
      expect(refusal).toMatchObject({
        code: 'ERR_ARGUMENT',
        expected: expect.stringMatching(/the search of/),
      });
    }
    const space = { ...SMALL, activation: 'tanh' };
    expect(await refused({ log, resume: true }, space)).toMatchObject({ code: 'ERR_ARGUMENT' });
    expect(readFileSync(log, 'utf8')).toBe(good);
    const lines = good.split('\n');
    const damages: [string, RegExp][] = [
      [[lines[0], '{"trial":', ...lines.slice(2)].join('\n'), /line 2 of/],
      [[lines[0], lines[1].replace('"score"', '"scroe"'), ''].join('\n'), /line 2 of/],
      [lines.slice(1).join('\n'), /line 1 of/],
      ['[]\n', /line 1 of/],
    ];
    for (const [text, received] of damages) {
      writeFileSync(log, text);
      const refusal = await refused({ log, resume: true });
      expect(refusal).toMatchObject({ code: 'ERR_DATA', received: expect.stringMatching(received) });
      expect(readFileSync(log, 'utf8')).toBe(text);
    }
    writeFileSync(log, good.replace(/"conv1.size":\d/, '"conv1.size":9'));
    expect(await refused({ log, resume: true })).toMatchObject({ code: 'ERR_DATA' });
  });

  it('to go on where its listener throws', async () => {
    const { tensors } = memory();
    const onTrial = () => {
      throw new Error('from the listener');
    };
    await expect(search(SMALL, { ...FEW, trials: 3, epochs: 1, onTrial })).rejects.toThrow(
      'from the listener',
    );
    expect(memory().tensors).toBe(tensors);
  });

  it('to go on where a line of the log cannot be written, whichever, and loses none before it', async () => {
    const handle = await open(join(folder, 'any'), 'w');
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    const { appendFile } = prototype;
    const options = { ...FEW, trials: 4, epochs: 1 };
    const whole = await search(SMALL, options);
    const { tensors } = memory();
    for (let fails = 0; fails < 5; fails++) {
      const log = join(folder, `full${fails}.jsonl`);
      let lines = 0;
      prototype.appendFile = async function (this: FileHandle, data) {
        if (lines++ < fails) return appendFile.call(this, data);
        await appendFile.call(this, (data as Uint8Array).subarray(0, 20)); // what there was room for
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), {
          code: 'ENOSPC',
          syscall: 'write',
        });
      };
      try {
        expect(await refused({ ...options, log })).toMatchObject({
          code: 'ERR_FILE',
          hint: 'the disk is full',
        });
      } finally {
        prototype.appendFile = appendFile;
      }
      const kept = readFileSync(log, 'utf8').split('\n');
      expect(kept.pop()).toBe('');
      expect(kept).toHaveLength(fails);
      expect(await search(SMALL, { ...options, log, resume: true })).toEqual(whole);
    }
    expect(memory().tensors).toBe(tensors);
  });
});

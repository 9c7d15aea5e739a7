// SPDX-License-Identifier: Apache-2.0
// What an experiment is run with: its sizes, the pictures, and a way to train.
import { fitMany, loadDataset, manualSeed } from 'receptive';
import { note, progress } from './progress.mjs';

/**
 * @param experiment a module of `experiments/`
 * @param options as `parseCommandLine` gives them
 */
export function contextFor(experiment, { quick, seed, dataDir }) {
  return {
    seed,
    sizes: quick ? experiment.sizes.quick : experiment.sizes.full,
    progress,
    note,
    digits: (counts) => digits(dataDir, { seed, ...counts }),
    trainAll: (jobs) => trainAll(jobs, seed),
  };
}

const count = new Intl.NumberFormat('en').format;

/**
 * MNIST where its folder is given, else digits that the library draws: 28 x 28 x 1 and 10 classes either way.
 *
 * @returns {Promise<{ train: import('receptive').Dataset, test: import('receptive').Dataset, data: string }>} `data` says which
 */
async function digits(dataDir, { seed, trainSize, testSize }) {
  const name = dataDir === undefined ? 'glyphs' : 'mnist';
  const source = dataDir === undefined ? { seed } : { dataDir };
  progress(`reading ${name}`);
  const { train, test } = await loadDataset(name, { ...source, trainSize, testSize });
  const title = dataDir === undefined ? 'glyphs (digits drawn by the library)' : 'MNIST';
  return { train, test, data: describeData(title, train, test) };
}

/** `MNIST: 60,000 images to train with, 10,000 to test with` */
export function describeData(title, train, test) {
  return `${title}: ${count(train.length)} images to train with, ${count(test.length)} to test with`;
}

/**
 * Trains models side by side, one on a thread, each from the weights that the seed gives. Those that take longest should come
 * first.
 *
 * @param jobs `{ label, build, dataset, options }`: a name for the progress, what makes the model, and what `fit` takes. A job may
 *   have a seed of its own.
 * @returns for each job, in order, `{ label, model, history, curve, seconds }`; the models are the caller's
 */
async function trainAll(jobs, seed) {
  const started = jobs.map(({ label, build, dataset, options, seed: own = seed }) => {
    manualSeed(own);
    const onEpoch = ({ epoch, accuracy }) =>
      progress(`${label}: epoch ${epoch} of ${options.epochs}, training ${(100 * accuracy).toFixed(2)} %`);
    return { model: build(), dataset, options: { seed: own, onEpoch, ...options } };
  });
  manualSeed(seed);
  const ended = await fitMany(started, {
    onFinish: (index, { status, value }) => {
      if (status === 'fulfilled') note(`${jobs[index].label}: ${lastLine(value)}`);
    },
  });
  return ended.map(({ status, value, reason }, i) => {
    if (status === 'rejected') throw new Error(`${jobs[i].label}: ${reason.message}`);
    const { history, curve, seconds } = value;
    return { label: jobs[i].label, model: started[i].model, history, curve, seconds };
  });
}

function lastLine({ history, seconds }) {
  const { accuracy, valAccuracy } = history.at(-1);
  const test = valAccuracy === undefined ? '' : `, test ${(100 * valAccuracy).toFixed(2)} %`;
  return `training ${(100 * accuracy).toFixed(2)} %${test}, ${seconds.toFixed(1)} s`;
}

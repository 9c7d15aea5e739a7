// SPDX-License-Identifier: Apache-2.0
// Runs the cases of a suite against the peers, for each number of threads, and makes a row of each.
import { measureOnce, prepareBestVariant, runRounds, summarize, summarizeRatio, unrest } from './compare.mjs';
import { missingLine, startOurs, startPeer, startVariant } from './contestants.mjs';
import { watchProcessor } from './machine.mjs';

/** Starts those peers that are installed; says of the others what is missing, once. */
export async function startPeers(context, threads) {
  const workers = [];
  for (const name of context.peers) {
    try {
      workers.push(await startPeer(name, threads, { compile: context.compile }));
    } catch (error) {
      if (error.reason !== 'missing') throw error;
      context.noteOnce(missingLine(name, error.message));
    }
  }
  return workers;
}

/** The peers that can do the task, prepared; a note for each that cannot, or whose variant failed. */
async function preparePeers(context, peers, name, task) {
  const ready = [];
  for (const worker of peers) {
    const refused = (what, { message }) => context.note(`${name}: ${what} cannot run it (${message})`);
    try {
      context.progress(`${name}: ${worker.name} looks for its best variant`);
      const prepared = await prepareBestVariant(worker, task, context.plan.trialMs, (variant, error) =>
        refused(`${worker.name} ${variant}`, error),
      );
      ready.push({ worker, ...prepared });
    } catch (error) {
      refused(worker.name, error);
    }
  }
  return ready;
}

/** A peer's own error, where it can tell. */
async function errorOf(worker, images) {
  try {
    return { error: (await worker.request({ do: 'error', images })).value };
  } catch (error) {
    if (error.reason === 'unsupported') return {};
    throw error;
  }
}

async function measureCase(
  context,
  ours,
  peers,
  { name, task, flops = 0, error: wantsError = false, split: wordsForSplit, fields = {} },
) {
  context.progress(`${name}: prepare`);
  const { variant } = await prepareBestVariant(ours, task, context.plan.trialMs);
  const ready = await preparePeers(context, peers, name, task);
  const workers = [ours, ...ready.filter(({ isSlow }) => !isSlow).map(({ worker }) => worker)];
  const sharesSince = watchProcessor(workers.flatMap(({ pids }) => pids));
  const { rounds, steady } = await runRounds(workers, ours, context.plan, (text) =>
    context.progress(`${name}: ${text}`),
  );
  const { steal, others } = sharesSince();
  const { value: error, images } = wantsError ? await ours.request({ do: 'error' }) : { value: null };
  const row = {
    ...fields,
    ...summarize(rounds, ours.name, flops),
    unit: 'ms',
    variant,
    error,
    rounds: rounds.length,
    steady,
    steal,
    others,
    peers: {},
    ratio: {},
    ratioInterval: {},
    notes: steady ? '' : unrest(rounds, others),
  };
  if (wordsForSplit !== undefined) {
    const split = await ours.request({ do: 'split' });
    Object.assign(row, split);
    row.notes = [wordsForSplit(split), row.notes].filter((text) => text !== '').join('; ');
  }
  for (const { worker, variant, isSlow } of ready) {
    const common = {
      version: worker.about.version,
      variant,
      ...(images ? await errorOf(worker, images) : {}),
    };
    if (isSlow) {
      context.progress(`${name}: one call of ${worker.name}`);
      const value = await measureOnce(worker);
      row.peers[worker.name] = { value, ...common, calls: 1 };
      row.ratio[worker.name] = value / row.value;
      continue;
    }
    const { ratio, interval } = summarizeRatio(rounds, ours.name, worker.name);
    const { value, percentOfPeak } = summarize(rounds, worker.name, flops);
    row.peers[worker.name] = { value, ...common, percentOfPeak };
    row.ratio[worker.name] = ratio;
    row.ratioInterval[worker.name] = interval;
  }
  return row;
}

/**
 * Measures cases { name, task, flops, fields, error, split, unavailable }: `task` is what the workers are sent, `flops`
 * the operations of one iteration, `fields` what else its row tells, `error` whether the result is compared with double
 * precision. `beside` names variants of ours that stand beside it. All get fresh processes for each number of threads. `isa`:
 * the instruction set of ours; default: the best.
 */
export async function runCases(context, cases, threadCounts, { beside = [], isa } = {}) {
  const available = cases.filter(({ name, unavailable }) => {
    if (unavailable !== undefined) context.note(`${name}: ${unavailable}`);
    return unavailable === undefined;
  });
  if (available.length === 0) return;
  for (const threads of threadCounts) {
    const ours = await startOurs(threads, undefined, undefined, isa);
    const variants = await Promise.all(beside.map((name) => startVariant(threads, name)));
    const peers = [...variants, ...(await startPeers(context, threads))];
    try {
      for (const item of available) {
        const row = await measureCase(context, ours, peers, item);
        context.row({ case: item.name, threads, isa: ours.about.isa, ...row });
      }
    } finally {
      await Promise.all([ours, ...peers].map((worker) => worker.close()));
    }
  }
}

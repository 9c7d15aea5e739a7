// SPDX-License-Identifier: Apache-2.0
// Streams as `fit` takes them: which of its options go with them, and what is known of one before the first step.
import { dtypeOfItem, StreamDataset, type StreamSource, shapeOfItem } from '../data/stream.js';
import { StreamLoader } from '../data/stream-loader.js';
import { StreamReader } from '../data/stream-reader.js';
import { fail } from '../errors.js';
import type { Module } from '../nn/module.js';
import { Plateau } from '../optim/plateau.js';
import type { FitOptions, FitResult } from './fit.js';
import { checkClasses, classesOf } from './fits.js';
import { untilAborted } from './until-aborted.js';

/** Refuses what needs samples that can be read again, or in another order. Throws ERR_ARGUMENT. */
export function checkStreamOptions(options: FitOptions): void {
  const { checkpoint, resume, shuffle, overfitBatches, fastDevRun } = options;
  const asked = { checkpoint, resume, shuffle, overfitBatches, fastDevRun };
  const name = Object.entries(asked).find(([, value]) => value !== undefined && value !== false)?.[0];
  if (name === undefined) return;
  throw fail('ERR_ARGUMENT', {
    op: 'fit',
    expected: `a data set in memory or in a file, for ${name}`,
    received: 'a stream',
    hint: 'a stream is read once, in its order: receptive data pack makes a file that can be read in any',
  });
}

/**
 * Looks at the first item of a stream. Throws what the source throws; ERR_DATA for an empty one, ERR_SHAPE for images that the
 * model does not take, ERR_ARGUMENT for a schedule that needs to know its end. Nothing where the signal comes
 * first.
 */
export async function openStream(
  model: Module,
  source: StreamDataset | StreamSource,
  options: FitOptions,
): Promise<StreamLoader | undefined> {
  const isDescribed = source instanceof StreamDataset;
  if (isDescribed) checkClasses('fit', model, source);
  checkEnd(isDescribed ? source.length : undefined, options);
  const { signal, batchSize, seed, augment } = options;
  const reader = new StreamReader(source);
  try {
    const item = signal?.aborted ? undefined : await untilAborted(reader.peek(), signal);
    if (signal?.aborted) {
      await reader.close();
      return undefined;
    }
    const dtype = dtypeOfItem(item);
    const dataset = isDescribed ? source : describedBy(model, source, item);
    return new StreamLoader(reader, dataset, dtype, { batchSize, seed, augment });
  } catch (error) {
    await reader.close();
    throw error;
  }
}

function describedBy(model: Module, source: StreamSource, item: unknown): StreamDataset {
  const imageShape = shapeOfItem(item);
  const classNames = Array.from({ length: classesOf('fit', model, imageShape) }, (_, i) => String(i));
  return new StreamDataset({ source, imageShape, classNames });
}

/** What `fit` tells where the signal came before the first sample. */
export const NOTHING_DONE: FitResult = {
  ...{ history: [], curve: [], steps: 0, resumedAt: undefined, aborted: true, stoppedEarly: false },
  ...{ bestEpoch: undefined, seconds: 0, imagesPerSecond: 0 },
  ...{ captured: false, stepBytes: undefined, notCaptured: undefined },
  ...{ cachedFeatures: undefined, notCached: undefined },
};

/** A schedule over all steps has to know how many those are. */
function checkEnd(
  length: number | undefined,
  { schedule = 'constant', warmup = 0, budget }: FitOptions,
): void {
  if (length !== undefined || budget !== undefined) return;
  const isEven = schedule === 'constant' || schedule === 'plateau' || schedule instanceof Plateau;
  if (isEven && warmup === 0) return;
  throw fail('ERR_ARGUMENT', {
    op: 'fit',
    expected: 'a stream with a length, samples an epoch, for a schedule or a warmup',
    received: 'one without',
    hint: 'give fit a StreamDataset with length',
  });
}

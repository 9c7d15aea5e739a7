// SPDX-License-Identifier: Apache-2.0
// What an operation has to know where a step computes its batch in parts: which samples it sees, and that it must not
// depend on the others.
import { fail } from '../errors.js';
import { logged } from '../tensor/draw-log.js';
import type { Draw, Generator } from '../tensor/random.js';
import type { Tensor } from '../tensor/tensor.js';

/** The parts of one batch, one after another. All of them share the draws that the whole batch would take. */
export class BatchParts {
  readonly #draws: { readonly generator: Generator; readonly draw: Draw }[] = [];
  #next = 0;
  /** True once an operation refused to see a part only. */
  refused = false;
  /** The first sample of the part under way. */
  first = 0;
  /** Samples in it. */
  samples = 0;

  /** Runs `body`, which sees samples `first` to `first + samples` - 1 only. */
  run<T>(first: number, samples: number, body: () => T): T {
    [this.first, this.samples, this.#next] = [first, samples, 0];
    const outer = current;
    current = this;
    try {
      return body();
    } finally {
      current = outer;
    }
  }

  /** The draw that the whole batch would take here. A part that takes other turns than the first has draws of its own. */
  draw(generator: Generator): Draw {
    const place = this.#next++;
    const known = this.#draws[place];
    if (known?.generator === generator) return known.draw;
    const draw = generator.next();
    this.#draws[place] = { generator, draw };
    return draw;
  }
}

let current: BatchParts | undefined;

/** @internal The next draw of a generator; in a part of a batch, the one that the whole batch would take. */
export function drawInPart(generator: Generator): Draw {
  const parts = current;
  return parts === undefined ? generator.next() : logged(generator, () => parts.draw(generator));
}

/** @internal Where the elements of x begin in the tensor that the whole batch would have; samples are outermost. */
export function firstInBatch(x: Pick<Tensor, 'size'>): number {
  if (current === undefined || x.size % current.samples !== 0) return 0;
  return current.first * (x.size / current.samples);
}

/** @internal Refuses a part of a batch. */
export function refuseInPart(op: string, why: string): void {
  if (current === undefined) return;
  current.refused = true;
  throw fail('ERR_ARGUMENT', {
    op,
    expected: 'the whole batch',
    received: `a micro-batch of ${current.samples}`,
    hint: `this layer ${why}: leave microBatches out, or put the layer into evaluation mode`,
  });
}

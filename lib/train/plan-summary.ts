// SPDX-License-Identifier: Apache-2.0
// What a captured step is made of, to be read by people and by tests.
import type { PlanDescription } from '../native/addon.js';
import type { MicroBatches } from './micro-batches.js';
import type { CapturedStep, OutputSpec, StreamSpecs } from './plan.js';

const LINE = 100;

/** A captured step: what goes in, the operations in their order, the memory they take, what comes out. */
export class PlanSummary {
  readonly inputs: StreamSpecs;
  readonly outputs: readonly OutputSpec[];
  /** Names of the operations, in the order in which they run; fused ones are one. */
  readonly operations: readonly string[];
  /** Counts and bytes that the planner found: buffers, the exact peak, what was fused and done in place. */
  readonly planned: PlanDescription;
  /** Into how many parts the batch is divided, 1 for the whole batch. */
  readonly microBatches: number;
  readonly #samples: number;

  /** @internal Use `plan.describe()`. */
  constructor(inputs: StreamSpecs, step: CapturedStep, { parts, samples }: MicroBatches) {
    this.inputs = inputs;
    this.microBatches = parts;
    this.#samples = samples;
    this.outputs = step.outputs;
    this.operations = step.operations();
    this.planned = step.describe();
  }

  /** Exactly what the step's buffers take, in bytes. */
  get peakBytes(): number {
    return this.planned.peakBytes;
  }

  toString(): string {
    const inputs = Object.entries(this.inputs).map(
      ([name, { shape, dtype }]) => `${name} ${dtype} [${shape.join(', ')}]`,
    );
    const outputs = this.outputs.map(
      ({ name, size, dtype }) => `${name} ${dtype}${size > 1 ? ` (${size})` : ''}`,
    );
    const { fusions, algorithms, ...counts } = this.planned;
    const planned = Object.entries(counts).map(([name, value]) => `${name} ${value}`);
    const ofSamples = this.microBatches > 1 ? ` of ${this.#samples} samples` : '';
    planned.push(`microBatches ${this.microBatches}${ofSamples}`);
    const fused = Object.entries(fusions).map(([name, count]) => `${name} (${count})`);
    return [
      ...section('inputs', inputs),
      ...section('outputs', outputs),
      ...section('planned', planned),
      ...section('fused', fused.length > 0 ? fused : ['nothing']),
      ...(algorithms.length > 0 ? section('algorithms', algorithms) : []),
      ...section('operations', this.operations),
    ].join('\n');
  }
}

/** A heading and its items, in lines of at most 100 characters. */
function section(name: string, items: readonly string[]): string[] {
  const lines: string[] = [];
  let line = name.padEnd(11);
  for (const [i, item] of items.entries()) {
    const next = i < items.length - 1 ? `${item},` : item;
    if (line.length + next.length >= LINE) {
      lines.push(line.trimEnd());
      line = ' '.repeat(11);
    }
    line += ` ${next}`;
  }
  return [...lines, line.trimEnd()];
}

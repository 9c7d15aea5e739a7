// SPDX-License-Identifier: Apache-2.0
// From the names and numbers that `fit` and the command line take to an optimizer and its learning rates.
import { describe, didYouMean, fail } from '../errors.js';
import type { Module } from '../nn/module.js';
import { Adam, AdamW } from '../optim/adam.js';
import type { Optimizer } from '../optim/optimizer.js';
import { cosine, type Schedule } from '../optim/schedule.js';
import { SGD } from '../optim/sgd.js';

/** Names of the optimizers that `fit` makes by itself. */
export const OPTIMIZER_NAMES = ['sgd', 'adam', 'adamw'] as const;
export type OptimizerName = (typeof OPTIMIZER_NAMES)[number];

/** Names of the schedules. */
export const SCHEDULE_NAMES = ['constant', 'cosine'] as const;
export type ScheduleName = (typeof SCHEDULE_NAMES)[number];

/** How weights are updated. */
export interface OptimizerOptions {
  /** Default 'adamw'. An optimizer of one's own goes on from its state, and has its learning rates back afterwards. */
  readonly optimizer?: OptimizerName | Optimizer | undefined;
  /** Default 0.01 for 'sgd', 0.001 for 'adam' and 'adamw', an optimizer's own for that. */
  readonly lr?: number | undefined;
  /** Of 'sgd' alone. Default 0.9. */
  readonly momentum?: number | undefined;
  /** Default 0 for 'sgd' and 'adam', 0.01 for 'adamw'. */
  readonly weightDecay?: number | undefined;
  /**
   * 'constant' (default); 'cosine', down to 0 at the last step; or a function from the number of the step, the first of
   * which is 0, to the learning rate.
   */
  readonly schedule?: ScheduleName | Schedule | undefined;
}

/** Learning rates used where none is given. */
export const DEFAULT_LR: Readonly<Record<OptimizerName, number>> = { sgd: 0.01, adam: 1e-3, adamw: 1e-3 };
const DEFAULT_MOMENTUM = 0.9;

/** An optimizer, and what is to be called when it has done its work. */
export interface OwnedOptimizer {
  readonly optimizer: Optimizer;
  readonly release: () => void;
}

/** The optimizer that the options ask for, over all parameters of the model. Throws ERR_ARGUMENT. */
export function makeOptimizer(model: Module, options: OptimizerOptions): OwnedOptimizer {
  const wanted = options.optimizer ?? 'adamw';
  const { lr, momentum, weightDecay } = options;
  if (typeof wanted === 'object') {
    if (momentum !== undefined || weightDecay !== undefined) {
      throw fail('ERR_ARGUMENT', {
        op: 'fit',
        expected: 'momentum and weightDecay only with the name of an optimizer',
        received: `them and ${describe(wanted)}`,
        hint: 'set them where the optimizer is made',
      });
    }
    if (lr !== undefined) wanted.lr = lr;
    const rates = wanted.groups.map((group) => group.lr);
    const restore = () => {
      wanted.groups.forEach((group, i) => {
        group.lr = rates[i];
      });
    };
    return { optimizer: wanted, release: restore };
  }
  checkName('optimizer', wanted, OPTIMIZER_NAMES);
  if (momentum !== undefined && wanted !== 'sgd') {
    throw fail('ERR_ARGUMENT', {
      op: 'fit',
      expected: "momentum only with optimizer 'sgd'",
      received: `momentum ${momentum} with '${wanted}'`,
    });
  }
  const optimizer = build(wanted, model, lr ?? DEFAULT_LR[wanted], momentum, weightDecay);
  return { optimizer, release: () => optimizer.dispose() };
}

function build(
  name: OptimizerName,
  model: Module,
  lr: number,
  momentum = DEFAULT_MOMENTUM,
  weightDecay?: number,
): Optimizer {
  const decay = weightDecay === undefined ? {} : { weightDecay };
  if (name === 'sgd') return new SGD(model.parameters(), { lr, momentum, ...decay });
  return name === 'adam'
    ? new Adam(model.parameters(), { lr, ...decay })
    : new AdamW(model.parameters(), { lr, ...decay });
}

/**
 * What sets the learning rate before a step. Groups of parameters keep the ratio of their rates, unless the schedule is
 * a function: that sets one rate for all.
 */
export function lrSetter(
  schedule: OptimizerOptions['schedule'],
  optimizer: Optimizer,
  steps: number,
): (step: number) => void {
  if (typeof schedule === 'function') {
    return (step) => {
      optimizer.lr = schedule(step);
    };
  }
  checkName('schedule', schedule ?? 'constant', SCHEDULE_NAMES);
  if (schedule !== 'cosine') return () => {};
  const schedules = optimizer.groups.map(({ lr }) => cosine({ lr, steps }));
  return (step) => {
    optimizer.groups.forEach((group, i) => {
      group.lr = schedules[i](step);
    });
  };
}

function checkName(what: string, name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  throw fail('ERR_ARGUMENT', {
    op: 'fit',
    expected: `${what} to be one of ${known.join(', ')}`,
    received: describe(name),
    hint: typeof name === 'string' ? didYouMean(name, known) : undefined,
  });
}

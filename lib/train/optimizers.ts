// SPDX-License-Identifier: Apache-2.0
// From the names and numbers that `fit` and the command line take to an optimizer.
import { describe, didYouMean, fail } from '../errors.js';
import type { Module } from '../nn/module.js';
import { Adagrad } from '../optim/adagrad.js';
import { Adam, AdamW } from '../optim/adam.js';
import { Lion } from '../optim/lion.js';
import { saveRates } from '../optim/lr-scheduler.js';
import { Optimizer } from '../optim/optimizer.js';
import { RMSprop } from '../optim/rmsprop.js';
import { SGD } from '../optim/sgd.js';
import type { Tensor } from '../tensor/tensor.js';

/** Names of the optimizers that `fit` makes by itself. */
export const OPTIMIZER_NAMES = ['sgd', 'adam', 'adamw', 'rmsprop', 'adagrad', 'lion'] as const;
export type OptimizerName = (typeof OPTIMIZER_NAMES)[number];

/** How weights are updated. */
export interface OptimizerOptions {
  /** Default 'adamw'. An optimizer of one's own goes on from its state, and has its learning rates back afterwards. */
  readonly optimizer?: OptimizerName | Optimizer | undefined;
  /** Default 0.01 for 'sgd' and 'adagrad', 0.0001 for 'lion', 0.001 for the others; an optimizer's own for that. */
  readonly lr?: number | undefined;
  /** Of 'sgd', default 0.9, and 'rmsprop', default 0. */
  readonly momentum?: number | undefined;
  /** Default 0.01 for 'adamw', 0 for the others. */
  readonly weightDecay?: number | undefined;
}

/** What is set of an optimizer; the rest is its own. */
interface Settings {
  readonly lr: number;
  readonly momentum?: number;
  readonly weightDecay?: number;
}

const MAKERS: Readonly<Record<OptimizerName, (params: readonly Tensor[], settings: Settings) => Optimizer>> =
  {
    sgd: (params, settings) => new SGD(params, { momentum: 0.9, ...settings }),
    adam: (params, settings) => new Adam(params, settings),
    adamw: (params, settings) => new AdamW(params, settings),
    rmsprop: (params, settings) => new RMSprop(params, settings),
    adagrad: (params, settings) => new Adagrad(params, settings),
    lion: (params, settings) => new Lion(params, settings),
  };

/** Learning rates used where none is given. */
export const DEFAULT_LR: Readonly<Record<OptimizerName, number>> = {
  ...{ sgd: 0.01, adam: 1e-3, adamw: 1e-3 },
  ...{ rmsprop: 1e-3, adagrad: 0.01, lion: 1e-4 },
};

const WITH_MOMENTUM: readonly string[] = ['sgd', 'rmsprop'];

/** An optimizer, and what is to be called when it has done its work. */
export interface OwnedOptimizer {
  readonly optimizer: Optimizer;
  readonly release: () => void;
}

/** The optimizer that the options ask for, over all parameters of the model. Throws ERR_ARGUMENT. */
export function makeOptimizer(model: Module, options: OptimizerOptions): OwnedOptimizer {
  const wanted = options.optimizer ?? 'adamw';
  const { lr, momentum, weightDecay } = options;
  if (wanted instanceof Optimizer) {
    if (momentum !== undefined || weightDecay !== undefined) {
      throw fail('ERR_ARGUMENT', {
        op: 'fit',
        expected: 'momentum and weightDecay only with the name of an optimizer',
        received: `them and ${describe(wanted)}`,
        hint: 'set them where the optimizer is made',
      });
    }
    if (lr !== undefined) wanted.lr = lr;
    return { optimizer: wanted, release: saveRates(wanted) };
  }
  checkName('optimizer', wanted, OPTIMIZER_NAMES);
  if (momentum !== undefined && !WITH_MOMENTUM.includes(wanted)) {
    throw fail('ERR_ARGUMENT', {
      op: 'fit',
      expected: `momentum only with optimizer ${WITH_MOMENTUM.map((name) => `'${name}'`).join(' or ')}`,
      received: `momentum ${momentum} with '${wanted}'`,
    });
  }
  const optimizer = MAKERS[wanted](model.parameters(), {
    lr: lr ?? DEFAULT_LR[wanted],
    ...(momentum === undefined ? {} : { momentum }),
    ...(weightDecay === undefined ? {} : { weightDecay }),
  });
  return { optimizer, release: () => optimizer.dispose() };
}

/** Refuses a name that is none of those known. */
export function checkName(what: string, name: unknown, known: readonly string[]): void {
  if (typeof name === 'string' && known.includes(name)) return;
  throw fail('ERR_ARGUMENT', {
    op: 'fit',
    expected: `${what} to be one of ${known.join(', ')}`,
    received: describe(name),
    hint: typeof name === 'string' ? didYouMean(name, known) : undefined,
  });
}

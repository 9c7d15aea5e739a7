// SPDX-License-Identifier: Apache-2.0
// From the names and numbers that `fit` and the command line take to an optimizer.
import { checkNumber, describe, didYouMean, fail } from '../errors.js';
import { BatchNorm1d, BatchNorm2d } from '../nn/batch-norm.js';
import { GroupNorm } from '../nn/group-norm.js';
import { LayerNorm } from '../nn/layer-norm.js';
import type { Module } from '../nn/module.js';
import { Adagrad } from '../optim/adagrad.js';
import { Adam, AdamW } from '../optim/adam.js';
import { Lion } from '../optim/lion.js';
import { saveRates } from '../optim/lr-scheduler.js';
import { Optimizer } from '../optim/optimizer.js';
import type { ParameterGroup } from '../optim/options.js';
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
  /** Of 'sgd': look ahead along the momentum. Default false. */
  readonly nesterov?: boolean | undefined;
  /**
   * Factor of the learning rate for what normalisation layers learn, weights and biases. Their weight decay is divided by it, so that
   * one step takes as much away as elsewhere. Default 1.
   */
  readonly normLr?: number | undefined;
}

type Params = readonly ParameterGroup<{ lr: number; weightDecay: number }>[];

/** What is set of an optimizer; the rest is its own. */
interface Settings {
  readonly lr: number;
  readonly momentum?: number;
  readonly weightDecay?: number;
  readonly nesterov?: boolean;
}

const MAKERS: Readonly<Record<OptimizerName, (params: Params, settings: Settings) => Optimizer>> = {
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

const NORMS = [BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm];

const WITH_MOMENTUM: readonly string[] = ['sgd', 'rmsprop'];

/** An optimizer, and what is to be called when it has done its work. */
export interface OwnedOptimizer {
  readonly optimizer: Optimizer;
  readonly release: () => void;
}

/** The optimizer that the options ask for, over all parameters of the model. Throws ERR_ARGUMENT. */
export function makeOptimizer(model: Module, options: OptimizerOptions): OwnedOptimizer {
  const wanted = options.optimizer ?? 'adamw';
  const { lr, momentum, weightDecay, nesterov, normLr } = options;
  if (wanted instanceof Optimizer) {
    if ([momentum, weightDecay, nesterov, normLr].some((option) => option !== undefined)) {
      throw fail('ERR_ARGUMENT', {
        op: 'fit',
        expected: 'momentum, weightDecay, nesterov and normLr only with the name of an optimizer',
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
  if (nesterov !== undefined && wanted !== 'sgd') {
    const expected = "nesterov only with optimizer 'sgd'";
    throw fail('ERR_ARGUMENT', { op: 'fit', expected, received: `it with '${wanted}'` });
  }
  const rate = lr ?? DEFAULT_LR[wanted];
  const decay = weightDecay ?? (wanted === 'adamw' ? 0.01 : 0);
  const optimizer = MAKERS[wanted](groupsOf(model, normLr, rate, decay), {
    lr: rate,
    ...(momentum === undefined ? {} : { momentum }),
    ...(weightDecay === undefined ? {} : { weightDecay }),
    ...(nesterov === undefined ? {} : { nesterov }),
  });
  return { optimizer, release: () => optimizer.dispose() };
}

/** One group, or one for normalisation layers and one for the rest, as far as they have parameters. */
function groupsOf(model: Module, normLr: number | undefined, lr: number, weightDecay: number): Params {
  const all = model.parameters();
  if (normLr === undefined) return [{ params: all }];
  const factor = checkNumber('fit', 'normLr', normLr, 1e-6, 1e6);
  const layers = model.modules().filter((module) => NORMS.some((kind) => module instanceof kind));
  const norms = new Set<Tensor>(layers.flatMap((layer) => layer.parameters()));
  const rest = all.filter((parameter) => !norms.has(parameter));
  const groups = [
    { params: rest },
    { params: [...norms], lr: factor * lr, weightDecay: weightDecay / factor },
  ];
  return groups.filter(({ params }) => params.length > 0);
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

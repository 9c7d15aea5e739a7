// SPDX-License-Identifier: Apache-2.0
// The experiments that there are. Each module exports
//
//   summary   a line for the usage text
//   sizes     { quick, full }: how much of everything, in either form
//   run       from a context (harness/context.mjs) to what was found (harness/report.mjs)
const EXPERIMENTS = {
  'relu-vs-tanh': () => import('./relu-vs-tanh.mjs'),
  'conv-vs-dense': () => import('./conv-vs-dense.mjs'),
  pooling: () => import('./pooling.mjs'),
  translation: () => import('./translation.mjs'),
  'shared-gradients': () => import('./shared-gradients.mjs'),
  regularization: () => import('./regularization.mjs'),
  depth: () => import('./depth.mjs'),
  'lenet-1998': () => import('./lenet-1998.mjs'),
  'xo-features': () => import('./xo-features.mjs'),
};

export const EXPERIMENT_NAMES = Object.keys(EXPERIMENTS);

/** @param {string} name one of the names */
export const loadExperiment = (name) => EXPERIMENTS[name]();

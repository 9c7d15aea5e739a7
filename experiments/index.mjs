// SPDX-License-Identifier: Apache-2.0
// The experiments that there are. Each module exports
//
//   summary   a line for the usage text
//   sizes     { quick, full }: how much of everything, in either form
//   run       from a context (harness/context.mjs) to what was found (harness/report.mjs)
export const EXPERIMENT_NAMES = [
  'relu-vs-tanh',
  'shared-gradients',
  'depth',
  'lenet-1998',
  'conv-vs-dense',
  'pooling',
  'translation',
  'regularization',
  'xo-features',
];

/** @param {string} name one of the names */
export const loadExperiment = (name) => import(`./${name}.mjs`);

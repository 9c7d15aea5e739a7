// SPDX-License-Identifier: Apache-2.0
// The experiments that there are. Each module exports
//
//   summary   a line for the usage text
//   sizes     { quick, full }: how much of everything, in either form
//   run       from a context (harness/context.mjs) to what was found (harness/report.mjs)
export const EXPERIMENT_NAMES = [
  'relu-vs-tanh',
  'conv-vs-dense',
  'pooling',
  'translation',
  'shared-gradients',
  'regularization',
  'depth',
  'lenet-1998',
  'xo-features',
];

/** @param {string} name one of the names */
export const loadExperiment = (name) => import(`./${name}.mjs`);

// SPDX-License-Identifier: Apache-2.0
// The suites by name. Each has a `summary` for the usage text, `caseNames()`, and `run(context, names)`, which measures
// the cases named and hands rows to `context.row`. A suite that is `alone` takes no peers;
// `beside` names variants of ours that are measured as contestants of their own.

const load = {
  peak: () => import('./peak.mjs'),
  gemm: () => import('./gemm.mjs'),
  conv: () => import('./conv.mjs'),
  step: () => import('./step.mjs'),
  infer: () => import('./infer.mjs'),
  fit: () => import('./fit.mjs'),
  latency: () => import('./latency.mjs'),
  memory: () => import('./memory.mjs'),
  threads: () => import('./threads.mjs'),
  overhead: () => import('./overhead.mjs'),
  augment: () => import('./augment.mjs'),
  feed: () => import('./feed.mjs'),
};

export const SUITE_NAMES = Object.keys(load);

/** The suite of a name in SUITE_NAMES. */
export function loadSuite(name) {
  return load[name]();
}

// SPDX-License-Identifier: Apache-2.0
// At the end of a run: how many gradients were checked against finite differences in double precision, on fixed operands. A
// run of all tests fails where they are fewer than the project promises.
import type { Reporter, TestModule, Vitest } from 'vitest/node';

const FLOORS = { all: 500, convolution: 120 };

/** Counts of the tests of some modules. */
export function gradientCounts(modules: readonly Pick<TestModule, 'moduleId' | 'children'>[]) {
  const counts = { all: 0, convolution: 0 };
  for (const { moduleId, children } of modules) {
    for (const test of children.allTests('passed')) {
      const checks = test.meta().gradientChecks ?? 0;
      counts.all += checks;
      if (/conv/i.test(`${moduleId.split('/').at(-1)} ${test.fullName}`)) counts.convolution += checks;
    }
  }
  return counts;
}

/** What is wrong with the counts of a whole run, if anything. */
export function shortage({ all, convolution }: ReturnType<typeof gradientCounts>): string | undefined {
  if (all >= FLOORS.all && convolution >= FLOORS.convolution) return undefined;
  return `there must be at least ${FLOORS.all}, and ${FLOORS.convolution} of convolutions`;
}

export default class GradientReporter implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
    const counts = gradientCounts(modules);
    if (counts.all === 0) return;
    const vitest = this.#vitest as Vitest;
    const { all, convolution } = counts;
    vitest.logger.log(`gradients checked in double precision: ${all}, of convolutions ${convolution}`);
    const isWhole =
      vitest.getGlobalTestNamePattern() === undefined &&
      modules.length >= (await vitest.globTestSpecifications()).length;
    const wrong = isWhole ? shortage(counts) : undefined;
    if (wrong === undefined) return;
    vitest.logger.error(wrong);
    process.exitCode = 1;
  }
}

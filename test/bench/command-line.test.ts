// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../bench/harness/arguments.mjs';
import { PEERS } from '../../bench/harness/contestants.mjs';
import { processorTicks, processTicks, shares } from '../../bench/harness/machine.mjs';
import { duration, errorText, ratioText } from '../../bench/harness/table.mjs';
import { layerFlops, NETS, parameterCount, stepFlops } from '../../bench/nets.mjs';
import { CONV_SHAPES, convFlops } from '../../bench/shapes.mjs';
import { loadSuite, SUITE_NAMES } from '../../bench/suites/index.mjs';
import { doublings } from '../../bench/suites/threads.mjs';
import { LeNet5 } from '../../lib/models/lenet5.js';
import { createModel } from '../../lib/models/registry.js';
import { summarize } from '../../lib/nn/summary.js';

function bench(...args: string[]) {
  const script = fileURLToPath(new URL('../../bench/run.mjs', import.meta.url));
  return spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
}

describe('the command line', () => {
  it.each([
    [
      ['zen'],
      "there is no suite 'zen'; there are peak, gemm, conv, step, infer, fit, latency, memory, threads, overhead, augment, feed",
    ],
    [[], 'name a suite: peak, '],
    [['step', 'conv'], "'conv' is too much"],
    [
      ['step', '--peers', 'abacus'],
      "there is no peer 'abacus'; there are eager, pytorch, tensorflow, tfjs, convnetjs, jax-js, onnxruntime-node",
    ],
    [['step', '--case', '('], '--case: Invalid regular expression'],
    [['step', '--case', 'alexnet'], 'no case of step matches; there are lenet5/b1, '],
    [['step', '--threads', '0'], '--threads takes a whole number of at least 1, not 0'],
    [['peak', '--peers', 'pytorch'], 'peak takes no peers'],
    [['threads', '--peers', 'all'], 'threads takes no peers'],
    [['gemm', '--algorithm', 'direct'], '--algorithm goes with the suite conv'],
    [['conv', '--algorithm', 'fft'], '--algorithm takes auto, direct, winograd, not fft'],
    [['step', '--packed', 'file'], '--packed goes with the suite feed'],
    [['feed', '--peers', 'pytorch'], 'feed takes no peers'],
    [['step', '--profile'], "'--profile'"],
    [['step', '--fast'], "'--fast'"],
  ])('%j ends with status 2 and one line', (args, message) => {
    const { status, stdout, stderr } = bench(...args);
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });

  it('reads options', () => {
    expect(
      parseCommandLine(['step', '--threads', '1,2', '--peers', 'pytorch,tensorflow', '--quick'], SUITE_NAMES),
    ).toMatchObject({ suite: 'step', threads: [1, 2], peers: ['pytorch', 'tensorflow'], quick: true });
  });

  it('takes every peer for all, and lets compilers out on demand', () => {
    const { peers, compile } = parseCommandLine(['step', '--peers', 'all'], SUITE_NAMES);
    expect([peers, compile]).toEqual([Object.keys(PEERS), true]);
    expect(parseCommandLine(['step', '--no-compile'], SUITE_NAMES)).toMatchObject({ compile: false });
    const direct = ['conv', '--algorithm', 'direct'];
    expect(parseCommandLine(direct, SUITE_NAMES)).toMatchObject({ algorithm: 'direct' });
  });

  it('prints usage with every suite', () => {
    const { status, stdout } = bench('--help');
    expect(status).toBe(0);
    for (const name of SUITE_NAMES) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
  });

  it('lists the cases of the contract', async () => {
    expect((await loadSuite('step')).caseNames()).toEqual([
      'lenet5/b1',
      'lenet5/b64',
      'lenet5/b256',
      'vgg-cifar/b64',
      'resnet18-cifar/b32',
      'resnet20-cifar/b128',
    ]);
    expect((await loadSuite('infer')).caseNames()).toEqual(
      expect.arrayContaining(['lenet5/b1', 'lenet5/b64', 'vgg-cifar/b64', 'resnet18-cifar/b64']),
    );
    expect((await loadSuite('memory')).caseNames()).toContain('resnet18-cifar/b32/0.6');
    const conv = (await loadSuite('conv')).caseNames();
    expect(conv).toHaveLength(48);
    expect(conv).toEqual(expect.arrayContaining(['S1/forward', 'S9/grad_input', 'S16/grad_weight']));
  });
});

describe('numbers of threads', () => {
  it.each([
    [1, [1]],
    [2, [1, 2]],
    [6, [1, 2, 4, 6]],
    [16, [1, 2, 4, 8, 16]],
  ])('up to %d are %j', (most, counts) => {
    expect(doublings(most)).toEqual(counts);
  });
});

describe('operations counted', () => {
  it('of convolutions', () => {
    const gflops = Object.fromEntries(CONV_SHAPES.map((shape) => [shape.name, convFlops(shape) / 1e9]));
    expect(gflops.S1).toBeCloseTo(0.015, 3);
    expect(gflops.S6).toBeCloseTo(1.208, 3);
    expect(gflops.S8).toBeCloseTo(1.888, 3);
    expect(gflops.S14).toBeCloseTo(3.288, 3);
    expect(gflops.S15).toBeCloseTo(0.116, 3);
    expect(gflops.S16).toBeCloseTo(7.399, 3);
  });

  it('of LeNet-5, layer by layer', () => {
    // 28 * 28 * 6 * 25, 10 * 10 * 16 * 150, 400 * 120, 120 * 84, 84 * 10 multiply-adds
    expect(layerFlops(NETS.lenet5)).toEqual([235200, 480000, 96000, 20160, 1680]);
    expect(stepFlops(NETS.lenet5, 2)).toBe(2 * (3 * 833040 - 235200));
  });
});

describe('the nets', () => {
  it.each(Object.values(NETS))('describe $model of the library', (net) => {
    const { model, inputShape, classes } = createModel(net.model);
    try {
      expect([inputShape, classes]).toEqual([net.input, net.classes]);
      const layers = summarize(model, net.input);
      const flops = layers.map(({ multiplyAdds }) => 2 * multiplyAdds).filter((count) => count > 0);
      expect(flops.sort()).toEqual(layerFlops(net).sort());
      expect(model.parameters().reduce((sum, { size }) => sum + size, 0)).toBe(parameterCount(net));
    } finally {
      model.dispose();
    }
  });

  it('have the parameters of their papers', () => {
    expect(NETS['resnet18-cifar'].parameters).toBe(11_173_962);
    expect(NETS['resnet20-cifar'].parameters).toBe(269_722);
  });

  it('describe the LeNet-5 of the library', () => {
    using model = new LeNet5();
    const layers = summarize(model, NETS.lenet5.input).filter(({ type }) => type !== 'Flatten');
    const kinds: Record<string, string> = {
      Conv2d: 'conv',
      ReLU: 'relu',
      MaxPool2d: 'maxpool',
      Linear: 'linear',
    };
    const described = NETS.lenet5.layers.map(([kind]) => kind).filter((kind) => kind !== 'flatten');
    expect(layers.map(({ type }) => kinds[type])).toEqual(described);
    const flops = layers.map(({ multiplyAdds }) => 2 * multiplyAdds).filter((count) => count > 0);
    expect(flops).toEqual(layerFlops(NETS.lenet5));
  });
});

describe('what is printed', () => {
  it('durations in a fitting unit', () => {
    expect(duration(4.4812)).toBe('4.48 ms');
    expect(duration(0.0123)).toBe('12.3 µs');
    expect(duration(0.000812)).toBe('812 ns');
    expect(duration(2500)).toBe('2.50 s');
  });

  it('ratios with their interval', () => {
    expect(ratioText(1.8, [1.752, 1.861])).toBe('1.80 [1.75, 1.86]');
    expect(ratioText(undefined, undefined)).toBe('');
    expect(ratioText(4193.9, undefined, 1)).toBe('4194 (one call)');
  });

  it('errors, with those of peers who know theirs', () => {
    expect(errorText({ error: null, peers: {} })).toBe('');
    expect(errorText({ error: 2.56e-6, peers: { tensorflow: {} } })).toBe('2.6e-6');
    expect(errorText({ error: 2.56e-6, peers: { tensorflow: {}, pytorch: { error: 1e-5 } } })).toBe(
      '2.6e-6 (pytorch 1.0e-5)',
    );
  });
});

describe('who had the processor', () => {
  it('reads /proc/stat: user nice system idle iowait irq softirq steal', () => {
    const ticks = processorTicks('cpu  100 10 40 700 50 3 7 90 7 7\ncpu0 1 1 1 1\n');
    expect(ticks).toEqual({ steal: 90, busy: 160, total: 1000 });
  });

  it('takes what is neither ours nor idle for others', () => {
    const before = { steal: 50, busy: 1000, total: 5000, own: 200 };
    const after = { steal: 60, busy: 1140, total: 5200, own: 300 };
    expect(shares(before, after)).toEqual({ steal: 5, others: 20 });
    expect(shares(before, before)).toEqual({ steal: 0, others: 0 });
  });

  it.runIf(process.platform === 'linux')('counts the time of a process', () => {
    const before = processTicks([process.pid]);
    const { user, system } = process.cpuUsage();
    for (const end = performance.now() + 150; performance.now() < end; );
    const used = process.cpuUsage();
    const ticks = (used.user + used.system - user - system) / 1e4;
    expect(Math.abs(processTicks([process.pid]) - before - ticks)).toBeLessThan(3);
    expect(processTicks([2 ** 30])).toBe(0);
  });
});

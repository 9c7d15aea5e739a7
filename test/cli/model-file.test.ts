// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadModel } from '../../lib/cli/model-file.js';
import { encodeSafetensors } from '../../lib/io/safetensors.js';
import { memory } from '../../lib/tensor/scope.js';

const folder = mkdtempSync(join(tmpdir(), 'receptive-model-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('loadModel', () => {
  const described = (name: string, network: string) => {
    const metadata = new Map([
      ...([
        ['format', 'receptive'],
        ['model', 'searched'],
        ['inputShape', '[8,8,1]'],
      ] as const),
      ...([
        ['classNames', '["a","b"]'],
        ['network', network],
      ] as const),
    ]);
    const path = join(folder, `${name}.safetensors`);
    writeFileSync(path, encodeSafetensors(new Map(), metadata));
    return path;
  };

  it.each([
    ['no JSON', '{', /nothing left open, as JSON/],
    ['an open choice', '{"layers":[{"linear":{"features":[4,8]}}]}', /nothing left open/],
    ['an unknown layer', '{"layers":[{"lineal":{"features":4}}]}', /lineal|layers/],
    [
      'a window wider than the image',
      '{"layers":[{"conv":{"features":4,"size":99}}]}',
      /a model that this version can build: /,
    ],
    [
      'a layer without end',
      '{"layers":[{"repeat":1e9,"linear":{"features":4}}]}',
      /repeat to be a whole number from 0 to 100/,
    ],
    [
      'huge layers',
      '{"layers":[{"linear":{"features":40000}},{"linear":{"features":40000}}]}',
      /at least \d{10} bytes/,
    ],
    [
      'an impossible width',
      '{"layers":[{"linear":{"features":100000000}}]}',
      /features to be a whole number from 1 to 1000000/,
    ],
  ])('refuses a searched network with %s', async (name, network, expected) => {
    const before = memory().peakBytes;
    const path = described(name, network);
    await expect(loadModel(path)).rejects.toMatchObject({
      ...{ code: 'ERR_DATA', op: `model file ${path}`, expected: expect.stringMatching(expected) },
    });
    expect(memory().peakBytes - before).toBeLessThan(2 ** 20);
  });

  it('refuses a small file that describes a huge model, before memory is taken', async () => {
    const metadata = new Map([
      ['format', 'receptive'],
      ['model', 'lenet5'],
      ['inputShape', '[4000,4000,1]'],
      ['classNames', '["a","b"]'],
    ]);
    const path = join(folder, 'huge.safetensors');
    writeFileSync(path, encodeSafetensors(new Map(), metadata));
    const before = memory().peakBytes;
    await expect(loadModel(path)).rejects.toMatchObject({
      code: 'ERR_DATA',
      op: `model file ${path}`,
      expected: expect.stringMatching(/^at least \d{10} bytes, for the weights of lenet5/),
    });
    expect(memory().peakBytes - before).toBeLessThan(2 ** 20);
  });
});

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

// SPDX-License-Identifier: Apache-2.0
// Folders that several want to make at the same time.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fit } from '../../lib/index.js';
import { makeFolder } from '../../lib/io/atomic-file.js';
import { halves, linearModel } from '../train/tiny.js';

const place = mkdtempSync(join(tmpdir(), 'receptive-atomic-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));

describe('makeFolder', () => {
  it('is done by many at once, each folder being made by one of them', async () => {
    const path = join(place, 'a', 'b', 'c');
    const made = Array.from({ length: 8 }, (): string[] => []);
    await Promise.all(made.map((list) => makeFolder(path, list)));
    expect(existsSync(path)).toBe(true);
    expect(made.flat().sort()).toEqual([dirname(dirname(path)), dirname(path), path]);
  });

  it('fails where a file stands in the way', async () => {
    writeFileSync(join(place, 'file'), '');
    await expect(makeFolder(join(place, 'file', 'inside'))).rejects.toThrow();
    await expect(makeFolder(join(place, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
  });
});

it('two trainings make the folder above theirs at once', async () => {
  const names = ['one', 'other'];
  const results = await Promise.all(
    names.map(async (name) => {
      using model = linearModel();
      const dir = join(place, 'new', 'runs', name);
      const kept = { checkpoint: { dir: join(dir, 'checkpoints') }, log: { dir } };
      return await fit(model, halves(8), { epochs: 2, batchSize: 4, ...kept });
    }),
  );
  expect(results.map(({ steps }) => steps)).toEqual([4, 4]);
  for (const name of names) {
    expect(existsSync(join(place, 'new', 'runs', name, 'checkpoints', 'step-000000004.safetensors'))).toBe(
      true,
    );
  }
});

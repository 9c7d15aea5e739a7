// SPDX-License-Identifier: Apache-2.0
// Transfer: the weights of one model in another with a new head, a report of what fitted, and a body that stays as it is.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  encodeSafetensors,
  fit,
  glyphs,
  LeNet5,
  loadWeights,
  manualSeed,
  memory,
  type nn,
  readMetadata,
  saveWeights,
  take,
  weightsSha256,
} from '../../lib/index.js';
import { refusedLater } from '../helpers/refused.js';

const place = mkdtempSync(join(tmpdir(), 'receptive-transfer-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));
const path = join(place, 'ten.safetensors');

function lenet(classes: number, seed: number): LeNet5 {
  manualSeed(seed);
  return new LeNet5({ classes });
}

/** Values by name. */
const valuesOf = (model: nn.Module) =>
  new Map([...model.stateDict()].map(([name, tensor]) => [name, [...tensor.data()]]));

describe('loadWeights without strict', () => {
  it('takes what fits, says what does not, and leaves that as it was', async () => {
    using ten = lenet(10, 1);
    await saveWeights(ten, path, { metadata: { classNames: ['a', 'b'] } });
    using three = lenet(3, 2);
    const before = valuesOf(three);
    const { report, classNames } = await loadWeights(three, path, { strict: false });
    const names = [...before.keys()];
    const head = names.slice(-2);
    expect(classNames).toEqual(['a', 'b']);
    expect(report).toEqual({
      matched: names.slice(0, -2),
      missing: [],
      unexpected: [],
      mismatched: [`${head[0]} [3, 84], not [10, 84]`, `${head[1]} [3], not [10]`],
    });
    const after = valuesOf(three);
    const source = valuesOf(ten);
    for (const name of names)
      expect(after.get(name), name).toEqual((head.includes(name) ? before : source).get(name));
  });

  it('names what only one side has', async () => {
    using model = lenet(10, 3);
    const [first, ...others] = [...model.stateDict()];
    const tensors = new Map(
      [first, ['more', first[1]] as const].map(([name, tensor]) => {
        const [n, h, w, c] = tensor.shape;
        return [name, { shape: [n, c, h, w], data: tensor.data().fill(2) }] as const;
      }),
    );
    const file = join(place, 'other.safetensors');
    writeFileSync(file, encodeSafetensors(tensors));
    const { report } = await loadWeights(model, file, { strict: false });
    const missing = others.map(([name]) => name);
    expect(report).toEqual({ matched: [first[0]], missing, unexpected: ['more'], mismatched: [] });
    expect(new Set(first[1].data())).toEqual(new Set([2]));
  });

  it('refuses a file of which nothing fits, and wrong options', async () => {
    using model = lenet(10, 3);
    const before = [weightsSha256(model), memory().tensors];
    const file = join(place, 'nothing.safetensors');
    writeFileSync(file, encodeSafetensors(new Map([['x', { shape: [1], data: Float32Array.of(1) }]])));
    const error = await refusedLater(loadWeights(model, file, { strict: false }));
    expect([error.code, error.received]).toEqual(['ERR_DATA', 'x']);
    for (const options of [{ strict: 1 }, { exact: true }]) {
      expect((await refusedLater(loadWeights(model, path, options as never))).code).toBe('ERR_ARGUMENT');
    }
    expect([weightsSha256(model), memory().tensors]).toEqual(before);
  });

  it('is the default to be strict', async () => {
    using three = lenet(3, 2);
    expect((await refusedLater(loadWeights(three, path))).code).toBe('ERR_DATA');
    expect(await readMetadata(path)).not.toHaveProperty('report');
  });
});

describe('a new head', () => {
  it('learns on a body that stays as it is', async () => {
    const { train } = glyphs({ seed: 4, trainSize: 64, testSize: 1 });
    using model = lenet(10, 5);
    await loadWeights(model, path, { strict: false });
    model.freeze();
    const head = model.fc3;
    head.freeze(false);
    const before = valuesOf(model);
    await fit(model, take(train, 64), { epochs: 2, lr: 0.01 });
    const own = new Set(head.parameters());
    for (const [name, parameter] of model.namedParameters()) {
      const isSame = [...parameter.data()].every((value, i) => value === before.get(name)?.[i]);
      expect(isSame, name).toBe(!own.has(parameter));
    }
  });
});

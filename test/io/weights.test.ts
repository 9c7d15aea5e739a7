// SPDX-License-Identifier: Apache-2.0
// Weights in files: PyTorch's layouts, files that do not fit, and folders that cannot be written to.
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readMetadata, type WeightsMetadata } from '../../lib/io/metadata.js';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../../lib/io/safetensors.js';
import { loadWeights, saveWeights, weightsSha256 } from '../../lib/io/weights.js';
import { LeNet5 } from '../../lib/models/lenet5.js';
import * as nn from '../../lib/nn/index.js';
import { manualSeed } from '../../lib/tensor/random.js';
import { memory, tensorScope } from '../../lib/tensor/scope.js';
import { channelsLast, goldenPath, readGolden } from '../helpers/golden.js';
import { refused, refusedLater } from '../helpers/refused.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'receptive-io-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A convolution and the linear layer behind its flatten: everything that is permuted, and something that is not. */
class Small extends nn.Module {
  conv = new nn.Conv2d(2, 3, { kernelSize: [1, 2] });
  flatten = new nn.Flatten();
  fc = new nn.Linear(12, 2, { flattenedFrom: [2, 2, 3], bias: false });
  forward(x: Parameters<nn.Module['forward']>[0]) {
    return this.fc.call(this.flatten.call(this.conv.call(x)));
  }
}

const small = (seed: number) => {
  manualSeed(seed);
  return new Small();
};

const card: WeightsMetadata = {
  model: 'lenet5',
  inputShape: [28, 28, 1],
  classNames: ['zero', 'eins', '二', '"three"'],
  normalization: { mean: [0.1307], std: [0.3081] },
  extra: { epochs: '5', __note: 'any text' },
};

async function writeTensors(
  name: string,
  change: (tensors: Map<string, StoredTensor>) => void,
): Promise<string> {
  using model = small(2);
  const path = join(folder, name);
  await saveWeights(model, path);
  const tensors = new Map(decodeSafetensors(await readFile(path)).tensors);
  change(tensors);
  await writeFile(path, encodeSafetensors(tensors));
  return path;
}

describe('saveWeights and loadWeights', () => {
  it("write PyTorch's names and layouts", async () => {
    using model = small(1);
    const path = join(folder, 'layout.safetensors');
    await saveWeights(model, path);
    const { tensors, metadata } = decodeSafetensors(await readFile(path));
    expect([...tensors].map(([name, { shape }]) => [name, shape])).toEqual([
      ['conv.weight', [3, 2, 1, 2]],
      ['conv.bias', [3]],
      ['fc.weight', [2, 12]],
    ]);
    expect(metadata).toEqual(new Map([['format', 'receptive']]));
    expect(channelsLast(tensors.get('conv.weight')!).data).toEqual(model.conv.weight.data());
    const columns = { shape: [2, 3, 2, 2], data: tensors.get('fc.weight')!.data };
    expect(channelsLast(columns).data).toEqual(model.fc.weight.data());
  });

  it('bring back every bit, and what the file says about the model', async () => {
    using model = small(1);
    using other = small(2);
    const path = join(folder, 'round.safetensors');
    await saveWeights(model, path, { metadata: card });
    const before = memory().tensors;
    expect(await loadWeights(other, path)).toEqual(card);
    expect(memory().tensors).toBe(before);
    expect(weightsSha256(other)).toBe(weightsSha256(model));
    expect(await readMetadata(path)).toEqual(card);
    const { metadata } = decodeSafetensors(await readFile(path));
    expect(metadata.get('model')).toBe('lenet5');
    expect(metadata.get('inputShape')).toBe('[28,28,1]');
  });

  it('read what PyTorch wrote, and write the same tensors back', async () => {
    using model = new LeNet5({ inputShape: [16, 20, 3] });
    const read = await loadWeights(model, goldenPath('lenet5.safetensors'));
    expect(Object.keys(read.extra ?? {})).toEqual(['golden']);
    const path = join(folder, 'again.safetensors');
    await saveWeights(model, path);
    const golden = readGolden('lenet5.safetensors');
    const { tensors } = decodeSafetensors(await readFile(path));
    expect(tensors.size).toBe(10);
    for (const [name, { shape, data }] of tensors) {
      expect(shape).toEqual(golden.at(name).shape);
      expect(data).toEqual(golden.at(name).data);
    }
    const conv1 = channelsLast(golden.at('conv1.weight'));
    expect(model.conv1.weight.shape).toEqual(conv1.shape);
    expect(model.conv1.weight.data()).toEqual(conv1.data);
  });

  it('fit float64 models and files too', async () => {
    using single = small(1);
    using double = small(2).to('float64');
    const path = join(folder, 'single.safetensors');
    await saveWeights(single, path);
    await loadWeights(double, path);
    expect(Float32Array.from(double.fc.weight.data())).toEqual(single.fc.weight.data());
    await saveWeights(double, path);
    using again = small(3);
    await loadWeights(again, path);
    expect(weightsSha256(again)).toBe(weightsSha256(single));
  });

  it('save the weights of the moment of the call', async () => {
    using model = small(1);
    const path = join(folder, 'moment.safetensors');
    const fingerprint = weightsSha256(model);
    const saving = saveWeights(model, path);
    nn.init.constant_(model.conv.weight, 0);
    await saving;
    await loadWeights(model, path);
    expect(weightsSha256(model)).toBe(fingerprint);
  });

  it('do not mind an open scope', async () => {
    using model = small(1);
    const path = join(folder, 'scope.safetensors');
    await saveWeights(model, path);
    using _scope = tensorScope();
    await loadWeights(model, path);
    expect(model.conv.weight.disposed).toBe(false);
  });
});

describe('a file that does not fit', () => {
  const one = { shape: [1], data: Float32Array.of(1) };
  const cases: [string, (tensors: Map<string, StoredTensor>) => void, object][] = [
    ['lacks a tensor', (t) => t.delete('conv.bias'), { received: 'no conv.bias' }],
    ['has one too many', (t) => t.set('fc.bias', one), { received: 'unexpected fc.bias' }],
    [
      'names one otherwise',
      (t) => t.delete('conv.bias') && t.set('conv.Bias', one),
      { received: 'no conv.bias; unexpected conv.Bias' },
    ],
    [
      'has another shape',
      (t) => t.set('conv.weight', { shape: [3, 1, 2, 2], data: new Float32Array(12) }),
      { expected: 'conv.weight [3, 2, 1, 2]', received: '[3, 1, 2, 2]' },
    ],
    [
      'has whole numbers',
      (t) => t.set('conv.bias', { shape: [3], data: new Int32Array(3) }),
      { received: '[3] of whole numbers' },
    ],
    ['has a scalar', (t) => t.set('conv.bias', { shape: [], data: new Float32Array(1) }), { received: '[]' }],
  ];

  it.each(cases)('because it %s changes nothing', async (_, change, parts) => {
    const path = await writeTensors('unfit.safetensors', change);
    using model = small(1);
    const fingerprint = weightsSha256(model);
    const before = memory().tensors;
    expect(await refusedLater(loadWeights(model, path))).toMatchObject({ code: 'ERR_DATA', ...parts });
    expect(weightsSha256(model)).toBe(fingerprint);
    expect(memory().tensors).toBe(before);
  });

  it('because it is damaged changes nothing: every length, every bit of the header', async () => {
    using model = small(1);
    using target = small(2);
    const path = join(folder, 'damaged.safetensors');
    await saveWeights(model, path);
    const bytes = await readFile(path);
    const fingerprint = weightsSha256(target);
    const headerEnd = 8 + Number(bytes.readBigUInt64LE(0));
    const damaged: Uint8Array[] = [];
    for (let length = 0; length < bytes.length; length += 5) damaged.push(bytes.subarray(0, length));
    for (let bit = 0; bit < headerEnd * 8; bit += 3) {
      const flipped = Uint8Array.from(bytes);
      flipped[bit >> 3] ^= 1 << (bit & 7);
      damaged.push(flipped);
    }
    let harmless = 0;
    for (const content of damaged) {
      await writeFile(path, content);
      try {
        await loadWeights(target, path);
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_DATA' });
        if (weightsSha256(target) !== fingerprint) throw new Error('a refused file changed the model');
        continue;
      }
      harmless += 1; // a letter of the metadata
      expect(weightsSha256(target)).toBe(weightsSha256(model));
      target.loadStateDict(small(2).stateDict());
    }
    expect(harmless).toBeLessThan(damaged.length / 10);
  });
});

describe('metadata', () => {
  it.each([
    ['inputShape', [28, 28]],
    ['inputShape', [28, 0, 1]],
    ['classNames', []],
    ['classNames', [1]],
    ['classNames', ['a\tb']],
    ['model', 5],
    ['normalization', { mean: [0.5], std: [0] }],
    ['normalization', { mean: [0.5], std: [1, 1] }],
    ['normalization', { mean: [NaN], std: [1] }],
    ['extra', { model: 'taken' }],
    ['extra', { format: 'taken' }],
    ['extra', { number: 5 }],
  ])('%s of %j is refused before anything is written', async (name, value) => {
    using model = small(1);
    const path = join(folder, 'metadata.safetensors');
    const error = await refusedLater(
      saveWeights(model, path, { metadata: { [name]: value } as WeightsMetadata }),
    );
    expect(error.code).toBe('ERR_ARGUMENT');
    expect(await readdir(folder)).not.toContain('metadata.safetensors');
  });

  it('that lies is refused where it is read; that of other programs is text', async () => {
    const path = join(folder, 'lying.safetensors');
    const write = (entries: [string, string][]) =>
      writeFile(path, encodeSafetensors(new Map(), new Map(entries)));
    for (const [name, value] of [
      ['inputShape', '[28,28,"1"]'],
      ['inputShape', '[1e400,1,1]'],
      ['classNames', '{"length":3}'],
      ['normalization', '{"mean":[0],"std":[-1]}'],
      ['normalization', 'null'],
      ['classNames', 'X, O'], // not JSON
      ['classNames', '["\\u001b[2J"]'], // would clear the screen
      ['model', 'lenet5\n'],
    ] as const) {
      await write([
        ['format', 'receptive'],
        [name, value],
      ]);
      expect(await refusedLater(readMetadata(path)), value).toMatchObject({ code: 'ERR_DATA' });
    }
    await write([
      ['format', 'pt'],
      ['inputShape', 'as it likes'],
    ]);
    expect(await readMetadata(path)).toEqual({ extra: { format: 'pt', inputShape: 'as it likes' } });
    await write([]);
    expect(await readMetadata(path)).toEqual({});
  });
});

describe('files and folders', () => {
  it.each(['loadWeights', 'readMetadata'])('%s says what is wrong with a path', async (op) => {
    using model = small(1);
    const read = (path: string) =>
      refusedLater(op === 'loadWeights' ? loadWeights(model, path) : readMetadata(path));
    expect(await read(join(folder, 'nowhere.safetensors'))).toMatchObject({
      code: 'ERR_FILE',
      op,
      hint: 'does the folder exist?',
    });
    expect((await read(folder)).code).toBe('ERR_FILE');
    expect((await read(join(folder, 'a\0b'))).code).toBe('ERR_FILE');
    await writeFile(join(folder, 'empty'), '');
    expect((await read(join(folder, 'empty'))).code).toBe('ERR_DATA');
  });

  it('saveWeights leaves neither half a file nor a temporary one', async () => {
    using model = small(1);
    const place = join(folder, 'place');
    await mkdir(join(place, 'taken'), { recursive: true });
    await writeFile(join(place, 'taken', 'inside'), 'kept');
    await writeFile(join(place, 'file'), 'kept');
    for (const path of ['missing/model', 'file/model', 'taken', 'a\0b', 'long'.repeat(100)]) {
      const error = await refusedLater(saveWeights(model, join(place, path)));
      expect(error.code, path).toBe('ERR_FILE');
      expect(error.message.split('\n')).toHaveLength(1);
    }
    expect((await readdir(place)).sort()).toEqual(['file', 'taken']);
    expect(await readdir(join(place, 'taken'))).toEqual(['inside']);
  });

  it('saveWeights replaces a file, or a link to one, and nothing else', async () => {
    using model = small(1);
    const place = join(folder, 'replace');
    await mkdir(place);
    await writeFile(join(place, 'target'), 'kept');
    await symlink(join(place, 'target'), join(place, 'model'));
    await saveWeights(model, join(place, 'model'));
    await saveWeights(model, join(place, 'model'));
    expect(await readFile(join(place, 'target'), 'utf8')).toBe('kept');
    expect((await readdir(place)).sort()).toEqual(['model', 'target']);
    await loadWeights(model, join(place, 'model'));
  });

  it('a disposed model is refused', async () => {
    const model = small(1);
    const path = join(folder, 'disposed.safetensors');
    await saveWeights(model, path);
    model.dispose();
    expect((await refusedLater(saveWeights(model, path))).code).toBe('ERR_DISPOSED');
    expect((await refusedLater(loadWeights(model, path))).code).toBe('ERR_DISPOSED');
    expect(refused(() => weightsSha256(model)).code).toBe('ERR_DISPOSED');
  });
});

describe('weightsSha256', () => {
  it('is SHA-256 over the elements in memory, in the order of the names', () => {
    using model = small(1);
    const bytes = model.parameters().map((parameter) => Buffer.from(parameter.data().buffer));
    expect(weightsSha256(model)).toBe(createHash('sha256').update(Buffer.concat(bytes)).digest('hex'));
    expect(weightsSha256(model)).not.toBe(weightsSha256(small(2)));
  });
});

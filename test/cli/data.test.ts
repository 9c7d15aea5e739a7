// SPDX-License-Identifier: Apache-2.0
// `receptive data` and data sets of the user's own, as a user runs them.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readImageHeader } from '../../lib/data/image-header.js';
import { picture, writeTree } from '../data/pictures.js';
import { tarFile } from '../data/tar-file.js';
import { receptive as run, temporaryFolder } from './receptive.js';

describe('receptive data pack', () => {
  const folder = temporaryFolder();

  beforeAll(async () => {
    const bytes = await picture('png');
    const paths = ['flat/1', 'one/red/1', 'one/red/2', 'few/red/1', 'few/blue/1', 'few/blue/2'];
    await writeTree(folder, Object.fromEntries(paths.map((path) => [`${path}.png`, bytes])));
    await writeTree(folder, { 'none/red/notes.txt': Buffer.from('none'), 'a.txt': Buffer.from('text') });
  });

  it('packs a folder, which is then trained on, evaluated on and told by name', async () => {
    for (const part of ['train', 'test']) {
      for (const [name, colour] of Object.entries({ red: [220, 30, 30], blue: [30, 30, 220] })) {
        for (let i = 0; i < 4; i++) {
          const bytes = await picture('png', { width: 20 + i, height: 20, colour });
          await writeTree(folder, { [`in/${part}/${name}/${i}.png`]: bytes });
        }
      }
    }
    const refused = await run(['data', 'pack', 'in', 'x.pack'], folder);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/--image-size/);
    expect(existsSync(join(folder, 'x.pack'))).toBe(false);
    const packed = await run(['data', 'pack', 'in', 'x.pack', '--image-size', '28x28', '--json'], folder);
    expect(packed).toMatchObject({ status: 0, stderr: expect.stringMatching(/converted: 16 resized/) });
    expect(JSON.parse(packed.stdout)).toMatchObject({ images: 16, parts: { train: 8, test: 8 } });
    const options = ['--data', 'packed:x.pack', '--epochs', '2', '--batch-size', '4', '--json', '--quiet'];
    const trained = await run(['train', ...options], folder);
    expect(trained).toMatchObject({ status: 0, stderr: expect.not.stringMatching(/receptive:/) });
    const { model, data, weightsSha256 } = JSON.parse(trained.stdout);
    const more = ['--image-size', '28x28', '--out', 'memory'];
    const inMemory = ['train', '--data', 'folder:in', ...options.slice(2), ...more];
    expect(JSON.parse((await run(inMemory, folder)).stdout)).toMatchObject({ weightsSha256 });
    expect([model, data]).toEqual(['runs/lenet5-x/model.safetensors', 'packed:x.pack']);
    const evaluated = await run(['eval', model, '--json', '--quiet'], folder);
    expect(JSON.parse(evaluated.stdout)).toMatchObject({ images: 8 });
    const direct = ['eval', model, '--data', 'folder:in', '--image-size', '28', '--json', '--quiet'];
    expect(JSON.parse((await run(direct, folder)).stdout).testLoss).toBe(
      JSON.parse(evaluated.stdout).testLoss,
    );
  });

  it('counts and names what it leaves out, whatever names do to a terminal', async () => {
    const bytes = await picture('png');
    const good = ['red/1', 'red/2', 'blue/1'].map((path) => ({ path: `${path}.png`, bytes }));
    const bad = { path: 'blue/\x1b[2J\n2.png', bytes: Buffer.from('bad') };
    writeFileSync(join(folder, 'bad.tar'), tarFile([...good, bad]));
    const refused = await run(['data', 'pack', 'bad.tar', 'bad.pack'], folder);
    expect(refused.stderr).toMatch(/^receptive: reading bad\.tar:blue\/\?\[2J 2\.png: [^\n]*\n$/);
    expect(refused.stderr).not.toContain('\x1b');
    const packed = await run(['data', 'pack', 'bad.tar', 'bad.pack', '--skip-bad', '--json'], folder);
    expect(packed.stderr).toMatch(
      /left out: 1 no picture\n {2}bad\.tar:blue\/\?\[2J 2\.png: something else\n/,
    );
    expect(JSON.parse(packed.stdout)).toMatchObject({ images: 3, skipped: { 'no picture': 1 } });
  });

  it('previews augmentation as a picture', async () => {
    const options = [
      '--data',
      'xo',
      '--augment',
      'flip,rotate=20,scale=0.8:1.2',
      '--images',
      '3',
      '--epochs',
      '2',
    ];
    const result = await run(['data', 'preview', 'sheet.png', ...options, '--json'], folder);
    expect(result.status).toBe(0);
    const { height, width } = JSON.parse(result.stdout);
    const picture = readImageHeader(readFileSync(join(folder, 'sheet.png')));
    expect(picture).toMatchObject({ format: 'png', height, width });
    expect([height, width]).toEqual([4 + 3 * 76, 4 + 3 * 76]);
  });

  it('trains with augmentation', async () => {
    const options = [
      '--data',
      'xo',
      '--train-size',
      '64',
      '--test-size',
      '16',
      '--epochs',
      '1',
      '--json',
      '--quiet',
    ];
    const shas = [];
    for (const more of [[], ['--augment', 'flip=alternate,crop=2'], ['--augment', 'flip=alternate,crop=2']]) {
      const { status, stdout } = await run(['train', ...options, ...more], folder);
      expect(status).toBe(0);
      shas.push(JSON.parse(stdout).weightsSha256);
    }
    expect([shas[1] === shas[0], shas[2] === shas[1]]).toEqual([false, true]);
  });

  it.each([
    [['train', '--augment', 'flop'], 2, /did you mean flip/],
    [['train', '--augment', 'crop=1:mirror'], 2, /crop=4:reflect/],
    [['train', '--data', 'xo', '--augment', 'crop=40:reflect'], 2, /padding/],
    [['data', 'preview', 'no/such/folder/x.png', '--data', 'xo'], 1, /x.png/],
    [['data', 'pack', 'nowhere', 'y.pack'], 1, /nowhere/],
    [['data', 'pack', 'in'], 2, /file/],
    [['data', 'pack', 'in', 'y.pack', '--image-size', '0x3'], 2, /such as 32x32/],
    [['data', 'pack', 'in', 'y.pack', '--fit', 'covr'], 2, /did you mean cover/],
    [['data', 'pack', 'in', 'in'], 1, /file to write at in, received a folder/],
    [['data', 'pack', 'x.pack', 'x.pack'], 2, /x\.pack for both/],
    [['data', 'pack', 'x.pack', 'y.pack'], 1, /received a packed data set/],
    [['data', 'pack', 'flat', 'y.pack'], 1, /flat\/1\.png.*in no class.*<class>\/<picture>/],
    [['data', 'pack', 'in', 'y.pack', '--name', ''], 2, /name to be a text/],
    [['data', 'pack', 'in', 'a.txt/y.pack'], 1, /a\.txt\/y\.pack.*a file stands where a folder/],
    [['train', '--data', 'folder'], 2, /folder:PATH/],
    [['train', '--data', 'folder:nowhere'], 1, /a folder or archive at nowhere/],
    [['train', '--data', 'folder:a.txt'], 1, /a \.tar or \.tar\.gz archive, received a file of another kind/],
    [['train', '--data', 'folder:x.pack'], 1, /packed:FILE/],
    [['train', '--data', 'folder:none'], 1, /reading none: .*none that can be used, 1 other file/],
    [['train', '--data', 'folder:one'], 1, /at least two classes to tell apart, received one, "red"/],
    [['train', '--data', 'folder:few'], 1, /reading few\/red: expected at least two samples of each class/],
    [['train', '--data', 'packed:in'], 1, /packed data set at in.*folder:PATH/],
    [['train', '--data', 'packed:none.pack'], 1, /none.pack/],
    [['train', '--data', 'packed:none.pack', '--data-dir', '.'], 2, /has a path already/],
    [['train', '--data', 'pakced:none.pack'], 2, /one of glyphs/],
  ])('refuses %j with one line', async (args, status, message) => {
    const result = await run(args, folder);
    expect(result).toMatchObject({ status, stderr: expect.stringMatching(message) });
    expect(result.stderr.trim().split('\n')).toHaveLength(1);
    expect(existsSync(join(folder, 'y.pack')) || existsSync(join(folder, 'runs', 'lenet5-one'))).toBe(false);
  });
});

// SPDX-License-Identifier: Apache-2.0
// What can be done with a saved model: eval, predict, summary; and info.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { drawXo, XO_SIZE } from '../../lib/data/xo.js';
import { lastJson, receptive, temporaryFolder } from './receptive.js';

const cwd = temporaryFolder();
const model = 'run/model.safetensors';
let trained: Record<string, unknown>;

beforeAll(async () => {
  const args = [
    '--data',
    'xo',
    '--train-size',
    '2000',
    '--test-size',
    '200',
    '--epochs',
    '6',
    '--out',
    'run',
    '--json',
  ];
  trained = lastJson((await receptive(['train', ...args], cwd)).stdout);
  expect(trained.testAccuracy).toBeGreaterThan(0.97);
});

describe('receptive eval', () => {
  it('measures what train measured, from the file alone', async () => {
    const { status, stdout } = await receptive(['eval', model, '--test-size', '200', '--json'], cwd);
    expect(status).toBe(0);
    const row = lastJson(stdout);
    const { testAccuracy, testLoss, weightsSha256 } = trained;
    expect(row).toMatchObject({ testAccuracy, testLoss, weightsSha256, images: 200, data: 'xo', model });
    expect((row.confusion as number[][]).flat().reduce((sum, count) => sum + count)).toBe(200);
  });

  it('shows more metrics where they are asked for', async () => {
    const names = 'top1,f1,recallPerClass,calibrationError';
    const args = ['eval', model, '--test-size', '50', '--metrics', names];
    const { status, stdout } = await receptive([...args, '--json'], cwd);
    expect(status).toBe(0);
    const { metrics, testAccuracy } = lastJson(stdout) as Record<string, Record<string, unknown>>;
    expect(Object.keys(metrics)).toEqual(names.split(','));
    expect(metrics.top1).toBe(testAccuracy);
    expect(metrics.recallPerClass).toHaveLength(2);
    const { stdout: text } = await receptive(args, cwd);
    expect(text).toMatch(/^f1 \d+\.\d+ %$/m);
    expect(text).toMatch(/^recallPerClass X \d+\.\d+ %, O \d+\.\d+ %$/m);
    const wrong = await receptive(['eval', model, '--metrics', 'f1,tops'], cwd);
    expect(wrong).toMatchObject({ status: 2, stdout: '' });
    expect(wrong.stderr).toMatch(/--metrics.*top5/);
    const tooMany = await receptive(['eval', model, '--test-size', '5', '--metrics', 'top3'], cwd);
    expect(tooMany.stderr).toMatch(/at most 2 classes/);
  });

  it('shows a table', async () => {
    const { stdout } = await receptive(['eval', model, '--test-size', '50'], cwd);
    expect(stdout).toMatch(/^xo from run\/model.safetensors on xo: 50 test images$/m);
    expect(stdout).toMatch(/^test accuracy /m);
    expect(stdout).toMatch(/^ +O +/m);
  });

  it('refuses data that the model was not made for', async () => {
    const { status, stderr } = await receptive(['eval', model, '--data', 'glyphs', '--test-size', '5'], cwd);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^receptive: eval: expected images of \[24, 24, 1\] in 2 classes, .* received glyphs, which has \[28, 28, 1\] in 10 .*\[ERR_DATA\]\n$/,
    );
  });
});

describe('receptive predict', () => {
  /** An X or O as a file: as it was drawn, or dark on a large white sheet. */
  async function picture(index: number, onPaper: boolean): Promise<[path: string, name: string]> {
    const pixels = new Uint8Array(XO_SIZE ** 2);
    const name = ['X', 'O'][drawXo(77, index, pixels)];
    const path = `${name}-${index}.${onPaper ? 'jpg' : 'png'}`;
    const raw = { width: XO_SIZE, height: XO_SIZE, channels: 1 as const };
    const image = onPaper
      ? sharp(
          pixels.map((value) => 255 - value),
          { raw },
        )
          .resize(240)
          .extend({ left: 200, right: 90, background: '#ffffff' })
          .jpeg()
      : sharp(pixels, { raw }).png();
    await image.toFile(join(cwd, path));
    return [path, name];
  }

  it('recognises pictures as they were drawn, and dark on white', async () => {
    const pictures = await Promise.all([...Array(10).keys()].map((i) => picture(i, i >= 5)));
    const paths = pictures.map(([path]) => path);
    const { status, stdout } = await receptive(['predict', model, ...paths, '--json'], cwd);
    expect(status).toBe(0);
    const { predictions } = lastJson(stdout) as { predictions: Record<string, unknown>[] };
    expect(predictions.map(({ image }) => image)).toEqual(paths);
    expect(predictions.map((row) => row.inverted)).toEqual(pictures.map((_, i) => i >= 5));
    const right = predictions.filter((row, i) => row.class === pictures[i][1]).length;
    expect(right).toBeGreaterThanOrEqual(9);
    for (const { probabilities } of predictions) {
      const values = Object.values(probabilities as Record<string, number>);
      expect(values.reduce((sum, value) => sum + value)).toBeCloseTo(1, 4);
    }
    expect(stdout).not.toMatch(/^X-/m);
  });

  it('shows classes with their probabilities', async () => {
    const [path, name] = await picture(1, false);
    const { stdout } = await receptive(['predict', model, path], cwd);
    expect(stdout).toMatch(
      new RegExp(`^${path}: ${name} \\d+\\.\\d %\n {2}[XO] [█░]{24} +\\d+\\.\\d %$`, 'm'),
    );
  });

  it('does not swap dark and light when told so', async () => {
    const [path] = await picture(6, true);
    const { stdout } = await receptive(['predict', model, path, '--invert', 'never', '--json'], cwd);
    expect(lastJson(stdout)).toMatchObject({ predictions: [{ inverted: false }] });
  });

  it('refuses what is missing or no picture, naming the file', async () => {
    writeFileSync(join(cwd, 'text.png'), 'not a picture');
    for (const [path, code] of [
      ['missing.png', 'ERR_FILE'],
      ['text.png', 'ERR_DATA'],
    ]) {
      const { status, stdout, stderr } = await receptive(['predict', model, path], cwd);
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      expect(stderr).toMatch(new RegExp(`^receptive: predict: .*${path}.* \\[${code}\\]\n$`));
    }
  });
});

describe('receptive summary', () => {
  it('lists the layers of a named model', async () => {
    const { status, stdout } = await receptive(['summary', 'lenet5'], cwd);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^conv2 +Conv2d +10x10x16 +2,416 +240\.0 k +6\.4 kB +14 +2 +2$/m);
    expect(stdout).toMatch(/^ +61,706 +416\.5 k +58\.4 kB$/m);
  });

  it('gives the same as JSON, from a file too', async () => {
    const { stdout } = await receptive(['summary', model, '--json'], cwd);
    const { layers, ...rest } = lastJson(stdout) as { layers: object[] } & Record<string, unknown>;
    expect(rest).toMatchObject({
      model: 'xo',
      inputShape: [24, 24, 1],
      parameters: 19_906,
      weightBytes: 79_624,
    });
    expect(layers[0]).toEqual({
      path: 'conv1',
      type: 'Conv2d',
      outputShape: [1, 24, 24, 8],
      parameters: 208,
      multiplyAdds: 115_200,
      outputBytes: 18_432,
      receptiveField: { size: [5, 5], stride: [1, 1], padding: [2, 2] },
    });
  });

  it('describes the largest model without its memory', async () => {
    const { status, stdout } = await receptive(['summary', 'vgg16', '--json'], cwd);
    expect(status).toBe(0);
    const { layers, ...totals } = lastJson(stdout) as { layers: { path: string; receptiveField: object }[] };
    expect(totals).toEqual({
      model: 'vgg16',
      inputShape: [224, 224, 3],
      parameters: 138_357_544,
      multiplyAdds: 15_470_264_320,
      outputBytes: expect.any(Number),
      weightBytes: 553_430_176,
    });
    expect(layers.find(({ path }) => path === 'features.30')?.receptiveField).toEqual({
      size: [212, 212],
      stride: [32, 32],
      padding: [90, 90],
    });
  });
});

describe('receptive info', () => {
  it('says what it runs on', async () => {
    const { status, stdout } = await receptive(['info', '--json'], cwd, { RECEPTIVE_CACHE: '/some/where' });
    expect(status).toBe(0);
    expect(lastJson(stdout)).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      node: process.versions.node,
      platform: `${process.platform}-${process.arch}`,
      isa: expect.any(String),
      supportedIsas: expect.arrayContaining(['scalar']),
      threads: expect.any(Number),
      cores: expect.any(Number),
      cacheFolder: '/some/where',
    });
    const { stdout: text } = await receptive(['info'], cwd);
    expect(text).toMatch(/^instructions +\w+ \(this processor has .*scalar\)$/m);
  });

  it('takes instruction set and threads from the environment', async () => {
    const env = { RECEPTIVE_ISA: 'scalar', RECEPTIVE_THREADS: '1' };
    const { stdout } = await receptive(['info', '--json'], cwd, env);
    expect(lastJson(stdout)).toMatchObject({ isa: 'scalar', threads: 1 });
    const { status, stderr } = await receptive(['info'], cwd, { RECEPTIVE_ISA: 'sse9' });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^receptive: RECEPTIVE_ISA: expected one of .*\n$/);
  });
});

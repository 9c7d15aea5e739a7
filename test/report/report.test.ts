// SPDX-License-Identifier: Apache-2.0
// `writeReport`: one file with everything in it, nothing of a user's becomes markup, and the figures are those of the metrics.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ArrayDataset, type Dataset, evaluate, fit, metrics, type nn } from '../../lib/index.js';
import { type ReportOptions, writeReport } from '../../lib/report/index.js';
import { refusedLater } from '../helpers/refused.js';
import { halves, linearModel } from '../train/tiny.js';

const place = mkdtempSync(join(tmpdir(), 'receptive-report-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));

const HOSTILE = ['<script>alert("1")</script> & co', "b' onmouseover='x\u202e"];
const named = (data: Dataset, classNames: readonly string[]) =>
  new ArrayDataset({ ...data, classNames, images: data.images, labels: data.labels });

let model: nn.Module;
let page = '';
let files: readonly string[] = [];
const folder = join(place, 'deep', 'run');
const test = named(halves(40), HOSTILE);
const evaluated = async () => evaluate(model, test, { worst: 5 });

beforeAll(async () => {
  model = linearModel();
  const config = { note: '</style><img src=x onerror=alert(2)>' };
  const result = await fit(model, halves(32), {
    ...{ epochs: 2, batchSize: 4, validation: halves(8), optimizer: 'sgd', lr: 0.05 },
    log: { dir: folder, config },
  });
  files = await writeReport(folder, { title: 'halves <b>', model, result, test, validationName: 'held out' });
  page = readFileSync(join(folder, 'report.html'), 'utf8');
});
afterAll(() => model.dispose());

const textOf = (html: string) =>
  html
    .replaceAll(/<style>[\s\S]*?<\/style>/g, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');

describe('a report', () => {
  it('is one page with all sections, and pictures beside it', () => {
    expect(files).toEqual(['report.html', 'curves.svg', 'confusion.svg']);
    for (const name of files) expect(existsSync(join(folder, name))).toBe(true);
    const headings = [...page.matchAll(/<h2>([^<]*)<\/h2>/g)].map(([, text]) => text);
    expect(headings).toEqual([
      ...['Curves', 'Confusion matrix', 'Classes', 'Largest losses', 'Epochs', 'Model', 'Configuration'],
    ]);
    expect(page.match(/<svg/g)).toHaveLength(2);
    expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(textOf(page)).toMatch(/parameters 10 /);
    expect(textOf(page)).toContain('held out loss');
    expect(textOf(page)).toMatch(/batchSize 4 /);
  });

  it('needs no network and no script', () => {
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/<(script|link|iframe|object|embed)\b/i);
    expect(
      [...page.matchAll(/\b(?:src|href)="([^"]*)"/g)].filter(
        ([, url]) => !/^(data:image\/png;base64,|#)/.test(url),
      ),
    ).toEqual([]);
    expect(page).not.toMatch(/@import|url\((?!#)/);
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, id] of page.matchAll(/url\(#([^)]+)\)/g)) expect(ids).toContain(id);
  });

  it('makes no markup of names and settings', () => {
    expect(page).not.toContain('<script>alert');
    expect(page).not.toContain('<img src=x');
    expect(page).not.toContain("' onmouseover");
    expect(page).not.toContain('\u202e');
    expect(page).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; co');
    expect(page).toContain('<title>halves &lt;b&gt;</title>');
    expect(page).toContain('&lt;/style&gt;&lt;img src=x onerror=alert(2)&gt;');
  });

  it('has the figures of the metrics', async () => {
    const { confusion, accuracy } = await evaluated();
    const text = textOf(page);
    const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
    expect(text).toContain(`test accuracy ${percent(accuracy)}`);
    const [row, other] = confusion.map((counts, c) => {
      const scores = [metrics.precision, metrics.recall, metrics.f1].map(
        (of) => of(confusion, { average: 'none' })[c],
      );
      return [`${counts[0] + counts[1]}`, `${counts[c]}`, ...scores.map(percent)].join(' ');
    });
    expect(text).toContain(row);
    expect(text).toContain(other);
  });

  it('shows the images with the largest loss as they are', async () => {
    const { worst = [] } = await evaluate(model, test, { worst: 24 });
    const pictures = [...page.matchAll(/<img src="data:image\/png;base64,([^"]+)"/g)].map(([, data]) => data);
    expect(pictures).toHaveLength(24);
    expect([...page.matchAll(/>image (\d+)</g)].map(([, index]) => Number(index))).toEqual(
      worst.map(({ index }) => index),
    );
    const { data, info } = await sharp(Buffer.from(pictures[0], 'base64'))
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([info.height, info.width]).toEqual([2, 2]);
    const image = test.images.subarray(4 * worst[0].index, 4 * worst[0].index + 4);
    const bright = [...image].map((value) => (value > 0 ? 255 : 0));
    expect([...data].filter((_, i) => i % info.channels === 0)).toEqual(bright);
  });

  it('leaves out what there is nothing of, and takes away pictures of an earlier one', async () => {
    expect(await writeReport(folder, {})).toEqual(['report.html']);
    expect(['curves.svg', 'confusion.svg'].filter((name) => existsSync(join(folder, name)))).toEqual([]);
    const bare = readFileSync(join(folder, 'report.html'), 'utf8');
    expect([...bare.matchAll(/<h2>([^<]*)/g)].map(([, text]) => text)).toEqual(['Configuration']);
    expect(bare).toContain('<title>Training report</title>');
  });

  it('has colours for many classes, and no table for too many', async () => {
    const of = async (classes: number) => {
      const classNames = Array.from({ length: classes }, (_, c) => `class ${c}`);
      const confusion = classNames.map((_, label) =>
        classNames.map((_, c) => (c === label ? 3 : c === label + 1 ? 1 : 0)),
      );
      const evaluation = { ...(await evaluated()), worst: [], confusion };
      const dir = join(place, `of-${classes}`);
      const written = await writeReport(dir, { evaluation, test: named(halves(40), classNames) });
      return { written, text: readFileSync(join(dir, 'report.html'), 'utf8') };
    };
    const some = await of(40);
    expect(some.text).toContain('class="confusion many"');
    expect(some.text).toContain('title="class 7 as class 8: 1"');
    const many = await of(201);
    expect(many.written).toEqual(['report.html']);
    expect(many.text).not.toContain('class="confusion');
    expect(textOf(many.text)).toContain('Most often mistaken: class 0 as class 1 (1)');
  });

  it.each<[string, unknown, string]>([
    ['an unknown option', { model: undefined, tset: test }, 'ERR_ARGUMENT'],
    ['a title that is none', { title: 3 }, 'ERR_ARGUMENT'],
    ['a model that is none', { model: {} }, 'ERR_ARGUMENT'],
    ['a result that is none', { result: [] }, 'ERR_ARGUMENT'],
    ['an evaluation without its set', { evaluation: { confusion: [[1]] } }, 'ERR_ARGUMENT'],
    ['an evaluation of another set', { evaluation: { confusion: [[1]] }, test }, 'ERR_ARGUMENT'],
    ['a configuration that is none', { config: 'small' }, 'ERR_ARGUMENT'],
  ])('is refused with %s', async (_, options, code) => {
    const dir = join(place, 'refused');
    expect((await refusedLater(writeReport(dir, options as ReportOptions))).code).toBe(code);
    expect(existsSync(dir)).toBe(false);
  });

  it('says so where its folder cannot be', async () => {
    writeFileSync(join(place, 'file'), '');
    const error = await refusedLater(writeReport(join(place, 'file', 'run'), {}));
    expect([error.code, error.op]).toEqual(['ERR_FILE', 'writeReport']);
    expect((await refusedLater(writeReport('', {}))).code).toBe('ERR_ARGUMENT');
  });
});

// SPDX-License-Identifier: Apache-2.0
// Files in pieces: of any size, whatever a call of the system takes or gives, and whichever read or write goes wrong.
import { createHash } from 'node:crypto';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { writeAtomically } from '../../lib/io/atomic-file.js';
import { readMetadata } from '../../lib/io/metadata.js';
import { PIECE_BYTES } from '../../lib/io/pieces.js';
import {
  decodeSafetensors,
  encodeSafetensors,
  type StoredTensor,
  safetensorsParts,
} from '../../lib/io/safetensors.js';
import { openTensors, readTensor, withFile } from '../../lib/io/safetensors-reader.js';
import { readSealed, sealedParts } from '../../lib/io/sealed-file.js';
import { loadWeights, saveWeights, weightsSha256 } from '../../lib/io/weights.js';
import * as nn from '../../lib/nn/index.js';
import { manualSeed } from '../../lib/tensor/random.js';
import { memory } from '../../lib/tensor/scope.js';
import { CheckpointFolder } from '../../lib/train/checkpoint-folder.js';
import { bytesSource } from '../helpers/bytes-source.js';
import { refusedLater } from '../helpers/refused.js';

/** Most bytes of one call, which call goes wrong in which way, and what was asked of the system. */
const USUAL = { most: Number.POSITIVE_INFINITY, failsAt: 0, cutsAt: 0, writesNothingAt: 0 };
const system = vi.hoisted(() => ({
  ...{ most: 0, failsAt: 0, cutsAt: 0, writesNothingAt: 0 },
  ...{ reads: 0, writes: 0, bytesRead: 0, openFiles: 0 },
}));
beforeEach(() => plant({}));

function plant(changes: Partial<typeof USUAL>): void {
  Object.assign(system, USUAL, { reads: 0, writes: 0, bytesRead: 0 }, changes);
}

vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs/promises')>();
  const open = async (...args: Parameters<typeof real.open>) => {
    const file = await real.open(...args);
    system.openFiles += 1;
    const [read, write, close] = [file.read.bind(file), file.write.bind(file), file.close.bind(file)];
    let isOpen = true;
    const changed = {
      read: async (target: Uint8Array, at: number, length: number, place: number) => {
        system.reads += 1;
        if (system.reads === system.failsAt) {
          throw Object.assign(new Error('EIO: it was planted, read'), { code: 'EIO', syscall: 'read' });
        }
        if (system.reads === system.cutsAt) await real.truncate(args[0], place + (length >> 1));
        const result = await read(target, at, Math.min(length, system.most), place);
        system.bytesRead += result.bytesRead;
        return result;
      },
      write: async (bytes: Uint8Array, at: number, length: number, where: number | null) => {
        system.writes += 1;
        if (system.writes === system.writesNothingAt) return { bytesWritten: 0, buffer: bytes };
        return write(bytes, at, Math.min(length, system.most), where);
      },
      close: async () => {
        if (isOpen) system.openFiles -= 1;
        isOpen = false;
        return close();
      },
    };
    return Object.assign(file, changed);
  };
  return { ...real, open };
});

const place = mkdtempSync(join(tmpdir(), 'receptive-reader-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));

/** Permuted weights, plain ones, and a counter of 64 bits. */
function small(seed: number): nn.Module {
  manualSeed(seed);
  return new nn.Sequential(
    ...[new nn.Conv2d(2, 3, { kernelSize: [1, 2] }), new nn.BatchNorm2d(3), new nn.Flatten()],
    new nn.Linear(12, 2),
  );
}

/** Saves the small model of a seed. */
async function saved(name: string, seed: number): Promise<{ path: string; hash: string }> {
  using model = small(seed);
  const path = join(place, name);
  await saveWeights(model, path, { metadata: { extra: { seed: String(seed) } } });
  return { path, hash: weightsSha256(model) };
}

const pattern = (length: number, salt: number) =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + salt) & 255);

/** Tensors that end before, at and behind the borders of pieces, most of them not aligned; and a counter of 64 bits. */
const lengths = [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES + 3];
const BORDERS = new Map<string, StoredTensor>([
  ...lengths.map((length, i): [string, StoredTensor] => [
    `bytes.${i}`,
    { shape: [length], data: pattern(length, i) },
  ]),
  ['floats', { shape: [2, 150_000], data: Float32Array.from({ length: 300_000 }, (_, i) => Math.sin(i)) }],
  ['counter', { shape: [], data: Int32Array.of(-7), int64: true }],
]);
const NOTES = new Map([['format', 'receptive']]);

describe('a system that moves few bytes at a time', () => {
  it.each([1, 3, 7, 1000])('%i: gets the same file, and gives the same weights', async (most) => {
    const whole = await saved('whole', 1);
    plant({ most });
    const { path, hash } = await saved('in-bits', 1);
    expect(readFileSync(path)).toEqual(readFileSync(whole.path));
    expect(system.writes).toBeGreaterThan(readFileSync(path).length / (most + 1));
    using model = small(2);
    expect(await loadWeights(model, path)).toEqual({ extra: { seed: '1' } });
    expect(weightsSha256(model)).toBe(hash);
    expect(await readMetadata(path)).toEqual({ extra: { seed: '1' } });
    expect(system.openFiles).toBe(0);
  });
});

describe('pieces', () => {
  const path = join(place, 'borders');
  const expectSame = (name: string, data: StoredTensor['data'] | undefined, wanted: StoredTensor['data']) => {
    expect(data?.constructor, name).toBe(wanted.constructor);
    expect(Buffer.compare(new Uint8Array(data!.buffer), new Uint8Array(wanted.buffer)), name).toBe(0);
  };

  it('make up the bytes that the whole would', async () => {
    await writeAtomically('test', path, safetensorsParts(BORDERS, NOTES));
    const bytes = readFileSync(path);
    expect(Buffer.compare(bytes, encodeSafetensors(BORDERS, NOTES))).toBe(0);
    const whole = decodeSafetensors(bytes);
    await withFile('test', 'a file', path, async (source) => {
      const file = await openTensors(source, path);
      expect(file.entries.map(({ name }) => name)).toEqual([...whole.tensors.keys()]);
      for (const entry of file.entries) {
        const { data, ...rest } = await readTensor(file, entry);
        const { data: wanted, ...others } = BORDERS.get(entry.name) as StoredTensor;
        expect(rest).toEqual(others);
        expectSame(entry.name, data, wanted);
      }
    });
  });

  it('give the checksum of the whole, and show a bit that changed at either side of a border', async () => {
    await writeAtomically('test', path, await sealedParts(BORDERS, NOTES));
    const bytes = readFileSync(path);
    const { sha256, ...others } = JSON.parse(
      bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString(),
    ).__metadata__;
    expect(others).toEqual({ format: 'receptive' });
    const zeroed = Buffer.from(bytes);
    zeroed.fill('0', zeroed.indexOf(sha256), zeroed.indexOf(sha256) + 64);
    expect(sha256).toBe(createHash('sha256').update(zeroed).digest('hex'));
    const read = () => withFile('test', 'a file', path, (source) => readSealed(source, path));
    const { tensors } = await read();
    for (const [name, { data }] of BORDERS) expectSame(name, tensors.get(name)?.data, data);
    const { entries, head } = await openTensors(bytesSource(bytes), path);
    for (const { begin, end } of entries) {
      for (const at of [begin, begin + PIECE_BYTES - 1, begin + PIECE_BYTES, end - 1]) {
        if (at < begin || at >= end) continue;
        bytes[head.length + at] ^= 16;
        const error = await refusedLater(readSealed(bytesSource(bytes), path));
        expect([error.code, error.op.includes(path)]).toEqual(['ERR_DATA', true]);
        bytes[head.length + at] ^= 16;
      }
    }
    expect((await readSealed(bytesSource(bytes), path)).tensors.size).toBe(BORDERS.size);
  });
});

describe('weights of which a read goes wrong', () => {
  it.each(['failsAt', 'cutsAt'] as const)(
    '%s: leave the model as it was, whichever read it is',
    async (what) => {
      const { path, hash } = await saved('fragile', 1);
      const bytes = readFileSync(path);
      using model = small(2);
      const before = [weightsSha256(model), memory().tensors];
      let at = 1;
      for (; ; at += 1) {
        writeFileSync(path, bytes);
        plant({ [what]: at });
        const error = await loadWeights(model, path).then(
          () => undefined,
          (thrown) => thrown,
        );
        expect(system.openFiles).toBe(0);
        if (system.reads < at) break;
        expect(error).toMatchObject({ code: what === 'failsAt' ? 'ERR_FILE' : 'ERR_DATA' });
        expect(error.message).toContain(path);
        expect([weightsSha256(model), memory().tensors]).toEqual(before);
      }
      expect(at).toBeGreaterThan(2 + model.stateDict().size); // the length of the header, the header, all tensors
      expect(weightsSha256(model)).toBe(hash);
    },
  );
});

describe('a checkpoint of which a read goes wrong', () => {
  const tensors = new Map([...BORDERS].slice(0, 4));
  const NAMES = ['step-000000001.safetensors', 'step-000000002.safetensors'];

  it.each(['failsAt', 'cutsAt'] as const)(
    '%s: is passed over where it was cut, whichever read',
    async (what) => {
      const dir = join(place, what);
      const folder = new CheckpointFolder(dir);
      await folder.prepare();
      await folder.write(1, await sealedParts(tensors, NOTES));
      await folder.write(2, await sealedParts(tensors, NOTES));
      const bytes = readFileSync(join(dir, NAMES[1]));
      let at = 1;
      for (; ; at += 1) {
        plant({ [what]: at });
        const damaged: string[] = [];
        const found = await folder
          .newest(({ path }, error) => damaged.push(path, error.code))
          .catch((thrown) => thrown);
        expect(system.openFiles).toBe(0);
        if (found.step === 2) break;
        if (what === 'failsAt') {
          expect(found).toMatchObject({ code: 'ERR_FILE' });
          expect(found.message).toContain(join(dir, NAMES[1]));
          expect([damaged, readdirSync(dir)]).toEqual([[], NAMES]);
        } else {
          expect([found.step, ...damaged]).toEqual([1, join(dir, NAMES[1]), 'ERR_DATA']);
          expect(readdirSync(dir)).toEqual([NAMES[0], `${NAMES[1]}.damaged`]);
        }
        writeFileSync(join(dir, NAMES[1]), bytes);
        rmSync(join(dir, `${NAMES[1]}.damaged`), { force: true });
      }
      expect(at).toBeGreaterThan(5); // the length of the header, the header, three tensors that are not empty
    },
  );
});

describe('a write of nothing', () => {
  it('ends the writing, whichever it is, and leaves the file that was there', async () => {
    const { path } = await saved('kept', 1);
    const before = readFileSync(path);
    const names = readdirSync(place);
    using model = small(2);
    let at = 1;
    for (; ; at += 1) {
      plant({ writesNothingAt: at });
      const error = await saveWeights(model, path).then(
        () => undefined,
        (thrown) => thrown,
      );
      expect(system.openFiles).toBe(0);
      if (system.writes < at) break;
      expect(error).toMatchObject({ code: 'ERR_FILE', op: 'saveWeights' });
      expect(error.received).toBe(`${path}: the system wrote nothing`);
      expect([readFileSync(path), readdirSync(place)]).toEqual([before, names]);
    }
    expect(at).toBeGreaterThan(1 + model.stateDict().size);
    expect(readFileSync(path)).not.toEqual(before);
  });
});

describe('a part of a file', () => {
  it('is all that is read where not all is wanted', async () => {
    const { path, hash } = await saved('part', 1);
    const more: [string, StoredTensor] = ['more', { shape: [100_000], data: new Float32Array(100_000) }];
    const tensors = new Map([more, ...decodeSafetensors(readFileSync(path)).tensors]);
    writeFileSync(path, encodeSafetensors(tensors));
    using model = small(2);
    plant({});
    const { report } = await loadWeights(model, path, { strict: false });
    expect([report.unexpected, weightsSha256(model)]).toEqual([['more'], hash]);
    expect(system.bytesRead).toBeLessThan(4000);
  });

  // Elsewhere files may have no holes
  it.runIf(process.platform === 'linux')('may lie beyond 2 and 4 GiB', async () => {
    const { path: source, hash } = await saved('near', 1);
    const path = join(place, 'far');
    const hole = 5 * 2 ** 30;
    const [length, header, ...elements] = partsOf(readFileSync(source), hole);
    const file = openSync(path, 'w');
    let at = 0;
    for (const part of [length, header]) at += writeSync(file, part, 0, part.length, at);
    at += hole;
    for (const part of elements) at += writeSync(file, part, 0, part.length, at);
    closeSync(file);
    using model = small(2);
    const { report } = await loadWeights(model, path, { strict: false });
    expect([report.unexpected, weightsSha256(model)]).toEqual([['hole'], hash]);
    expect(await readMetadata(path)).toEqual({});
    const refusal = await refusedLater(loadWeights(model, path));
    expect([refusal.code, refusal.received]).toEqual(['ERR_DATA', 'unexpected hole']);
    truncateSync(path, at - 1);
    const cut = await refusedLater(loadWeights(model, path, { strict: false }));
    const elementBytes = at - length.length - header.length;
    expect([cut.expected, cut.received]).toEqual([
      `${elementBytes} bytes behind the header`,
      String(elementBytes - 1),
    ]);
    rmSync(path);
  });

  /** Length of the header, header and elements of a file that begins with a tensor of so many bytes. */
  function partsOf(bytes: Buffer, hole: number): Uint8Array[] {
    const end = 8 + Number(bytes.readBigUInt64LE());
    const { __metadata__: _, ...entries } = JSON.parse(bytes.subarray(8, end).toString());
    for (const entry of Object.values<{ data_offsets: number[] }>(entries)) {
      entry.data_offsets = entry.data_offsets.map((offset) => offset + hole);
    }
    const first = { dtype: 'U8', shape: [hole], data_offsets: [0, hole] };
    const header = Buffer.from(JSON.stringify({ hole: first, ...entries }));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    return [length, header, bytes.subarray(end)];
  }
});

it('is told of a file that is written to while it is read, also where its length stays', async () => {
  const path = join(mkdtempSync(join(place, 'rewritten-')), 'file');
  writeFileSync(path, 'before');
  const error = await refusedLater(
    withFile('loadWeights', 'a file', path, async (source) => {
      await source.check();
      writeFileSync(path, 'behind');
      await source.check();
    }),
  );
  expect(error).toMatchObject({ code: 'ERR_DATA', received: 'one that was written to while it was read' });
});

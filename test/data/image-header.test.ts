// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readImageHeader } from '../../lib/data/image-header.js';

import { picture, pngChunk, pngFile } from './pictures.js';

describe('readImageHeader', () => {
  it.each(['jpeg', 'png', 'webp'] as const)('reads the size of a %s picture', async (format) => {
    const header = readImageHeader(await picture(format, { width: 13, height: 301 }));
    expect(header).toEqual({
      ...{ format, width: 13, height: 301, colours: 'colour', depth: 8, isAnimated: false },
    });
  });

  it('reads what sharp writes in other ways', async () => {
    const image = () => sharp(Buffer.alloc(40 * 30 * 3, 90), { raw: { width: 40, height: 30, channels: 3 } });
    const size = { width: 40, height: 30 };
    const cases: [Buffer, object][] = [
      [await image().jpeg({ progressive: true }).toBuffer(), size],
      [await image().withMetadata({ orientation: 6 }).jpeg().toBuffer(), size],
      [await image().toColourspace('b-w').jpeg().toBuffer(), { ...size, colours: 'grey' }],
      [await image().toColourspace('cmyk').jpeg().toBuffer(), { ...size, colours: 'cmyk' }],
      [await image().toColourspace('b-w').png().toBuffer(), { ...size, colours: 'grey' }],
      [await image().toColourspace('rgb16').png().toBuffer(), { ...size, depth: 16 }],
      [await image().webp({ quality: 50 }).toBuffer(), size],
      [await image().ensureAlpha(0.5).webp({ quality: 50 }).toBuffer(), size],
      [await image().png({ palette: true }).toBuffer(), { ...size, colours: 'colour' }],
    ];
    for (const [bytes, expected] of cases) expect(readImageHeader(bytes)).toMatchObject(expected);
  });

  it('tells animations', async () => {
    const animated = pngFile(4, 4, { extra: [pngChunk('acTL', Buffer.alloc(8))] });
    expect(readImageHeader(animated)?.isAnimated).toBe(true);
    const frames = Buffer.alloc(4 * 8 * 3, 7);
    frames.fill(200, 0, 48);
    const webp = await sharp(frames, { raw: { width: 4, height: 8, channels: 3, pageHeight: 4 } })
      .webp({ loop: 0, delay: [10, 10] })
      .toBuffer();
    expect(readImageHeader(webp)).toMatchObject({ isAnimated: true, width: 4, height: 4 });
  });

  it('never throws, and never reads beyond the end', async () => {
    const whole = [await picture('jpeg'), await picture('png'), await picture('webp')];
    for (const bytes of whole) {
      for (let length = 0; length < Math.min(bytes.length, 400); length++) {
        readImageHeader(Uint8Array.from(bytes.subarray(0, length)));
      }
    }
    fc.assert(
      fc.property(
        fc.constantFrom(...whole),
        fc.nat(400),
        fc.uint8Array({ maxLength: 40 }),
        (bytes, at, noise) => {
          const wrong = Uint8Array.from(bytes);
          wrong.set(noise.subarray(0, Math.max(0, wrong.length - at)), Math.min(at, wrong.length));
          readImageHeader(wrong);
        },
      ),
      { seed: Number(process.env.RECEPTIVE_TEST_SEED ?? 1), numRuns: 500 },
    );
  });
});

// SPDX-License-Identifier: Apache-2.0
// What the first bytes of a JPEG, PNG or WebP file say of it, asked before anything is decoded: how large the picture
// claims to be, and whether it is of a kind that is turned into plain colours on the way.

export interface ImageHeader {
  readonly format: 'jpeg' | 'png' | 'webp';
  readonly width: number;
  readonly height: number;
  /** 'cmyk' also stands for YCCK; a palette counts as 'colour'. */
  readonly colours: 'grey' | 'colour' | 'cmyk';
  /** Bits a channel. */
  readonly depth: number;
  readonly isAnimated: boolean;
}

/** Reads the header; nothing for other formats and for files that end within it. */
export function readImageHeader(bytes: Uint8Array): ImageHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (view.getUint16(0) === 0xffd8) return jpegHeader(view);
    if (view.getUint32(0) === 0x89504e47 && view.getUint32(4) === 0x0d0a1a0a) return pngHeader(view);
    if (view.getUint32(0) === RIFF && view.getUint32(8) === WEBP) return webpHeader(view);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // the end of the file
  }
  return undefined;
}

const RIFF = 0x52494646;
const WEBP = 0x57454250;

/** Walks the segments to the frame header. */
function jpegHeader(view: DataView): ImageHeader | undefined {
  for (let at = 2; ; ) {
    while (view.getUint8(at) === 0xff && view.getUint8(at + 1) === 0xff) at++; // fill bytes
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) {
      const channels = view.getUint8(at + 9);
      return {
        format: 'jpeg',
        height: view.getUint16(at + 5),
        width: view.getUint16(at + 7),
        colours: channels === 1 ? 'grey' : channels === 4 ? 'cmyk' : 'colour',
        depth: view.getUint8(at + 4),
        isAnimated: false,
      };
    }
    if (marker === 0xd9 || marker === 0xda) return undefined; // the picture ends or begins without one
    at += 2 + view.getUint16(at + 2);
  }
}

function pngHeader(view: DataView): ImageHeader | undefined {
  if (view.getUint32(12) !== 0x49484452) return undefined; // IHDR
  const type = view.getUint8(25);
  const header = {
    format: 'png',
    width: view.getUint32(16),
    height: view.getUint32(20),
    colours: type === 0 || type === 4 ? 'grey' : 'colour',
    depth: view.getUint8(24),
  } as const;
  let isAnimated = false;
  for (let at = 8; at + 8 <= view.byteLength; at += 12 + view.getUint32(at)) {
    const chunk = view.getUint32(at + 4);
    if (chunk === 0x6163544c) isAnimated = true; // acTL
    if (chunk === 0x49444154) break; // IDAT: animations are announced before it
  }
  return { ...header, isAnimated };
}

function webpHeader(view: DataView): ImageHeader | undefined {
  const rest = { format: 'webp', colours: 'colour', depth: 8 } as const;
  const chunk = view.getUint32(12);
  if (chunk === 0x56503858) {
    const three = (at: number) => view.getUint16(at, true) + 65536 * view.getUint8(at + 2);
    const isAnimated = (view.getUint8(20) & 2) !== 0;
    return { ...rest, width: three(24) + 1, height: three(27) + 1, isAnimated }; // VP8X
  }
  if (chunk === 0x56503820) {
    const side = (at: number) => view.getUint16(at, true) & 0x3fff;
    return { ...rest, width: side(26), height: side(28), isAnimated: false }; // 'VP8 '
  }
  if (chunk === 0x5650384c) {
    const bits = view.getUint32(21, true);
    const [width, height] = [1 + (bits & 0x3fff), 1 + ((bits >>> 14) & 0x3fff)];
    return { ...rest, width, height, isAnimated: false }; // VP8L
  }
  return undefined;
}

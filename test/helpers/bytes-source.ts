// SPDX-License-Identifier: Apache-2.0
// Bytes in memory as readers of files take them: as fast as damage of every bit needs it.
import type { ByteSource } from '../../lib/io/safetensors-reader.js';

export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    fill: async (target, place) => {
      if (place + target.length > bytes.length)
        throw new Error(`${target.length} bytes at ${place} are asked for`);
      target.set(bytes.subarray(place, place + target.length));
    },
    check: async () => {},
  };
}

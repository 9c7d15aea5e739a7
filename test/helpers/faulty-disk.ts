// SPDX-License-Identifier: Apache-2.0
// A disk on which the k-th call that writes, syncs or renames fails, once or from then on. A test takes it by
//   vi.mock('node:fs/promises', async (original) => (await import('../helpers/faulty-disk.js')).faultyDisk(await original()));
import type { FileHandle } from 'node:fs/promises';

type Disk = typeof import('node:fs/promises');

/** Which call fails, 0 for none, and whether those after it do; how many there were, and how many of them failed. */
export const fault = { at: 0, code: '', forever: false, calls: 0, fired: 0 };

/** Makes call `at` fail with a code of the system; 'short' writes half of it, 'nothing' nothing, without an error. */
export function plant(at: number, code: string, forever: boolean): void {
  Object.assign(fault, { at, code, forever, calls: 0, fired: 0 });
}

/** The functions of `node:fs/promises`, of which those that write can fail. */
export function faultyDisk(real: Disk): Disk {
  const isDue = () => {
    fault.calls += 1;
    const due = fault.forever ? fault.calls >= fault.at : fault.calls === fault.at;
    if (fault.at === 0 || !due) return false;
    fault.fired += 1;
    return true;
  };
  const isQuiet = () => fault.code === 'short' || fault.code === 'nothing';
  const refuse = (syscall: string) => {
    const message = `${fault.code}: it was planted, ${syscall}`;
    throw Object.assign(new Error(message), { code: fault.code, syscall });
  };
  const open = async (...args: Parameters<Disk['open']>) => {
    const file = await real.open(...args);
    const [write, sync] = [file.write.bind(file), file.sync.bind(file)];
    const badWrite = async (bytes: Uint8Array, at: number, length: number, position: number | null) => {
      if (!isDue()) return write(bytes, at, length, position);
      if (fault.code === 'nothing') return { bytesWritten: 0, buffer: bytes };
      const half = await write(bytes, at, Math.ceil(length / 2), position);
      return fault.code === 'short' ? half : refuse('write');
    };
    const badSync = async () => (isDue() && !isQuiet() ? refuse('fsync') : sync());
    return Object.assign(file, { write: badWrite, sync: badSync }) as FileHandle;
  };
  const rename: Disk['rename'] = async (from, to) =>
    isDue() && !isQuiet() ? refuse('rename') : real.rename(from, to);
  const writeFile: Disk['writeFile'] = async (...args) =>
    isDue() && !isQuiet() ? refuse('write') : real.writeFile(...args);
  return { ...real, open, rename, writeFile };
}

// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it, vi } from 'vitest';
import { StopRequest } from '../../lib/cli/stop.js';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('StopRequest', () => {
  it('asks first and obeys the second signal', () => {
    const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
    const onFirst = vi.fn();
    using stop = new StopRequest(onFirst);
    expect([stop.exitCode, stop.signal.aborted]).toEqual([undefined, false]);
    process.emit('SIGINT', 'SIGINT');
    expect([stop.exitCode, stop.signal.aborted]).toEqual([130, true]);
    expect(onFirst).toHaveBeenCalledOnce();
    expect(exit).not.toHaveBeenCalled();
    exit.mockImplementation(() => {
      throw new Error('gone'); // nothing runs after an exit
    });
    expect(() => process.emit('SIGTERM', 'SIGTERM')).toThrow('gone');
    expect(exit).toHaveBeenCalledWith(143);
    expect(onFirst).toHaveBeenCalledOnce();
  });

  it('gives the signals back', () => {
    const before = process.listenerCount('SIGINT');
    {
      using stop = new StopRequest(() => {});
      expect(stop.exitCode).toBeUndefined();
      expect(process.listenerCount('SIGINT')).toBe(before + 1);
    }
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});

// SPDX-License-Identifier: Apache-2.0
// The scripts that a newcomer and the gate rely on: what they say when something is missing, that they leave
// alone what is fresh, and that the gate cannot pass when nothing ran.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { root } from './package-root.js';

const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'receptive-scripts-'));
afterAll(() => fs.rmSync(temporary, { recursive: true, force: true }));

function script(name: string, args: string[], env: Record<string, string> = {}) {
  const file = path.join(root, 'scripts', name);
  return spawnSync(process.execPath, [file, ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
}

describe('build-native', () => {
  test('names the package to install when there is no compiler, without a stack trace', () => {
    const empty = { PATH: temporary, CXX: '', PYTHON: '', npm_config_python: '' };
    const { status, stderr } = script('build-native.mjs', ['--force'], empty);
    expect(status).toBe(1);
    expect(stderr).toContain('a C++17 compiler (looked for c++, g++, clang++)');
    expect(stderr).toMatch(/run: .*(g\+\+|gcc|xcode-select)|Install g\+\+/);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test('says nothing and compiles nothing when the binary is fresh', () => {
    const binary = path.join(root, 'build', 'Release', 'receptive.node');
    const before = fs.statSync(binary).mtimeMs;
    const { status, stderr } = script('build-native.mjs', []);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(fs.statSync(binary).mtimeMs).toBe(before);
  });
});

describe('installHint', async () => {
  const url = pathToFileURL(path.join(root, 'scripts', 'toolchain.mjs')).href;
  const { installHint } = (await import(url)) as {
    installHint(osRelease: string | null, platform?: string): { system: string; command: string | null };
  };

  test.each([
    ['PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n', 'apt-get install g++ make python3'],
    [
      'PRETTY_NAME="Linux Mint 22"\nID=linuxmint\nID_LIKE="ubuntu debian"\n',
      'apt-get install g++ make python3',
    ],
    ['PRETTY_NAME="Fedora Linux 42"\nID=fedora\n', 'dnf install gcc-c++ make python3'],
    [
      'PRETTY_NAME="Rocky Linux 9.5"\nID="rocky"\nID_LIKE="rhel centos fedora"\n',
      'dnf install gcc-c++ make python3',
    ],
    ['PRETTY_NAME="Alpine Linux v3.21"\nID=alpine\n', 'apk add g++ make python3'],
    ['PRETTY_NAME="Arch Linux"\nID=arch\n', 'pacman -S gcc make python'],
    ['PRETTY_NAME="NixOS 25.05"\nID=nixos\n', null],
    [null, null],
  ])('%j', (osRelease, command) => {
    expect(installHint(osRelease, 'linux').command).toBe(command);
  });

  test('macOS', () => {
    expect(installHint(null, 'darwin').command).toBe('xcode-select --install');
  });
});

describe('setup', () => {
  test('leaves installed packages alone', () => {
    expect(script('setup.mjs', ['--packages'])).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });
});

describe('test-random', () => {
  test.each([
    ['--runs', '0'],
    ['--seed', 'x'],
    ['--seed', String(2 ** 31)],
  ])('refuses %s %s', (option, value) => {
    const { status, stderr } = script('test-random.mjs', [option, value]);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `receptive: expected a whole number above 0 and below 2^31, received ${value}\n`,
    });
  });
});

describe('ci-summary', () => {
  const summary = (report: unknown, earlier = '0') => {
    const file = path.join(temporary, 'report.json');
    fs.writeFileSync(file, typeof report === 'string' ? report : JSON.stringify(report));
    const { status, stdout } = script('ci-summary.mjs', [file, earlier]);
    return { status, lastLine: stdout.trimEnd().split('\n').at(-1) };
  };
  const loaded = { status: 'passed', assertionResults: [{ status: 'passed' }] };
  const good = { success: true, numPassedTests: 7, numFailedTests: 0, testResults: [loaded] };

  test('passes only when tests ran, all passed, and the steps before passed', () => {
    expect(summary(good)).toEqual({ status: 0, lastLine: '7 passed, 0 failed' });
    expect(summary(good, '1')).toEqual({ status: 1, lastLine: '7 passed, 0 failed' });
  });

  test('fails with the number of failures', () => {
    const bad = { ...good, success: false, numPassedTests: 5, numFailedTests: 2 };
    expect(summary(bad, '1')).toEqual({ status: 1, lastLine: '5 passed, 2 failed' });
  });

  test('counts a file that could not be loaded as a failure', () => {
    const unloadable = { status: 'failed', assertionResults: [] };
    const bad = { ...good, success: false, testResults: [loaded, unloadable] };
    expect(summary(bad, '1')).toEqual({ status: 1, lastLine: '7 passed, 1 failed' });
  });

  test('fails when no test ran or the report is no report', () => {
    const none = { success: true, numPassedTests: 0, numFailedTests: 0, testResults: [] };
    expect(summary(none)).toEqual({ status: 1, lastLine: '0 passed, 0 failed' });
    expect(summary('')).toEqual({ status: 1, lastLine: '0 passed, 0 failed' });
  });
});

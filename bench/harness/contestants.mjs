// SPDX-License-Identifier: Apache-2.0
// Who can be measured: ourselves, and the registry of peers. A peer is a program that speaks the protocol of
// peers/protocol.py; to add one, add an entry here and its script to peers/.
import path from 'node:path';
import { root } from './machine.mjs';
import { Worker } from './worker.mjs';

const script = (...parts) => path.join(root, 'bench', ...parts);

/** Python for a peer: its own variable, the common one, else the system's. */
function python(...variables) {
  for (const name of variables) if (process.env[name]) return process.env[name];
  return 'python3';
}

/** Name → how to start it, and the line that installs what it needs. */
export const PEERS = {
  // Ourselves, but each operation as it is called: what a captured step gains
  eager: {
    command: () => process.execPath,
    script: script('workers', 'ours.mjs'),
    environment: { BENCH_VARIANT: 'eager' },
    install: 'npm run setup',
  },
  pytorch: {
    command: () => python('RECEPTIVE_PEER_PYTHON'),
    script: script('peers', 'pytorch.py'),
    install:
      'python3 -m pip install torch --index-url https://download.pytorch.org/whl/cpu  # or set RECEPTIVE_PEER_PYTHON to a Python that has it',
  },
  tensorflow: {
    command: () => python('RECEPTIVE_PEER_PYTHON_TENSORFLOW', 'RECEPTIVE_PEER_PYTHON'),
    script: script('peers', 'tensorflow_cpu.py'),
    install:
      'python3 -m pip install tensorflow-cpu  # or set RECEPTIVE_PEER_PYTHON_TENSORFLOW to a Python that has it',
  },
};

/** Every pool that a library may bring gets as many threads as ours has. */
function threadVariables(threads) {
  const count = String(threads);
  return {
    RECEPTIVE_THREADS: count,
    OMP_NUM_THREADS: count,
    MKL_NUM_THREADS: count,
    BENCH_THREADS: count,
  };
}

/** Starts our own worker. */
export function startOurs(threads, file = 'ours.mjs') {
  return Worker.start('receptive', process.execPath, [script('workers', file)], threadVariables(threads));
}

/** Starts a peer. Throws WorkerError with reason 'missing' if it is not installed. */
export function startPeer(name, threads, { compile = false } = {}) {
  const peer = PEERS[name];
  const env = {
    ...threadVariables(threads),
    ...peer.environment,
    ...(compile ? { BENCH_COMPILE: '1' } : {}),
  };
  return Worker.start(name, peer.command(), [peer.script], env);
}

/** The one line that says what is missing and how to get it. */
export function missingLine(name, reason) {
  const what = reason.split('\n').at(-1);
  return `peer ${name} is missing (${what}); install it with: ${PEERS[name].install}`;
}

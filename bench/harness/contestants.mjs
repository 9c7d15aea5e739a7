// SPDX-License-Identifier: Apache-2.0
// Who can be measured: ourselves, and the registry of peers. A peer is a program that speaks the protocol of
// peers/protocol.py and peers/protocol.mjs; to add one, add an entry here and its script to peers/.
import path from 'node:path';
import { root } from './machine.mjs';
import { Peer } from './peer.mjs';
import { Worker } from './worker.mjs';

const script = (...parts) => path.join(root, 'bench', ...parts);

/** Python for a peer: its own variable, the common one, else the system's. */
function python(...variables) {
  for (const name of variables) if (process.env[name]) return process.env[name];
  return 'python3';
}

/**
 * glibc gives large blocks back to the system and asks for them again. PyTorch's steps gain by keeping them (two threads of a
 * Zen 4, 9 alternating rounds): LeNet-5 at 64 and 256 images 0.75 of the time, resnet20-cifar 0.83, vgg-cifar 0.89, resnet18-cifar
 * 0.96, LeNet-5 at 1 image 1.0. Huge pages besides changed nothing.
 */
const KEPT_HEAP = { MALLOC_MMAP_MAX_: '0', MALLOC_TRIM_THRESHOLD_: String(2 ** 34) };

const isMemoryMeasured = ({ measures }) => measures === 'memory';

/** peers/tensorflow_cpu.py says what each is worth. */
const tensorflowSettings = (threads) => [
  { name: '', env: {} },
  ...(threads > 1 ? [{ name: 'one node at a time', env: { BENCH_NODES_AT_ONCE: '1' } }] : []),
  { name: 'no oneDNN', env: { TF_ENABLE_ONEDNN_OPTS: '0' }, fits: ({ batch }) => batch === 1 },
];

const NPM = 'npm ci --ignore-scripts --prefix bench/peers';
const inNode = (file) => ({
  command: () => process.execPath,
  script: script('peers', file),
  install: NPM,
});

/**
 * Name → how to start it, and the line that installs what it needs.
 *
 * @type {Record<string, any>}
 */
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
    settings: () => [
      { name: '', env: KEPT_HEAP },
      { name: 'heap given back', env: {}, fits: isMemoryMeasured },
    ],
    install:
      'python3 -m pip install torch --index-url https://download.pytorch.org/whl/cpu  # or set RECEPTIVE_PEER_PYTHON to a Python that has it',
  },
  tensorflow: {
    command: () => python('RECEPTIVE_PEER_PYTHON_TENSORFLOW', 'RECEPTIVE_PEER_PYTHON'),
    script: script('peers', 'tensorflow_cpu.py'),
    settings: tensorflowSettings,
    install:
      'python3 -m pip install tensorflow-cpu  # or set RECEPTIVE_PEER_PYTHON_TENSORFLOW to a Python that has it',
  },
  tfjs: inNode('tfjs.mjs'),
  convnetjs: inNode('convnetjs.mjs'),
  'jax-js': inNode('jax.mjs'),
  'onnxruntime-node': inNode('onnxruntime.mjs'),
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

/** Starts our own worker, under a name that tells it from others of its kind; `isa`: the instruction set that it is held to. */
export function startOurs(threads, file = 'ours.mjs', name = 'receptive', isa = undefined) {
  const variables = { ...threadVariables(threads), ...(isa === undefined ? {} : { RECEPTIVE_ISA: isa }) };
  return Worker.start(name, process.execPath, [script('workers', file)], variables);
}

/** Another way of ours to do the tasks, as a contestant of its own: its name tells the worker which. */
export function startVariant(threads, name) {
  const env = { ...threadVariables(threads), BENCH_VARIANT: name };
  return Worker.start(name, process.execPath, [script('workers', 'ours.mjs')], env);
}

/**
 * Starts a peer.
 *
 * @param options compile: whether it may try what has to compile first; default true
 * @throws WorkerError, with reason 'missing' if it is not installed
 */
export function startPeer(name, threads, { compile = true } = {}) {
  const { command, script, environment, settings } = PEERS[name];
  const env = { ...threadVariables(threads), ...environment, BENCH_COMPILE: compile ? '1' : '0' };
  return Peer.start(name, { command: command(), args: [script], env }, settings?.(threads));
}

/** The one line that says what is missing and how to get it. */
export function missingLine(name, reason) {
  const what = reason.split('\n').at(-1);
  return `peer ${name} is missing (${what}); install it with: ${PEERS[name].install}`;
}

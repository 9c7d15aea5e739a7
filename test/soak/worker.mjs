// SPDX-License-Identifier: Apache-2.0
// A worker that trains until it is terminated, in one of four manners, and says how far it is.
import { parentPort, workerData } from 'node:worker_threads';
import { work } from './work.mjs';

const MANNERS = [{}, { priority: 'background' }, { cpuShare: 0.3 }, { onBatch: () => {} }];
parentPort.postMessage('loaded');
const onProgress = () => parentPort.postMessage('busy');
await work(workerData, { ...MANNERS[workerData % 4], epochs: 1e6, onProgress });

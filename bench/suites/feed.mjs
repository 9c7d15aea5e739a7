// SPDX-License-Identifier: Apache-2.0
// What data costs a training: steps that read each batch from a packed file and change it at random, beside the same steps from
// memory without changes. The ratio is the time of those by that of the fed ones: 0.95 is 5 % slower.
import { runCases } from '../harness/run-cases.mjs';
import { NETS } from '../nets.mjs';

export const summary = 'trainings from a packed file with augmentation, against those from memory without';

/** There is nothing to compare but ourselves. */
export const alone = true;
export const beside = ['from-memory'];

const CASES = [
  feedCase('vgg-cifar', 64, [{ kind: 'flip' }, { kind: 'crop', padding: 4 }]),
  feedCase('lenet5', 64, [{ kind: 'affine', translate: 0.1 }]),
];

function feedCase(model, batch, augment) {
  return { name: `${model}/b${batch}`, task: { kind: 'feed', net: NETS[model], batch, augment } };
}

export const caseNames = () => CASES.map(({ name }) => name);

export function run(context, names) {
  const cases = CASES.filter(({ name }) => names.includes(name)).map(({ name, task }) => {
    const isPacked = context.packed !== undefined && task.net.input[2] === 3;
    return { name, task: { ...task, packed: isPacked ? context.packed : null } };
  });
  const row = (measured) => {
    const { task } = cases.find(({ name }) => name === measured.case);
    const slower = (100 * (1 / measured.ratio['from-memory'] - 1)).toFixed(1);
    const kinds = task.augment.map(({ kind, ...options }) => `${kind} ${JSON.stringify(options)}`);
    const images = task.packed === null ? 'generated images' : 'a packed file of CIFAR-10';
    const notes = [`${slower} % slower with ${kinds.join(', ')}; ${images}`, measured.notes];
    context.row({ ...measured, notes: notes.filter((text) => text !== '').join('; ') });
  };
  const noting = Object.assign(Object.create(context), { row });
  return runCases(noting, cases, context.threadCounts(), { beside });
}

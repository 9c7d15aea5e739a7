// SPDX-License-Identifier: Apache-2.0
// Trainings in worker_threads: several at once, and ended in the middle of a replay, as is a process.
import { describe, expect, test } from 'vitest';
import { childJson, ENDS_WORKERS, runChild } from '../helpers/child.js';

/** What a worker does: train a model from a seed, captured, with answers meanwhile. */
const WORK = `
  import { fit, glyphs, LeNet5, manualSeed, memory, predict, serve, weightsSha256 } from '#dist/index.js';
  const { train, test } = glyphs({ seed: 2, trainSize: 80, testSize: 8 });
  const OPTIONS = { batchSize: 16, seed: 1, lr: 0.002 };
  async function work(seed, options = {}) {
    manualSeed(seed);
    const model = new LeNet5();
    const serving = await serve(model);
    const training = fit(model, train, { ...OPTIONS, ...options });
    const { classes } = await serving.predict(test.images, { imageShape: [28, 28, 1] });
    await serving.publish();
    const { captured, steps } = await training;
    const result = { hash: weightsSha256(model), answers: [...classes].join(), captured, steps };
    serving.dispose();
    model.dispose();
    return result;
  }`;

/** A worker's module: WORK and what follows, as the text of a string literal. */
const source = (text: string) => `${JSON.stringify(WORK)} + ${JSON.stringify(text)}`;
const START = `
  import { Worker, parentPort } from 'node:worker_threads';
  const start = (text) => new Worker(new URL('data:text/javascript,' + encodeURIComponent(text)));`;
const IMPORT = `const { parentPort } = await import('node:worker_threads');`;

describe('trainings in workers', () => {
  test('eight at once give the weights of one alone', () => {
    const result = childJson(
      `${START}${WORK}
       const wanted = [await work(1), await work(2)];
       const text = ${source(`${IMPORT}
         parentPort.once('message', async (seed) => {
           const result = await work(seed, seed === 1 ? { priority: 'background' } : {});
           parentPort.postMessage({ result, tensors: memory().tensors });
         });`)};
       const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => new Promise((resolve, reject) => {
         const worker = start(text);
         worker.once('error', reject).once('message', resolve);
         worker.postMessage(1 + i % 2);
       })));
       console.log(JSON.stringify({
         wanted: wanted.map(({ captured, steps }) => ({ captured, steps })),
         differ: wanted[0].hash !== wanted[1].hash,
         same: answers.map(({ result }, i) => JSON.stringify(result) === JSON.stringify(wanted[i % 2])),
         tensors: answers.map(({ tensors }) => tensors),
       }));`,
      { env: { RECEPTIVE_THREADS: '3' }, timeout: 30_000 },
    );
    expect(result).toEqual({
      wanted: Array(2).fill({ captured: true, steps: 5 }),
      differ: true,
      same: Array(8).fill(true),
      tensors: Array(8).fill(0),
    });
  });

  // To start a worker takes up to a second on a busy machine: as many as there is time for.
  test('end cleanly in the middle of a replay, up to a hundred times', () => {
    const { status, signal, stdout, stderr } = runChild(
      `${START}${WORK}
       const wanted = await work(1);
       const text = ${source(`${IMPORT}
         const kinds = [{}, { priority: 'background' }, { cpuShare: 0.3 }, { onBatch: () => {} }];
         parentPort.once('message', (i) => {
           const onProgress = () => parentPort.postMessage('busy');
           work(i, { ...kinds[i % 4], epochs: 1e6, onProgress }).catch(() => {});
         });`)};
       let ended = 0;
       const until = performance.now() + 9000;
       async function row() {
         while (ended < 100 && performance.now() < until) {
           const number = ended++;
           await new Promise((resolve, reject) => {
             const worker = start(text);
             worker.once('error', reject).once('message', () => {
               setTimeout(() => worker.terminate().then(resolve, reject), (number * 7) % 23);
             });
             worker.postMessage(number);
           });
         }
       }
       await Promise.all(Array.from({ length: 8 }, row));
       const after = await work(1);
       const same = JSON.stringify(after) === JSON.stringify(wanted);
       console.log(JSON.stringify({ enough: ended >= 16, same, tensors: memory().tensors }));`,
      { env: { RECEPTIVE_THREADS: '2' }, flags: ENDS_WORKERS, timeout: 28_000 },
    );
    expect({ status, signal, stdout: stdout.trim(), stderr }).toEqual({
      status: 0,
      signal: null,
      stdout: '{"enough":true,"same":true,"tensors":0}',
      stderr: '',
    });
  });
});

describe('a worker', () => {
  /** What it is in the middle of when it is ended. It has `model`, `plan` and `steps`. */
  const WAYS = {
    'a run on its own thread': 'for (;;) plan.runSync(steps);',
    'copies of a model that learns':
      'plan.run(endless()); (async () => { for (;;) (await model.snapshot()).dispose(); })();',
    'a run without end': 'plan.run(endless());',
    'eager operations':
      'for (;;) predictSync(model, test.images, { imageShape: [28, 28, 1], batchSize: 4 });',
    'an allocation': 'for (;;) tensor(new Float32Array(1e5)).dispose();',
  };

  test.each(Object.entries(WAYS))('may be ended in the middle of %s', (_, way) => {
    const { status, signal, stdout, stderr } = runChild(
      `${START}${WORK}
       const wanted = await work(1);
       const text = ${source(`${IMPORT}
         const { capture, optim, predictSync, tensor } = await import('#dist/index.js');
         const model = new LeNet5();
         const optimizer = new optim.SGD(model.parameters());
         const plan = capture({ model, optimizer }, { input: [16, 28, 28, 1] });
         const steps = { images: new Float32Array(16 * 784), labels: new Int32Array(16) };
         function* endless() { for (;;) yield steps; }
         parentPort.postMessage('busy');
         ${way}`)};
       const until = performance.now() + 1200;
       let ended = 0;
       while (performance.now() < until || ended < 2) {
         await Promise.all([5, 1, 13].map((wait) => new Promise((resolve, reject) => {
           const worker = start(text);
           worker.once('error', reject).once('message', () => {
             setTimeout(() => worker.terminate().then(resolve, reject), (wait * ++ended) % 29);
           });
         })));
       }
       const same = JSON.stringify(await work(1)) === JSON.stringify(wanted);
       console.log(JSON.stringify({ same, tensors: memory().tensors }));`,
      { env: { RECEPTIVE_THREADS: '2' }, flags: ENDS_WORKERS, timeout: 28_000 },
    );
    expect({ status, signal, stdout: stdout.trim(), stderr }).toEqual({
      status: 0,
      signal: null,
      stdout: '{"same":true,"tensors":0}',
      stderr: '',
    });
  });
});

describe('a process', () => {
  const exits = [
    ['by process.exit', 'process.exit(7);', 7],
    ['by an error that nobody catches', "throw new Error('on purpose');", 1],
  ] as const;
  test.each(exits)('may end %s while plans run, here and in workers', (_, end, wanted) => {
    const { status, signal, stderr } = runChild(
      `${START}${WORK}
       const text = ${source(`${IMPORT}
         work(1, { epochs: 1e6, onProgress: () => parentPort.postMessage('busy') }).catch(() => {});`)};
       let busy = 0;
       const one = () => { if (++busy === 5) setTimeout(() => { ${end} }, 20); };
       start(text).once('message', one);
       start(text).once('message', one);
       for (const options of [{}, { priority: 'background' }, { cpuShare: 0.1 }]) {
         let isFirst = true;
         const onProgress = () => { if (isFirst) one(); isFirst = false; };
         work(1, { ...options, epochs: 1e6, onProgress }).catch(() => {});
       }`,
      { env: { RECEPTIVE_THREADS: '2' }, flags: ENDS_WORKERS },
    );
    expect({ status, signal }).toEqual({ status: wanted, signal: null });
    if (wanted === 7) expect(stderr).toBe('');
    else expect(stderr).toContain('on purpose');
  });
});

// SPDX-License-Identifier: Apache-2.0
// What a callback is given belongs to it: taking it away, as a transfer to a worker does, harms neither the run nor its result.
import { expect, test } from 'vitest';
import { childJson } from '../helpers/child.js';

const STEPS = 3000;
test.each(['run', 'runSync'])('outputs can be transferred while %s goes on', (run) => {
  const result = childJson(
    `import { capture, nn } from '#dist/index.js';
     const model = new nn.ReLU();
     const plan = capture(({ x }) => ({ y: model.call(x) }), { inputs: { x: [1000] } });
     const x = new Float32Array(${STEPS} * 1000).map((_, i) => Math.floor(i / 1000));
     let calls = 0, isRight = true;
     const result = await plan.${run}({ x }, {
       prefetch: ${STEPS},
       onProgress({ first, done, outputs }) {
         calls += 1;
         const { y } = structuredClone(outputs, { transfer: [outputs.y.buffer] });
         isRight &&= y.length === (done - first) * 1000 && y[0] === first && y.at(-1) === done - 1;
         new Float32Array(${STEPS} * 1000).fill(-1); // takes memory that was given up
         globalThis.gc();
       },
     });
     const { y } = result.outputs;
     console.log(JSON.stringify({ called: calls > 0, isRight, whole: y.every((value, i) => value === x[i]) }));`,
    { flags: ['--expose-gc'] },
  );
  expect(result).toEqual({ called: true, isRight: true, whole: true });
});

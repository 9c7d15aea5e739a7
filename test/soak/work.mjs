// SPDX-License-Identifier: Apache-2.0
// What a worker does: train LeNet-5 from a seed, captured, and answer meanwhile.
import { fit, glyphs, LeNet5, manualSeed, serve, weightsSha256 } from '../../dist/index.js';

const { train, test } = glyphs({ seed: 2, trainSize: 80, testSize: 8 });

/** @returns what names the weights and the answers */
export async function work(seed, options = {}) {
  manualSeed(seed);
  const model = new LeNet5();
  const serving = await serve(model);
  const training = fit(model, train, { batchSize: 16, seed: 1, lr: 0.002, ...options });
  const { classes } = await serving.predict(test.images, { imageShape: [28, 28, 1] });
  await serving.publish();
  await training;
  const result = `${weightsSha256(model)} ${classes.join()}`;
  serving.dispose();
  model.dispose();
  return result;
}

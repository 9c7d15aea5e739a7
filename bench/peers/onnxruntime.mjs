// SPDX-License-Identifier: Apache-2.0
// onnxruntime-node as a contestant in forward passes (it has no gradients). Its binaries for the CPU are part of the npm
// package; its install script only fetches those for CUDA. It fuses ReLU and batch normalisation into convolutions and keeps
// channels in blocks between them; 'nchw' is without the blocks.
import { createRequire } from 'node:module';
import { checkParameters, servePeer, THREADS, uniform, unsupported } from './protocol.mjs';

const LEVELS = { 'nchw blocks': 'all', nchw: 'extended' };

async function load() {
  const { default: ort } = await import('onnxruntime-node');
  const { encodeModel } = await import('./onnx-file.mjs');
  const { onnxModel } = await import('./onnx-model.mjs');
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json');
  let session = null;

  /** Weights are random, but the same kind of numbers that training starts from. */
  async function prepare({ kind, net, batch }, variant) {
    if (kind !== 'infer') throw unsupported(`no task ${kind}`);
    await session?.release();
    const { model, parameters } = onnxModel(net, batch);
    checkParameters(net, parameters);
    session = await ort.InferenceSession.create(encodeModel(model), {
      executionProviders: ['cpu'],
      graphOptimizationLevel: LEVELS[variant],
      executionMode: 'sequential',
      intraOpNumThreads: THREADS,
      interOpNumThreads: 1,
      extra: { session: { set_denormal_as_zero: '1' } },
    });
    const [height, width, channels] = net.input;
    const shape = [batch, channels, height, width];
    const images = new ort.Tensor('float32', uniform(shape.reduce((a, b) => a * b)), shape);
    const [output] = session.outputNames;
    // Into the same memory each time, so that nothing is allocated for the result
    const logits = new ort.Tensor('float32', new Float32Array(batch * net.classes), [batch, net.classes]);
    return () => session.run({ images }, { [output]: logits });
  }

  return { name: 'onnxruntime', version, variants: () => Object.keys(LEVELS), prepare };
}

servePeer(load);

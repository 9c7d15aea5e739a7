// SPDX-License-Identifier: Apache-2.0
// ConvNetJS as a contestant: one thread, double precision (it has no other), one image at a time; its trainer updates
// after each batch.
import { createRequire } from 'node:module';
import { stepFlops } from '../nets.mjs';
import { checkParameters, checkWork, randomLabels, servePeer, uniform, unsupported } from './protocol.mjs';

/** GFLOP of one call: it makes 0.6 GFLOP/s of a LeNet-5 step. */
const MOST_WORK = 2;

async function load() {
  const { default: convnetjs } = await import('convnetjs');
  const { version } = createRequire(import.meta.url)('convnetjs/package.json');
  return new ConvNetJs(convnetjs, version);
}

class ConvNetJs {
  name = 'convnetjs';

  constructor(convnetjs, version) {
    this.convnetjs = convnetjs;
    this.version = version;
  }

  variants() {
    return ['float64'];
  }

  prepare({ kind, net, batch }) {
    if (kind !== 'step') throw unsupported(`no task ${kind}`);
    checkWork(stepFlops(net, batch), MOST_WORK);
    const { Net, Trainer, Vol } = this.convnetjs;
    const model = new Net();
    model.makeLayers(this.definitions(net));
    checkParameters(
      net,
      model.getParamsAndGrads().reduce((count, { params }) => count + params.length, 0),
    );
    const trainer = new Trainer(model, {
      method: 'sgd',
      learning_rate: 0.01,
      momentum: 0.9,
      l2_decay: 0,
      batch_size: batch,
    });
    const [height, width, channels] = net.input;
    const images = Array.from({ length: batch }, () => {
      const image = new Vol(width, height, channels, 0);
      image.w.set(uniform(image.w.length));
      return image;
    });
    const labels = randomLabels(batch, net.classes);
    return () => {
      for (let i = 0; i < batch; i++) trainer.train(images[i], labels[i]);
    };
  }

  /** Layers in its words: activations belong to the layer before them, the last linear layer to the loss. */
  definitions({ input: [height, width, channels], layers, classes }) {
    const definitions = [{ type: 'input', out_sx: width, out_sy: height, out_depth: channels }];
    for (const [kind, ...numbers] of layers) {
      if (kind === 'relu') definitions.at(-1).activation = 'relu';
      else if (kind !== 'flatten') definitions.push(this.definition(kind, numbers));
    }
    definitions[definitions.length - 1] = { type: 'softmax', num_classes: classes };
    return definitions;
  }

  definition(kind, [first, kernel, pad, stride = 1]) {
    if (kind === 'conv') return { type: 'conv', filters: first, sx: kernel, pad, stride };
    if (kind === 'maxpool') return { type: 'pool', sx: first, stride: first };
    if (kind === 'linear') return { type: 'fc', num_neurons: first };
    throw unsupported(`no layer ${kind}`);
  }
}

servePeer(load);

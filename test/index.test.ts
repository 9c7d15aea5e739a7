// SPDX-License-Identifier: Apache-2.0
// The library as a user imports it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as receptive from '../lib/index.js';

it('offers these names and no others', () => {
  const names = {
    tensors: 'Generator Tensor full manualSeed memory ones rand randn randperm tensor tensorScope zeros',
    gradients: 'checkpoint defineArrayOp defineOp detectAnomaly gradcheck noGrad',
    operations:
      'add argmax avgPool2d batchNorm1d batchNorm2d cast concat conv1d conv2d convTranspose2d countCorrect crossEntropy dropout elu flatten gelu globalAvgPool2d groupNorm hardswish layerNorm leakyRelu linear localResponseNorm logSoftmax lpPool2d matmul maxPool2d mean multiply padChannels prelu relu relu6 reshape scale sigmoid silu softmax softplus sum tanh',
    poolings:
      'adaptiveAvgPool1d adaptiveAvgPool2d adaptiveMaxPool1d adaptiveMaxPool2d avgPool1d globalMaxPool2d lpPool1d maxPool1d spatialPyramidPool2d',
    losses: 'binaryCrossEntropyWithLogits huberLoss klDiv l1Loss mseLoss oneHot smoothL1Loss',
    others: 'dropout2d stochasticDepth upsample',
    models:
      'Airbench AlexNet AllCnnC CudaConvNet DeotteNet LeNet5 LeNet5Of1998 MobileNetV2 NielsenNet ResNet ResNetCifar Vgg VggCifar XONet createModel metrics modelNames nn optim',
    data: 'ArrayDataset DataLoader StreamDataset datasetNames glyphs loadDataset mnist subset take xo',
    pictures: 'imageFolder openPacked packImages readPacked',
    published: 'cifar10 cifar100 fashionMnist',
    selections: 'balanceClasses classCounts classWeights concatDatasets stratifiedSplit',
    training:
      'Trainer airbenchRecipe capture estimate evaluate findLearningRate fit fitMany predict predictSync serve',
    files: 'decodeSafetensors encodeSafetensors loadWeights readMetadata saveWeights weightsSha256',
    searches: 'search trainTrial',
    rest: 'ReceptiveError info setNumThreads',
  };
  const expected = Object.values(names).flatMap((list) => list.split(' '));
  expect(Object.keys(receptive).sort()).toEqual(expected.sort());
  const layers =
    'AvgPool2d BatchNorm1d BatchNorm2d Buffer Chain Conv1d Conv2d ConvTranspose2d Dropout ELU Flatten GELU GlobalAvgPool2d GroupNorm Hardswish Identity LPPool2d LayerNorm LeakyReLU Linear LocalResponseNorm LogSoftmax MaxPool2d Module PReLU Parameter ReLU ReLU6 Sequential SiLU Sigmoid Softmax Softplus Tanh headOf init replaceHead summarize';
  const poolings =
    'AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveMaxPool1d AdaptiveMaxPool2d AvgPool1d Dropout2d GlobalMaxPool2d LPPool1d MaxPool1d SpatialPyramidPool2d StochasticDepth Upsample';
  const losses = 'BCEWithLogitsLoss CrossEntropyLoss HuberLoss KLDivLoss L1Loss MSELoss SmoothL1Loss';
  expect(Object.keys(receptive.nn).sort()).toEqual(`${layers} ${losses} ${poolings}`.split(' ').sort());
  expect(Object.keys(receptive.metrics).sort()).toEqual(
    'MetricCounts confusionMatrix f1 precision recall'.split(' '),
  );
  expect(Object.keys(receptive.optim).sort()).toEqual(
    (
      'Adagrad Adam AdamW EMA LRScheduler Lion Lookahead Optimizer RMSprop ReduceLROnPlateau SGD clipGradNorm clipGradValue constant ' +
      'cosine cosineAnnealingLR cosineAnnealingWarmRestarts exponentialLR linearLR multiStepLR oneCycleLR plateau ' +
      'polynomialLR sequentialLR stepLR triangular warmup'
    )
      .split(' ')
      .sort(),
  );
});

it('learns, saves and goes on with what it exports', async () => {
  const {
    crossEntropy,
    DataLoader,
    evaluate,
    fit,
    loadWeights,
    manualSeed,
    memory,
    nn,
    optim,
    saveWeights,
    tensorScope,
    xo,
  } = receptive;
  const folder = await mkdtemp(join(tmpdir(), 'receptive-index-'));
  try {
    const before = memory().tensors;
    manualSeed(1);
    const { train, test } = xo({ trainSize: 600, testSize: 200 });
    const build = () =>
      new nn.Sequential(
        new nn.Conv2d(1, 4, { kernelSize: 5, padding: 2 }),
        new nn.ReLU(),
        new nn.MaxPool2d(4),
        new nn.Flatten(),
        new nn.Linear(144, 2, { flattenedFrom: [6, 6, 4] }),
      );
    using model = build();
    await fit(model, train, { epochs: 8, batchSize: 32, optimizer: 'adam', lr: 0.01 });
    const { accuracy } = await evaluate(model, test);
    expect(accuracy).toBeGreaterThan(0.9);

    await saveWeights(model, join(folder, 'xo.safetensors'));
    using copy = build();
    await loadWeights(copy, join(folder, 'xo.safetensors'));
    expect((await evaluate(copy, test)).accuracy).toBe(accuracy);

    // the loop by hand: the loss goes down, and no tensor stays
    using optimizer = new optim.SGD(copy.parameters(), { lr: 0.02, momentum: 0.9 });
    using loader = new DataLoader(train, { batchSize: 100 });
    const losses = Array.from({ length: 4 }, () => {
      let total = 0;
      for (using batch of loader) {
        using _scope = tensorScope();
        const loss = crossEntropy(copy.call(batch.images), batch.labels);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        total += loss.item();
      }
      return total;
    });
    expect(losses[3]).toBeLessThan(losses[0]);
    copy.zeroGrad();
    model.dispose();
    copy.dispose();
    optimizer.dispose();
    loader[Symbol.dispose]();
    expect(memory().tensors).toBe(before);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

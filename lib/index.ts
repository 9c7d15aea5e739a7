// SPDX-License-Identifier: Apache-2.0
// What `import … from 'receptive'` offers, and nothing else.

// --- Tensors: numbers in native memory, and who frees them ---

export type { DType, MemoryInfo, NativeInfo, TypedArray } from './native/bindings.js';
export { full, ones, type TensorOptions, tensor, zeros } from './tensor/create.js';
export {
  Generator,
  type GeneratorState,
  manualSeed,
  type RandomOptions,
  rand,
  randn,
  randperm,
} from './tensor/random.js';
export { memory, type TensorScope, tensorScope } from './tensor/scope.js';
export type { Shape } from './tensor/shape.js';
export { type BackwardOptions, Tensor } from './tensor/tensor.js';

// --- Gradients ---

export { type AnomalyOptions, detectAnomaly } from './autograd/anomaly.js';
export { noGrad } from './autograd/grad-mode.js';
export { type GradcheckOptions, gradcheck } from './autograd/gradcheck.js';
export type { GradientHook } from './autograd/hooks.js';
export { checkpoint } from './ops/checkpoint.js';
export { type ArrayOpDefinition, defineArrayOp, type Elements } from './ops/define-array-op.js';
export { defineOp, type OpDefinition, type OpResult } from './ops/define-op.js';

// --- Operations: free functions ---

export {
  elu,
  type GeluOptions,
  gelu,
  hardswish,
  leakyRelu,
  relu,
  relu6,
  type SoftplusOptions,
  sigmoid,
  silu,
  softplus,
  tanh,
} from './ops/activations.js';
export {
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  globalMaxPool2d,
  type OutputSize,
  type SpatialPyramidPool2dOptions,
  spatialPyramidPool2d,
} from './ops/adaptive-pool2d.js';
export { add, cast, multiply, scale } from './ops/arithmetic.js';
export {
  type BatchNorm1dOptions,
  type BatchNorm2dOptions,
  batchNorm1d,
  batchNorm2d,
} from './ops/batch-norm.js';
export { type BinaryCrossEntropyOptions, binaryCrossEntropyWithLogits } from './ops/binary-cross-entropy.js';
export { argmax, countCorrect, oneHot } from './ops/classify.js';
export { concat, padChannels } from './ops/concat.js';
export { type ConvTranspose2dOptions, convTranspose2d } from './ops/conv-transpose2d.js';
export { type Conv1dOptions, conv1d } from './ops/conv1d.js';
export { type Conv2dOptions, conv2d } from './ops/conv2d.js';
export type { Conv2dAlgorithm } from './ops/conv2d-algorithm.js';
export { type CrossEntropyOptions, crossEntropy } from './ops/cross-entropy.js';
export { dropout } from './ops/dropout.js';
export { dropout2d, type StochasticDepthMode, stochasticDepth } from './ops/dropout-groups.js';
export { globalAvgPool2d } from './ops/global-avg-pool.js';
export { groupNorm, type NormOptions } from './ops/group-norm.js';
export { type KlDivOptions, klDiv } from './ops/kl-div.js';
export { layerNorm } from './ops/layer-norm.js';
export { linear } from './ops/linear.js';
export {
  type LocalResponseNormOptions,
  localResponseNorm,
  type ResponseRegion,
} from './ops/local-response-norm.js';
export { matmul } from './ops/matmul.js';
export {
  type HuberLossOptions,
  huberLoss,
  type LossOptions,
  l1Loss,
  mseLoss,
  type SmoothL1LossOptions,
  smoothL1Loss,
} from './ops/pointwise-loss.js';
export {
  type AvgPool1dOptions,
  adaptiveAvgPool1d,
  adaptiveMaxPool1d,
  avgPool1d,
  type LPPool1dOptions,
  lpPool1d,
  maxPool1d,
  type Pool1dOptions,
} from './ops/pool1d.js';
export {
  type AvgPool2dOptions,
  avgPool2d,
  type LPPool2dOptions,
  lpPool2d,
  maxPool2d,
  type Pool2dOptions,
} from './ops/pool2d.js';
export { prelu } from './ops/prelu.js';
export { mean, sum } from './ops/reduce.js';
export type { Reduction } from './ops/reduction.js';
export { flatten, reshape } from './ops/reshape.js';
export { logSoftmax, softmax } from './ops/softmax.js';
export { type UpsampleOptions, upsample } from './ops/upsample.js';

// --- Layers, optimizers, models ---

export type { ConfusionMatrix } from './metrics/confusion.js';
export * as metrics from './metrics/index.js';
export type { MetricName, MetricValues } from './metrics/names.js';
export { Airbench, type AirbenchOptions } from './models/airbench.js';
export { AlexNet, type AlexNetOptions } from './models/alexnet.js';
export { AllCnnC, type AllCnnCOptions } from './models/all-cnn-c.js';
export { CudaConvNet, type CudaConvNetOptions } from './models/cuda-convnet.js';
export { DeotteNet, type DeotteNetOptions } from './models/deotte.js';
export { LeNet5, type LeNet5Options } from './models/lenet5.js';
export { LeNet5Of1998, type LeNet5Of1998Options } from './models/lenet5-1998.js';
export { MobileNetV2, type MobileNetV2Options } from './models/mobilenet-v2.js';
export { NielsenNet, type NielsenNetOptions } from './models/nielsen.js';
export { type CreatedModel, type CreateModelOptions, createModel, modelNames } from './models/registry.js';
export { ResNet, type ResNetOptions } from './models/resnet.js';
export { ResNetCifar, type ResNetCifarOptions } from './models/resnet-cifar.js';
export { Vgg, type VggOptions } from './models/vgg.js';
export { VggCifar, type VggCifarOptions } from './models/vgg-cifar.js';
export { XONet, type XONetOptions } from './models/xo.js';
export * as nn from './nn/index.js';
export * as optim from './optim/index.js';

// --- Data sets ---

export type {
  AffineAugmentation,
  Augmentation,
  AugmentBorder,
  AugmentFill,
  CropAugmentation,
  CutmixAugmentation,
  CutoutAugmentation,
  ElasticAugmentation,
  FlipAugmentation,
  JitterAugmentation,
  MixupAugmentation,
  RandAugmentation,
} from './data/augment.js';
export { cifar10, cifar100 } from './data/cifar.js';
export {
  ArrayDataset,
  type ArrayDatasetOptions,
  type Dataset,
  type Normalization,
  type Split,
  subset,
  take,
} from './data/dataset.js';
export { fashionMnist } from './data/fashion-mnist.js';
export { type ImageFolder, imageFolder } from './data/folder.js';
export { glyphs } from './data/glyphs.js';
export type { PublishedDatasetOptions } from './data/idx-images.js';
export type { ImageOptions, ImageProgress, ReadImagesOptions } from './data/image-source.js';
export {
  type Batch,
  DataLoader,
  type DataLoaderOptions,
  type LoaderState,
  type LoaderStateDict,
} from './data/loader.js';
export { type MnistOptions, mnist } from './data/mnist.js';
export { type PackOptions, type PackReport, packImages } from './data/pack.js';
export { type ReadPackedOptions, readPacked } from './data/packed.js';
export { type AnyDataset, type AnySplit, openPacked, type PackedDataset } from './data/packed-dataset.js';
export type { Fit } from './data/picture-fit.js';
export type { ImageReport } from './data/problems.js';
export { datasetNames, type LoadOptions, loadDataset } from './data/registry.js';
export {
  type BalanceOptions,
  balanceClasses,
  classCounts,
  classWeights,
  concatDatasets,
  type StratifiedSplitOptions,
  stratifiedSplit,
} from './data/select.js';
export {
  type SampleSource,
  type StreamBatch,
  StreamDataset,
  type StreamDatasetOptions,
  type StreamItem,
  type StreamSample,
  type StreamSource,
} from './data/stream.js';
export { xo } from './data/xo.js';

// --- Training and use ---

export { type AirbenchRecipeOptions, airbenchRecipe } from './train/airbench.js';
export type { BudgetOptions } from './train/budget.js';
export { type CaptureOptions, capture, type InputSpec, type TrainingStep } from './train/capture.js';
export type { Plan, PlanSource } from './train/captured-plan.js';
export type { CheckpointOptions, CheckpointReport, KeepingOptions } from './train/checkpoint-options.js';
export type { EarlyStoppingOptions } from './train/early-stopping.js';
export { type Estimate, type EstimateOptions, estimate } from './train/estimate.js';
export { type EvaluateOptions, type Evaluation, evaluate } from './train/evaluate.js';
export {
  type FindLearningRateOptions,
  findLearningRate,
  type LearningRateCurve,
} from './train/find-learning-rate.js';
export { type FitOptions, type FitResult, fit } from './train/fit.js';
export { type FitJob, type FitManyOptions, fitMany } from './train/fit-many.js';
export type { FreezeOptions } from './train/freezing.js';
export type { CachedFeatures, FeatureOptions, FeatureReport } from './train/frozen-features.js';
export type { LookaheadFitOptions, TrainingLookahead } from './train/lookaheads.js';
export type { LabelSmoothingOptions, Loss, LossFunction, LossName } from './train/losses.js';
export type { StepFunction } from './train/plan.js';
export type { OutputSpec, StepOutputs } from './train/plan-outputs.js';
export type { PlanProgress, PlanResult, RunOptions } from './train/plan-run.js';
export type { PlanSummary } from './train/plan-summary.js';
export { type Prediction, type PredictOptions, predict, predictSync } from './train/predict.js';
export type { BatchReport, CurvePoint, HistoryRow, ProgressReport } from './train/progress.js';
export type { LogOptions } from './train/run-log.js';
export { type ServedPrediction, type Serving, serve } from './train/serving.js';
export type { BatchArrays } from './train/sources.js';
export {
  Trainer,
  type TrainerCallback,
  type TrainerFitOptions,
  type TrainerOptions,
} from './train/trainer.js';
export type { TrialOptions } from './train/trials.js';
export type { TtaName, TtaOptions } from './train/tta.js';
export type { WorstSample } from './train/worst-samples.js';

// --- Search ---

export type { Choice, NumberRange, Value } from './search/choice.js';
export type { ChoiceEffect, EffectGroup } from './search/effects.js';
export type { TrialLayer } from './search/layer-kinds.js';
export {
  type SearchOptions,
  type SearchResult,
  type StrategyName,
  search,
  type TrialReport,
  type TrialResult,
} from './search/search.js';
export type { SearchSpace, SpaceLayer, SpaceTraining } from './search/space.js';
export type { TrialRecord } from './search/trial-log.js';
export { type TrainTrialOptions, trainTrial } from './search/trial-training.js';

// --- Files ---

export { readMetadata, type WeightsMetadata } from './io/metadata.js';
export {
  decodeSafetensors,
  encodeSafetensors,
  type SafetensorsFile,
  type StoredTensor,
} from './io/safetensors.js';
export {
  type LoadReport,
  type LoadWeightsOptions,
  loadWeights,
  saveWeights,
  weightsSha256,
} from './io/weights.js';

// --- Errors; threads and instruction set ---

export { type ErrorCode, ReceptiveError } from './errors.js';
export { nativeInfo as info, setNumThreads } from './native/bindings.js';

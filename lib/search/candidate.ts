// SPDX-License-Identifier: Apache-2.0
// One point of a space: the tree of layers is walked once, and every choice that is met is made. A choice inside of a layer
// that is left out is not met, and has no value.
import { type Dimension, isOpen, type Setting, type Value } from './choice.js';
import { kindOf, type TrialLayer } from './layer-kinds.js';
import { type LayerNode, type Node, type Space, takesActivation, WITH_MOMENTUM } from './space.js';

/** A network and a training with nothing left open. */
export interface Candidate {
  /** By the names of the choices that were met, in the order in which they were. */
  readonly values: Readonly<Record<string, Value>>;
  readonly layers: readonly TrialLayer[];
  readonly training: Readonly<Record<string, Value>>;
}

/** Makes a choice. */
export type Pick = (dimension: Dimension) => Value;

/** More layers than any network of this library trains well. */
export const MOST_LAYERS = 1000;

/** Walks a space. What has too many layers is cut behind the first that is one too many. */
export function resolve(space: Space, pick: Pick): Candidate {
  const values: Record<string, Value> = {};
  const settle = (setting: Setting): Value => {
    if (!isOpen(setting)) return setting;
    // Layers that are repeated with what is around them are alike
    if (Object.hasOwn(values, setting.name)) return values[setting.name];
    const value = pick(setting);
    values[setting.name] = value;
    return value;
  };
  const usual = settle(space.activation);
  const layers: TrialLayer[] = [];
  const add = (node: Node): void => {
    const times = settle(node.repeat) as number;
    for (let i = 0; i < times && layers.length <= MOST_LAYERS; i++) {
      if (node.type === 'layer') layers.push(layerOf(node, usual, settle));
      else if (node.type === 'block') node.layers.forEach(add);
      else node.branches.get(settle(node.which))?.forEach(add);
    }
  };
  space.layers.forEach(add);
  return { values, layers, training: trainingOf(space.training, settle) };
}

function layerOf(node: LayerNode, usual: Value, settle: (setting: Setting) => Value): TrialLayer {
  const settings = Object.fromEntries(
    Object.entries(node.settings).map(([key, setting]) => [key, settle(setting)]),
  );
  return {
    kind: node.kind,
    settings: takesActivation(node) ? { ...settings, activation: usual } : settings,
  };
}

function trainingOf(open: Space['training'], settle: (setting: Setting) => Value): Candidate['training'] {
  const settled: Record<string, Value> = {};
  for (const [key, setting] of Object.entries(open)) {
    // `optimizer` stands before `momentum`
    if (key === 'momentum' && !WITH_MOMENTUM.includes(settled.optimizer)) continue;
    settled[key] = settle(setting);
  }
  return settled;
}

/** What tells two candidates apart: what was chosen. */
export const keyOf = ({ values }: Candidate): string => JSON.stringify(values);

/** `conv 6 5x5 relu, max 2x2, linear 84 relu`: equal layers one after another once, with their number. */
export function layersText(layers: readonly TrialLayer[]): string {
  const texts: { text: string; times: number }[] = [];
  for (const { kind, settings } of layers) {
    const text = kindOf(kind).text(settings);
    const last = texts.at(-1);
    if (last?.text === text) last.times += 1;
    else texts.push({ text, times: 1 });
  }
  return texts.map(({ text, times }) => (times === 1 ? text : `${times} x ${text}`)).join(', ');
}

/** `lr 0.001, weightDecay 0.01` */
export function trainingText(training: Candidate['training']): string {
  return Object.entries(training)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

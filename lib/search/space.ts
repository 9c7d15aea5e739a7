// SPDX-License-Identifier: Apache-2.0
// A search space: what a network's designer leaves open. Here is its written form, which is checked once and read into
// a tree of layers with named choices.
import { OPTIMIZER_NAMES } from '../train/optimizers.js';
import { SCHEDULE_NAMES } from '../train/schedules.js';
import {
  type Choice,
  type Dimension,
  isAllowed,
  isOpen,
  named,
  optionsText,
  Place,
  type Rule,
  readChoice,
  real,
  type Setting,
  type Value,
  whole,
} from './choice.js';
import { ACTIVATED, activation, kindOf, LAYER_KINDS, type LayerKindName } from './layer-kinds.js';

/** How often a layer comes; the repetitions are alike. */
interface Repeated {
  /** Times one after another; 0 leaves it out. Default 1. */
  readonly repeat?: Choice<number>;
  /** The same as `"repeat": [0, 1]`. */
  readonly optional?: boolean;
}

/** What may follow a convolution or a linear layer. */
export type ActivationName = 'relu' | 'leakyRelu' | 'elu' | 'gelu' | 'silu' | 'tanh' | 'sigmoid' | 'none';

/** An entry of `layers`: one layer with its choices, layers that are repeated together, or layers in one order or another. */
export type SpaceLayer =
  | (Repeated & {
      readonly conv: {
        readonly features: Choice<number>;
        readonly size: Choice<number>;
        /** Default 1. */
        readonly stride?: Choice<number>;
        /** Pixels on each side, default 0; 'same' keeps the size, and at a stride pads half of the window. */
        readonly padding?: Choice<number | 'same'>;
        /** Default false. */
        readonly batchNorm?: Choice<boolean>;
        readonly activation?: Choice<ActivationName>;
      };
    })
  | (Repeated & {
      readonly pool: {
        /** Default 'max'. */
        readonly kind?: Choice<'max' | 'avg'>;
        /** Default 2. */
        readonly size?: Choice<number>;
        /** Default: the size. */
        readonly stride?: Choice<number>;
        readonly padding?: Choice<number>;
      };
    })
  | (Repeated & { readonly globalPool: Record<string, never> })
  | (Repeated & { readonly dropout: { readonly p: Choice<number> } })
  | (Repeated & {
      readonly linear: { readonly features: Choice<number>; readonly activation?: Choice<ActivationName> };
    })
  | (Repeated & { readonly block: readonly SpaceLayer[] })
  /** One of these lists. */
  | (Repeated & { readonly either: readonly (readonly SpaceLayer[])[] })
  /** All of these, in any order: up to five. */
  | (Repeated & { readonly anyOrder: readonly SpaceLayer[] });

/** What is left open of a training: options of `fit` by their names, and `labelSmoothing`. */
export interface SpaceTraining {
  readonly optimizer?: Choice<(typeof OPTIMIZER_NAMES)[number]>;
  readonly lr?: Choice<number>;
  /** Of 'sgd' and 'rmsprop'; trials with other optimizers have none. */
  readonly momentum?: Choice<number>;
  readonly weightDecay?: Choice<number>;
  /** Default 64. */
  readonly batchSize?: Choice<number>;
  /** Default 'cosine'. */
  readonly schedule?: Choice<(typeof SCHEDULE_NAMES)[number]>;
  readonly warmup?: Choice<number>;
  readonly clipGradNorm?: Choice<number>;
  readonly ema?: Choice<number>;
  readonly labelSmoothing?: Choice<number>;
}

/** A search space. The layer that gives the logits stands for itself: a linear one behind the last of `layers`. */
export interface SearchSpace {
  readonly layers: readonly SpaceLayer[];
  /** Of convolutions and linear layers that name none of their own. Default 'relu'. */
  readonly activation?: Choice<ActivationName>;
  readonly training?: SpaceTraining;
  /** Networks above these are not tried. */
  readonly limits?: { readonly parameters?: number; readonly multiplyAdds?: number };
  /**
   * Values by the names of their choices, such as `{ "conv1.features": 6, "lr": 0.001 }`, that are tried first; those left out
   * are the first of their list, or the lower end of their range.
   */
  readonly baseline?: Readonly<Record<string, Value>>;
}

// --- The same, checked ---

export interface LayerNode {
  readonly type: 'layer';
  readonly kind: LayerKindName;
  readonly settings: Readonly<Record<string, Setting>>;
  readonly repeat: Setting;
}
export interface BlockNode {
  readonly type: 'block';
  readonly layers: readonly Node[];
  readonly repeat: Setting;
}
/** Lists of which one is chosen: the alternatives of `either`, the permutations of `anyOrder`. */
export interface EitherNode {
  readonly type: 'either';
  readonly which: Setting;
  readonly branches: ReadonlyMap<Value, readonly Node[]>;
  readonly repeat: Setting;
}
export type Node = LayerNode | BlockNode | EitherNode;

export interface Space {
  readonly layers: readonly Node[];
  readonly activation: Setting;
  readonly training: Readonly<Record<string, Setting>>;
  readonly limits: { readonly parameters: number; readonly multiplyAdds: number };
  readonly baseline: Readonly<Record<string, Value>> | undefined;
  /** All choices, in the order in which they are written. */
  readonly dimensions: readonly Dimension[];
}

export const TRAINING_RULES: Readonly<Record<keyof SpaceTraining, Rule>> = {
  optimizer: named(OPTIMIZER_NAMES),
  lr: real({ zero: false }),
  momentum: real({ below: 1 }),
  weightDecay: real(),
  batchSize: whole(1),
  schedule: named(SCHEDULE_NAMES),
  warmup: whole(0),
  clipGradNorm: real({ zero: false }),
  ema: real({ below: 1 }),
  labelSmoothing: real({ below: 1 }),
};

const KEYS = ['layers', 'activation', 'training', 'limits', 'baseline'];
const GROUPS = ['block', 'either', 'anyOrder'] as const;
const LAYER_NAMES: readonly string[] = [...Object.keys(LAYER_KINDS), ...GROUPS];
const REPEAT = whole(0, 100);
const MOST_ENTRIES = 1000; // of a list of layers
const DEEPEST = 8; // lists within lists
const MOST_ORDERED = 5; // 120 orders
const MOST_REPEATS = 1000; // of a layer in a block in a block: as many layers as a network may have
/** The optimizers that have a momentum to choose. */
export const WITH_MOMENTUM: readonly Value[] = ['sgd', 'rmsprop'];

/**
 * Reads a space. Throws ERR_ARGUMENT for what is none: unknown keys, empty choices, values that a setting cannot have; the
 * error names the place, such as `layers[2].conv.size`.
 *
 * @param op whom the errors speak for; the command says the name of the file
 */
export function readSpace(op: string, json: unknown): Space {
  return new Reader().space(new Place(op), json);
}

/** How many lists a list stands in, and how often it may come in all. */
interface Nesting {
  readonly depth: number;
  readonly times: number;
}

class Reader {
  readonly #dimensions: Dimension[] = [];
  readonly #counts = new Map<string, number>();

  space(place: Place, json: unknown): Space {
    const parts = place.object(json, KEYS, 'an object');
    if (parts.layers === undefined) throw place.refuse('an object with "layers"', 'none');
    const usual = this.#choice(place.at('activation'), 'activation', parts.activation ?? 'relu', activation);
    const layers = this.#list(place.at('layers'), parts.layers, { depth: 0, times: 1 });
    const training = this.#settings(place.at('training'), '', parts.training ?? {}, TRAINING_RULES, []);
    checkMomentum(place.at('training').at('momentum'), training);
    const limits = readLimits(place.at('limits'), parts.limits ?? {});
    const baseline = this.#baseline(place.at('baseline'), parts.baseline);
    return { layers, activation: usual, training, limits, baseline, dimensions: this.#dimensions };
  }

  #choice(place: Place, name: string, json: unknown, rule: Rule): Setting {
    const setting = readChoice(place, name, json, rule);
    if (isOpen(setting)) this.#dimensions.push(setting);
    return setting;
  }

  /** `conv1` for the first convolution that is written, and so on. */
  #nextName(kind: string): string {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    return `${kind}${count}`;
  }

  #list(place: Place, json: unknown, within: Nesting): Node[] {
    if (!Array.isArray(json) || json.length > MOST_ENTRIES) {
      const received = Array.isArray(json) ? json.length : json;
      throw place.refuse(`a list of at most ${MOST_ENTRIES} layers`, received);
    }
    if (within.depth > DEEPEST) throw place.refuse(`at most ${DEEPEST} lists deep`, json);
    return json.map((entry, i) => this.#entry(place.at(i), entry, within));
  }

  #entry(place: Place, json: unknown, within: Nesting): Node {
    const what = `an object with one of ${LAYER_NAMES.join(', ')}`;
    const parts = place.object(json, [...LAYER_NAMES, 'repeat', 'optional'], what);
    const kinds = Object.keys(parts).filter((key) => LAYER_NAMES.includes(key));
    if (kinds.length !== 1) throw place.refuse(what, kinds.length === 0 ? json : kinds);
    const kind = kinds[0];
    const name = this.#nextName(kind);
    const inner = place.at(kind);
    const repeat = this.#repeat(place, name, parts);
    const times = within.times * largest(repeat);
    if (times > MOST_REPEATS) {
      throw place.at('repeat').refuse(`such that a layer comes ${MOST_REPEATS} times at most`, times);
    }
    const below = { depth: within.depth + 1, times };
    if (kind === 'block') return { type: 'block', layers: this.#list(inner, parts[kind], below), repeat };
    if (kind === 'either') return this.#either(inner, name, parts[kind], repeat, below);
    if (kind === 'anyOrder') return this.#anyOrder(inner, name, parts[kind], repeat, below);
    const { rules, required } = kindOf(kind as LayerKindName);
    const settings = this.#settings(inner, `${name}.`, parts[kind], rules, required);
    return { type: 'layer', kind: kind as LayerKindName, settings, repeat };
  }

  #repeat(place: Place, name: string, { repeat, optional }: Readonly<Record<string, unknown>>): Setting {
    if (optional !== undefined && typeof optional !== 'boolean') {
      throw place.at('optional').refuse('true or false', optional);
    }
    if (optional === true && repeat !== undefined) {
      throw place.at('optional').refuse('left out beside repeat', optional, 'a repeat of 0 leaves it out');
    }
    const json = optional === true ? [0, 1] : (repeat ?? 1);
    return this.#choice(place.at('repeat'), `${name}.repeat`, json, REPEAT);
  }

  #settings(
    place: Place,
    prefix: string,
    json: unknown,
    rules: Readonly<Record<string, Rule>>,
    required: readonly string[],
  ): Readonly<Record<string, Setting>> {
    const parts = place.object(json, Object.keys(rules), 'an object');
    const missing = required.find((key) => parts[key] === undefined);
    if (missing !== undefined) throw place.refuse(`an object with ${required.join(' and ')}`, json, missing);
    const known = Object.keys(rules).filter((key) => parts[key] !== undefined);
    return Object.fromEntries(
      known.map((key) => [key, this.#choice(place.at(key), `${prefix}${key}`, parts[key], rules[key])]),
    );
  }

  #either(place: Place, name: string, json: unknown, repeat: Setting, below: Nesting): Node {
    if (!Array.isArray(json) || json.length < 2 || json.length > MOST_ENTRIES) {
      throw place.refuse('two lists of layers or more', json);
    }
    const lists = json.map((list, i) => this.#list(place.at(i), list, below));
    return this.#oneOf(name, new Map(lists.map((list, i) => [i + 1, list])), repeat);
  }

  #anyOrder(place: Place, name: string, json: unknown, repeat: Setting, below: Nesting): Node {
    if (!Array.isArray(json) || json.length < 2 || json.length > MOST_ORDERED) {
      throw place.refuse(`two to ${MOST_ORDERED} layers`, json);
    }
    const layers = this.#list(place, json, below);
    const orders = permutations(layers.map((_, i) => i));
    const branches = orders.map((order): [string, Node[]] => [
      order.map((i) => i + 1).join(' '),
      order.map((i) => layers[i]),
    ]);
    return this.#oneOf(name, new Map<Value, Node[]>(branches), repeat);
  }

  #oneOf(name: string, branches: ReadonlyMap<Value, Node[]>, repeat: Setting): Node {
    const which: Dimension = { name, values: [...branches.keys()] };
    this.#dimensions.push(which);
    return { type: 'either', which, branches, repeat };
  }

  #baseline(place: Place, json: unknown): Space['baseline'] {
    if (json === undefined) return undefined;
    const names = this.#dimensions.map(({ name }) => name);
    const values = place.object(json, names, 'an object with values of choices');
    for (const [name, value] of Object.entries(values)) {
      const dimension = this.#dimensions.find((one) => one.name === name) as Dimension;
      if (!isAllowed(dimension, value)) throw place.at(name).refuse(optionsText(dimension), value);
    }
    return values as Record<string, Value>;
  }
}

function readLimits(place: Place, json: unknown): Space['limits'] {
  const parts = place.object(json, ['parameters', 'multiplyAdds'], 'an object');
  const rule = whole(1, Number.MAX_SAFE_INTEGER);
  for (const [key, value] of Object.entries(parts)) {
    if (!rule.holds(value)) throw place.at(key).refuse('a whole number of at least 1', value);
  }
  return { parameters: Infinity, multiplyAdds: Infinity, ...parts };
}

function checkMomentum(place: Place, { momentum, optimizer }: Space['training']): void {
  if (momentum === undefined) return;
  const names = optimizer !== undefined && isOpen(optimizer) ? (optimizer.values ?? []) : [optimizer];
  if (names.some((name) => name !== undefined && WITH_MOMENTUM.includes(name as Value))) return;
  throw place.refuse(`left out where optimizer is none of ${WITH_MOMENTUM.join(', ')}`, 'it');
}

/** The largest number that a setting may come out as. */
function largest(setting: Setting): number {
  if (!isOpen(setting)) return Math.max(1, setting as number);
  return Math.max(1, ...((setting.values ?? [setting.range?.max]) as number[]));
}

/** All orders, the given one first. */
function permutations(items: readonly number[]): number[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((first, i) =>
    permutations(items.filter((_, j) => j !== i)).map((rest) => [first, ...rest]),
  );
}

/** Whether a layer takes the activation of the space. */
export function takesActivation({ kind, settings }: LayerNode): boolean {
  return ACTIVATED.includes(kind) && settings.activation === undefined;
}

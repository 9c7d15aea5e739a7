// SPDX-License-Identifier: Apache-2.0
// What all optimizers share: groups of parameters with their own options, and the state they keep for each parameter.
import { checkOptions, describe, fail } from '../errors.js';
import { checkAtRest, emit, isRecordingNow, noteAdvancing, unrecorded } from '../native/bindings.js';
import { Varying } from '../native/varying.js';
import { sameShape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import { checkSaved, type OptimizerState, SlotTensor } from './state.js';

/** Options that every optimizer has. */
export interface BaseOptions {
  /** Learning rate, 0 or more. */
  lr: number;
  /** Factor of the weights that is added to their gradients, 0 or more. */
  weightDecay: number;
}

/** Parameters, and options where they differ from the optimizer's. */
export type ParameterGroup<Options> = { readonly params: readonly Tensor[] } & Partial<Options>;

/** A group as the optimizer holds it: every option is there, and may be changed between steps. */
export type FullGroup<Options> = { readonly params: readonly Tensor[] } & Options;

/** What an optimizer remembers of one parameter. */
interface Memory {
  step: number;
  readonly slots: readonly SlotTensor[];
}

/** Numbers of an update that differ from step to step. */
export interface Moment {
  readonly lr: Varying;
  /** 1 the first time. */
  readonly step: Varying;
  /** 1 the first time, else 0. */
  readonly isFirst: Varying;
}

function momentOf(memory: Memory, group: BaseOptions): Moment {
  return {
    lr: new Varying(group.lr, () => group.lr),
    step: new Varying(memory.step + 1, (s) => memory.step + s + 1),
    isFirst: new Varying(memory.step === 0 ? 1 : 0, (s) => (memory.step + s === 0 ? 1 : 0)),
  };
}

/**
 * Updates parameters from their gradients. A parameter without a gradient is left as it is. What it remembers of a
 * parameter is made at that parameter's first step, lives outside all scopes, and is freed by `dispose`.
 */
export abstract class Optimizer<Options extends BaseOptions = BaseOptions> {
  /** Parameters with their options. */
  readonly groups: readonly FullGroup<Options>[];
  readonly #memory = new Map<Tensor, Memory>();
  /** What recorded steps update. */
  readonly #recorded = new Set<Memory>();
  #stepsInRecording = 0;

  /**
   * @param name of the class, for errors
   * @param params parameters, or groups of them with options of their own
   * @param defaults every option and its value where nobody says otherwise
   * @param options of all groups that do not say otherwise
   * @param check refuses wrong options of a group
   */
  constructor(
    private readonly name: string,
    params: readonly Tensor[] | readonly ParameterGroup<Options>[],
    defaults: Options,
    options: Partial<Options>,
    check: (options: Options) => void,
  ) {
    const shared = withDefaults(name, defaults, options);
    const groups = isListOfGroups(params) ? params : [{ params }];
    this.groups = groups.map(({ params: own, ...changes }) => {
      const full = withDefaults(name, shared, changes as Partial<Options>);
      check(full);
      return { params: own, ...full };
    });
    checkParameters(name, this.groups);
  }

  private get parameters(): Tensor[] {
    return this.groups.flatMap((group) => group.params);
  }

  /** Names of the tensors kept for each parameter of a group; none where its options need none. */
  protected abstract slotNames(group: FullGroup<Options>): readonly string[];

  /** Changes one parameter. */
  protected abstract update(
    parameter: Tensor,
    grad: Tensor,
    slots: readonly Tensor[],
    moment: Moment,
    group: FullGroup<Options>,
  ): void;

  /**
   * Changes every parameter that has a gradient; all of them, or, where one cannot be changed, none: ERR_BUSY while a running
   * plan writes one.
   */
  step(): void {
    const recording = isRecordingNow();
    if (recording) this.#beginRecording();
    const updates = this.groups.flatMap((group) =>
      group.params.flatMap((parameter) => {
        if (parameter.grad === null) return [];
        const grad = checkGradient(this.name, parameter, parameter.grad);
        return [{ parameter, grad, group, memory: this.#remember(parameter, group) }];
      }),
    );
    checkAtRest(
      this.name,
      updates.flatMap(({ parameter, memory }) => [parameter, ...memory.slots]),
    );
    // A step that is replayed ends before its update where a gradient is not finite.
    if (recording) this.requireFinite();
    for (const { parameter, grad, group, memory } of updates) {
      this.update(parameter, grad, memory.slots, momentOf(memory, group), group);
      if (recording) this.#recorded.add(memory);
      else memory.step += 1;
    }
  }

  /** @internal Throws ERR_NUMERICS where a gradient holds NaN or Infinity. */
  requireFinite(): void {
    this.parameters.forEach(({ grad }, i) => {
      if (grad !== null) emit('require_finite', [grad.handle], [i + 1]);
    });
  }

  /** @internal Makes what is kept for the parameters now: a recorded step must find it there. */
  prepare(): void {
    for (const group of this.groups) for (const parameter of group.params) this.#remember(parameter, group);
  }

  #beginRecording(): void {
    noteAdvancing(this);
    this.#stepsInRecording += 1;
    if (this.#stepsInRecording > 1) {
      throw fail('ERR_CAPTURE', {
        op: 'capture',
        expected: `one call of step() of ${this.name} in the step that is recorded`,
        received: 'a second one',
        hint: 'record one update, and run it as often as wanted',
      });
    }
    unrecorded(() => this.prepare());
  }

  /** @internal Notes that recorded steps were replayed. */
  advance(steps: number): void {
    for (const memory of this.#recorded) memory.step += steps;
  }

  /** @internal The gradients of a recording have no values. */
  endRecording(): void {
    this.#stepsInRecording = 0;
    this.zeroGrad();
  }

  #remember(parameter: Tensor, group: FullGroup<Options>): Memory {
    const known = this.#memory.get(parameter);
    const names = this.slotNames(group);
    if (known !== undefined && known.slots.length === names.length) return known;
    checkAtRest(this.name, known?.slots ?? []);
    const made: Memory = { step: 0, slots: slotsLike(parameter, names) };
    for (const slot of known?.slots ?? []) slot.dispose();
    this.#memory.set(parameter, made);
    return made;
  }

  /** Frees the gradients of all parameters. */
  zeroGrad(): void {
    noteAdvancing(this); // what a recording leaves as gradients is not to be found afterwards
    for (const parameter of this.parameters) {
      parameter.grad?.dispose();
      parameter.grad = null;
    }
  }

  /** The learning rate: of the first group when read; of all groups when set. */
  get lr(): number {
    return this.groups[0].lr;
  }

  set lr(lr: number) {
    checkNotNegative(this.name, 'lr', lr);
    for (const group of this.groups) group.lr = lr;
  }

  /**
   * All that is needed to go on exactly as if nothing had happened: the tensors kept (themselves, not copies), by
   * `<slot>.<index of the parameter>`, and the numbers `step.<index>`, `lr.<group>`.
   */
  state(): OptimizerState {
    const tensors = new Map<string, Tensor>();
    const numbers = new Map<string, number>();
    this.groups.forEach((group, i) => {
      numbers.set(`lr.${i}`, group.lr);
    });
    this.parameters.forEach((parameter, i) => {
      const memory = this.#memory.get(parameter);
      if (memory === undefined || memory.step === 0) return; // not updated yet
      numbers.set(`step.${i}`, memory.step);
      for (const slot of memory.slots) tensors.set(`${slot.name}.${i}`, slot);
    });
    return { tensors, numbers };
  }

  /**
   * Goes on from a saved state of an optimizer of the same kind over the same parameters. Everything is checked before
   * anything is changed.
   *
   * Throws ERR_DATA for names, shapes or numbers that do not fit; ERR_DISPOSED for a disposed tensor; ERR_BUSY while a
   * running plan writes its own.
   */
  loadState(state: OptimizerState): void {
    const wanted = this.groups.flatMap((group) =>
      group.params.map((parameter) => ({ parameter, group, names: this.slotNames(group) })),
    );
    checkSaved(this.name, state, this.groups.length, wanted);
    checkAtRest(this.name, this.#kept());
    wanted.forEach(({ parameter, group }, i) => {
      if (state.numbers.has(`step.${i}`)) this.#remember(parameter, group); // what takes memory comes first
    });
    this.groups.forEach((group, i) => {
      group.lr = state.numbers.get(`lr.${i}`) ?? group.lr;
    });
    wanted.forEach(({ parameter, group }, i) => {
      const step = state.numbers.get(`step.${i}`);
      if (step === undefined) {
        this.#forget(parameter);
        return;
      }
      const memory = this.#remember(parameter, group);
      memory.step = step;
      for (const slot of memory.slots) {
        const saved = state.tensors.get(`${slot.name}.${i}`) as Tensor;
        if (saved !== slot) emit('copy', [slot.handle, saved.handle]);
      }
    });
  }

  #forget(parameter: Tensor): void {
    for (const slot of this.#memory.get(parameter)?.slots ?? []) slot.dispose();
    const memory = this.#memory.get(parameter);
    if (memory !== undefined) this.#recorded.delete(memory);
    this.#memory.delete(parameter);
  }

  #kept(): Tensor[] {
    return [...this.#memory.values()].flatMap(({ slots }) => slots);
  }

  /** Frees what is kept for the parameters; the parameters stay. Throws ERR_BUSY while a running plan writes it. */
  dispose(): void {
    checkAtRest(this.name, this.#kept());
    for (const parameter of [...this.#memory.keys()]) this.#forget(parameter);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** The tensors kept for a parameter; none where there is no memory for one of them. */
function slotsLike(parameter: Tensor, names: readonly string[]): SlotTensor[] {
  const made: SlotTensor[] = [];
  try {
    for (const name of names) made.push(new SlotTensor(name, parameter));
    return made;
  } catch (error) {
    for (const slot of made) slot.dispose();
    throw error;
  }
}

function isListOfGroups<Options>(
  params: readonly Tensor[] | readonly ParameterGroup<Options>[],
): params is readonly ParameterGroup<Options>[] {
  return Array.isArray(params) && params.some((item) => typeof item === 'object' && item && 'params' in item);
}

/** The defaults, changed by the options that are given; one given as undefined is not. Refuses unknown ones. */
function withDefaults<Options extends object>(
  op: string,
  defaults: Options,
  options: Partial<Options>,
): Options {
  checkOptions(op, options, Object.keys(defaults));
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) };
}

function checkParameters(op: string, groups: readonly { readonly params: readonly Tensor[] }[]): void {
  const parameters = groups.flatMap(({ params }) => (Array.isArray(params) ? params : [undefined]));
  const wrong = parameters.findIndex((item) => !(item instanceof Tensor));
  if (parameters.length === 0 || wrong >= 0) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: 'at least one parameter, in an array such as model.parameters()',
      received: wrong >= 0 ? `${describe(parameters[wrong])} at position ${wrong}` : 'none',
    });
  }
  if (new Set(parameters).size === parameters.length) return;
  throw fail('ERR_ARGUMENT', {
    op,
    expected: 'each parameter in one group, once',
    received: 'one that comes twice',
  });
}

/** Refuses what would break an update half-way: disposed tensors, and a gradient of another kind. */
function checkGradient(op: string, parameter: Tensor, grad: Tensor): Tensor {
  for (const tensor of [parameter, grad]) void tensor.handle; // refuses a disposed one
  if (grad.dtype === parameter.dtype && sameShape(grad.shape, parameter.shape)) return grad;
  throw fail('ERR_SHAPE', {
    op,
    expected: `a gradient like its parameter, ${parameter.dtype} [${parameter.shape.join(', ')}]`,
    received: `${grad.dtype} [${grad.shape.join(', ')}]`,
  });
}

/** Refuses anything but a finite number of at least 0. */
export function checkNotNegative(op: string, name: string, value: number): void {
  if (Number.isFinite(value) && value >= 0) return;
  throw fail('ERR_ARGUMENT', { op, expected: `${name} of at least 0`, received: describe(value) });
}

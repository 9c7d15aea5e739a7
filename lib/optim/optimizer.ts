// SPDX-License-Identifier: Apache-2.0
// What all optimizers share: groups of parameters with their own options, and the state they keep for each parameter.
import { describe, fail, ReceptiveError } from '../errors.js';
import {
  checkAtRest,
  emit,
  isRecordingNow,
  NO_TENSOR,
  noteAdvancing,
  unrecorded,
} from '../native/bindings.js';
import type { Advancing } from '../native/recorder.js';
import { type InstructionNumber, Varying } from '../native/varying.js';
import { sameShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { type ClipOptions, squareSum } from './clip.js';
import {
  type BaseOptions,
  checkNotNegative,
  type Followed,
  type FullGroup,
  follow,
  makeGroups,
  type Params,
} from './options.js';
import {
  checkSaved,
  groupNumbers,
  type OptimizerState,
  refuseState,
  SlotTensor,
  savedOptions,
} from './state.js';

/** What an optimizer remembers of one parameter. */
interface Memory {
  /** Updates so far. */
  step: number;
  /** By their places in the instruction; null for one that is not kept. */
  readonly slots: readonly (SlotTensor | null)[];
}

/** Numbers of an update that differ from step to step, and from parameter to parameter. */
export interface Moment {
  /** 1 the first time. */
  readonly step: Varying;
  /** 1 the first time, else 0. */
  readonly isFirst: Varying;
}

function momentOf(memory: Memory): Moment {
  return {
    step: new Varying(memory.step + 1, (s) => memory.step + s + 1),
    isFirst: new Varying(memory.step === 0 ? 1 : 0, (s) => (memory.step + s === 0 ? 1 : 0)),
  };
}

/** The updates of one recording, which move on with its replays. */
class RecordedUpdates implements Advancing {
  readonly memories: Memory[] = [];
  /** Sets the groups' options for a step of a run, where a schedule is part of the recording. */
  schedule: ((step: number) => void) | undefined;

  /** @internal */
  advance(steps: number): void {
    for (const memory of this.memories) memory.step += steps;
  }
}

/** How `update` differs from a plain `step`. */
export interface UpdateOptions extends ClipOptions {
  /** Whether somebody has made sure that the gradients are finite. Default false. */
  readonly isChecked?: boolean;
}

/**
 * Updates parameters from their gradients. A parameter without a gradient, and one with `requiresGrad` false, is left as it
 * is. What it remembers of a parameter is made at that parameter's first step, lives outside all scopes, and is freed by
 * `dispose`.
 */
export abstract class Optimizer<Options extends BaseOptions = BaseOptions> {
  /** Parameters with their options. */
  readonly groups: readonly FullGroup<Options>[];
  readonly #memory = new Map<Tensor, Memory>();
  readonly #check: (options: never) => void;
  /** Of the step that is being recorded. */
  #recorded: RecordedUpdates | undefined;

  /**
   * @param name of the class, for errors
   * @param params parameters, or groups of them with options of their own
   * @param defaults every option and its value where nobody says otherwise
   * @param options of all groups that do not say otherwise
   * @param check refuses wrong options of a group
   */
  constructor(
    private readonly name: string,
    params: Params<Options>,
    defaults: Options,
    options: Partial<Options>,
    check: (options: Options) => void,
  ) {
    if (typeof name !== 'string' || typeof check !== 'function') {
      throw fail('ERR_ARGUMENT', {
        op: 'Optimizer',
        expected: 'one of its kinds, such as new optim.SGD(model.parameters())',
        received: `new Optimizer of ${describe(name)}`,
      });
    }
    this.#check = check;
    this.groups = makeGroups(name, params, defaults, options, check);
  }

  private get parameters(): Tensor[] {
    return this.groups.flatMap((group) => group.params);
  }

  /** The instruction of an update: plan/updates.cc. */
  protected abstract readonly instruction: string;

  /** What is kept for each parameter of a group, by PyTorch's names and the instruction's places; null: not kept. */
  protected abstract slotNames(group: FullGroup<Options>): readonly (string | null)[];

  /** Every element of what is kept, at first. */
  protected slotValue(_group: FullGroup<Options>): number {
    return 0;
  }

  /** Whether an update depends on the number of those before it. */
  protected readonly countsSteps: boolean = true;

  /** The numbers of an update, but for those of the gradient. */
  protected abstract numbers(options: Followed<Options>, moment: Moment): readonly InstructionNumber[];

  /**
   * Changes every parameter that has a gradient; all of them, or, where one cannot be changed, none: ERR_BUSY while a running
   * plan writes one.
   */
  step(): void {
    this.update({});
  }

  /** @internal `step`, with clipped gradients: they are clipped on the way, and stay as they are. */
  update({ clipGradNorm, clipGradValue = 0, isChecked = false }: UpdateOptions): void {
    const recorded = isRecordingNow() ? this.#beginRecording() : undefined;
    const updates = this.groups.flatMap((group) =>
      group.params.flatMap((parameter) => {
        if (parameter.grad === null || !parameter.requiresGrad) return [];
        const grad = checkGradient(this.name, parameter, parameter.grad);
        return [{ parameter, grad, group, memory: this.#remember(parameter, group) }];
      }),
    );
    checkAtRest(
      this.name,
      updates.flatMap(({ parameter, memory }) => [parameter, ...kept(memory)]),
    );
    // A step that is replayed ends before its update where a gradient is not finite.
    if (recorded !== undefined && !isChecked) this.requireFinite();
    using squares = clipGradNorm === undefined ? null : squareSum(updates.map(({ grad }) => grad));
    const schedule = (step: number) => recorded?.schedule?.(step);
    const options = new Map(this.groups.map((group) => [group, follow<Options>(group, schedule)]));
    for (const { parameter, grad, group, memory } of updates) {
      const operands = [parameter, grad, ...[0, 1, 2].map((i) => memory.slots[i] ?? null), squares];
      const own = this.numbers(options.get(group) as Followed<Options>, momentOf(memory));
      const numbers = [...own, group.maximize ? 1 : 0, clipGradNorm ?? 0, clipGradValue];
      emit(
        this.instruction,
        operands.map((tensor) => tensor?.handle ?? NO_TENSOR),
        numbers,
      );
      if (recorded === undefined) memory.step += 1;
      else recorded.memories.push(memory);
    }
  }

  /** @internal Throws ERR_NUMERICS where a gradient holds NaN or Infinity. */
  requireFinite(): void {
    this.parameters.forEach(({ grad, requiresGrad }, i) => {
      if (grad !== null && requiresGrad) emit('require_finite', [grad.handle], [i + 1]);
    });
  }

  /** @internal Makes what is kept for the parameters now: a recorded step must find it there. */
  prepare(): void {
    for (const group of this.groups) {
      for (const parameter of group.params) if (parameter.requiresGrad) this.#remember(parameter, group);
    }
  }

  #beginRecording(): RecordedUpdates {
    if (this.#recorded !== undefined) {
      throw fail('ERR_CAPTURE', {
        op: 'capture',
        expected: `one call of step() of ${this.name} in the step that is recorded`,
        received: 'a second one',
        hint: 'record one update, and run it as often as wanted',
      });
    }
    this.#recorded = new RecordedUpdates();
    noteAdvancing(this);
    noteAdvancing(this.#recorded);
    unrecorded(() => this.prepare());
    return this.#recorded;
  }

  /**
   * @internal Makes a schedule part of the step that is recorded: `set` sets the options of the groups for a step of a run.
   *
   * @returns false where no update has been recorded before it, or one follows a schedule already
   */
  followSchedule(set: (step: number) => void): boolean {
    if (this.#recorded === undefined || this.#recorded.schedule !== undefined) return false;
    this.#recorded.schedule = set;
    return true;
  }

  /** @internal Recorded updates move on by themselves. */
  advance(_steps: number): void {}

  /** @internal The gradients of a recording have no values. */
  endRecording(): void {
    this.#recorded = undefined;
    this.zeroGrad();
  }

  /** What is kept for a parameter. Where its options have changed, that of the same name stays. */
  #remember(parameter: Tensor, group: FullGroup<Options>): Memory {
    const known = this.#memory.get(parameter);
    const names = this.slotNames(group);
    if (known !== undefined && names.every((name, i) => (known.slots[i]?.name ?? null) === name))
      return known;
    checkAtRest(this.name, known === undefined ? [] : kept(known));
    const slots = slotsLike(parameter, names, this.slotValue(group), known?.slots ?? []);
    for (const slot of known?.slots ?? []) if (!slots.includes(slot)) slot?.dispose();
    const isNew = !slots.some((slot) => slot !== null && known?.slots.includes(slot));
    const made = { step: isNew ? 0 : (known?.step ?? 0), slots };
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
    checkNotNegative(this.name, { lr });
    for (const group of this.groups) group.lr = lr;
  }

  /**
   * All that is needed to go on exactly as if nothing had happened, by the paths into PyTorch's state dict: the tensors kept
   * (themselves, not copies), `state.<index of the parameter>.exp_avg`; the numbers `state.<index>.step` and the options of
   * the groups, `param_groups.<group>.weight_decay`. For parameters that have not been updated yet there is nothing.
   */
  stateDict(): OptimizerState {
    const tensors = new Map<string, Tensor>();
    const numbers = new Map(this.groups.flatMap((group, i) => groupNumbers(i, group)));
    this.parameters.forEach((parameter, i) => {
      const memory = this.#memory.get(parameter);
      if (memory === undefined || memory.step === 0) return;
      numbers.set(`state.${i}.step`, memory.step);
      for (const slot of kept(memory)) tensors.set(`state.${i}.${slot.name}`, slot);
    });
    return { tensors, numbers };
  }

  /**
   * Goes on from a saved state of an optimizer of the same kind over the same parameters, with its options. Everything is
   * checked before anything is changed. Options that are missing stay as they are.
   *
   * Throws ERR_DATA for names, shapes or numbers that do not fit; ERR_DISPOSED for a disposed tensor; ERR_BUSY while a
   * running plan writes its own.
   */
  loadStateDict(state: OptimizerState): void {
    const isState = state?.numbers instanceof Map;
    const groups = this.groups.map((group, i) =>
      isState ? savedOptions(this.name, i, group, state.numbers) : group,
    );
    for (const group of groups) this.#checkSavedOptions(group);
    const wanted = groups.flatMap((group) => {
      const names = this.slotNames(group).filter((name) => name !== null);
      return group.params.map((parameter) => ({ parameter, group, names }));
    });
    checkSaved(this.name, state, groups, wanted, this.countsSteps);
    checkAtRest(this.name, this.#kept());
    const steps = wanted.map(({ names }, i) => {
      const isThere = names.some((name) => state.tensors.has(`state.${i}.${name}`));
      return state.numbers.get(`state.${i}.step`) ?? (isThere ? 1 : undefined);
    });
    wanted.forEach(({ parameter, group }, i) => {
      if (steps[i] !== undefined) this.#remember(parameter, group); // what takes memory comes first
    });
    this.groups.forEach((group, i) => {
      Object.assign(group, groups[i]);
    });
    wanted.forEach(({ parameter, group }, i) => {
      const step = steps[i];
      if (step === undefined) {
        this.#forget(parameter);
        return;
      }
      const memory = this.#remember(parameter, group);
      memory.step = step;
      for (const slot of kept(memory)) {
        const saved = state.tensors.get(`state.${i}.${slot.name}`) as Tensor;
        if (saved !== slot) emit('copy', [slot.handle, saved.handle]);
      }
    });
  }

  #checkSavedOptions(group: Options): void {
    try {
      (this.#check as (options: Options) => void)(group);
    } catch (error) {
      if (!(error instanceof ReceptiveError)) throw error;
      throw refuseState(this.name, error.expected, error.received);
    }
  }

  #forget(parameter: Tensor): void {
    const memory = this.#memory.get(parameter);
    for (const slot of memory?.slots ?? []) slot?.dispose();
    this.#memory.delete(parameter);
  }

  #kept(): Tensor[] {
    return [...this.#memory.values()].flatMap(kept);
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

function kept({ slots }: Memory): SlotTensor[] {
  return slots.filter((slot) => slot !== null);
}

/** The tensors kept for a parameter, those of `known` with the same name among them; no new one where there is no memory. */
function slotsLike(
  parameter: Tensor,
  names: readonly (string | null)[],
  value: number,
  known: readonly (SlotTensor | null)[],
): (SlotTensor | null)[] {
  const made: SlotTensor[] = [];
  try {
    return names.map((name, i) => {
      if (name === null) return null;
      const old = known[i];
      if (old?.name === name) return old;
      made.push(new SlotTensor(name, parameter, value));
      return made[made.length - 1];
    });
  } catch (error) {
    for (const slot of made) slot.dispose();
    throw error;
  }
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

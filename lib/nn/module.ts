// SPDX-License-Identifier: Apache-2.0
// What every layer and model is: parameters, buffers and sub-modules in plain properties, found when they are asked for.
import { anomalyDetector } from '../autograd/anomaly.js';
import { checkBooleans, checkOptions, describe, fail, ReceptiveError } from '../errors.js';
import { checkAtRest, emit } from '../native/bindings.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Buffer } from './buffer.js';
import { FrozenState } from './frozen-state.js';
import { Parameter } from './parameter.js';
import { convert, isFloat } from './precision.js';
import { checkState, type StateDifference } from './state.js';

/** Sees what a module was given (the first of its inputs) and what it made of it, before its caller does. */
export type ForwardHook = (module: Module, input: Tensor, output: Tensor) => void;

/** A place that holds a parameter, a buffer or a module, `owner[key]`, and its name in the module that was asked. */
export interface Slot {
  readonly owner: object;
  readonly key: string;
  readonly name: string;
  readonly value: Parameter | Buffer | Module;
}

/** The module whose `call` an error passed last, so that the one outside can say which of its layers that was. */
const passedLast = new WeakMap<ReceptiveError, Module>();

/**
 * A layer or a model. Subclasses assign parameters, buffers and sub-modules (or arrays of them) to properties and define
 * `forward`; nothing is registered. Run a module with `call`, which gives errors the path of the layer.
 *
 * Names are PyTorch's: `features.3.weight`, a module's own parameters before those of its sub-modules, each in the
 * order of assignment. What can be reached twice is listed once, by its first name.
 */
export abstract class Module {
  /** True while learning: dropout drops. Set it with `train` and `eval`. */
  training = true;
  readonly #hooks = new Set<ForwardHook>();
  /** Frozen with its statistics: `train` passes it by. */
  #staysAsItIs = false;

  /** The computation, of one tensor or more. Run it through `call`. */
  abstract forward(x: Tensor, ...more: Tensor[]): Tensor;

  /** Runs `forward`, then the hooks. An error on its way out learns the path of the layer it came from. */
  call(x: Tensor, ...more: Tensor[]): Tensor {
    try {
      const detector = anomalyDetector();
      const y =
        detector === undefined
          ? this.forward(x, ...more)
          : detector.inLayer(this, () => this.forward(x, ...more));
      for (const hook of this.#hooks) hook(this, x, y);
      return y;
    } catch (error) {
      if (error instanceof ReceptiveError) this.#locate(error);
      throw error;
    }
  }

  #locate(error: ReceptiveError): void {
    const origin = passedLast.get(error);
    const path = this.namedModules().find(([, module]) => module === origin)?.[0];
    if (path) error.addPath(path);
    passedLast.set(error, this);
  }

  /** Calls `hook` after each forward pass of this module. Returns a function that takes it away again. */
  onForward(hook: ForwardHook): () => void {
    this.#hooks.add(hook);
    return () => {
      this.#hooks.delete(hook);
    };
  }

  /** @internal Whether someone sees its forward passes. */
  get isWatched(): boolean {
    return this.#hooks.size > 0;
  }

  /** Where this module keeps parameters, buffers and modules. Containers that keep them elsewhere say so here. */
  protected slots(): Iterable<Slot> {
    return slotsOf(this);
  }

  /** This module, path '', and all below it, outside before inside. */
  namedModules(): [path: string, module: Module][] {
    const found = new Map<Module, string>();
    const visit = (module: Module, path: string) => {
      if (found.has(module)) return;
      found.set(module, path);
      for (const { name, value } of module.slots()) {
        if (value instanceof Module) visit(value, join(path, name));
      }
    };
    visit(this, '');
    return [...found].map(([module, path]) => [path, module]);
  }

  /** This module and all below it. */
  modules(): Module[] {
    return this.namedModules().map(([, module]) => module);
  }

  /** All parameters by name, in the order of PyTorch's `named_parameters`. */
  namedParameters(): [name: string, parameter: Parameter][] {
    return this.#named((module) => module.#own(Parameter));
  }

  /** All buffers by name, in the order of PyTorch's `named_buffers`: state that is saved but not learnt. */
  namedBuffers(): [name: string, buffer: Buffer][] {
    return this.#named((module) => module.#own(Buffer));
  }

  /** The parameters, or the buffers, in this module's own slots. */
  #own<T extends Parameter | Buffer>(kind: new (shape: Shape) => T): (readonly [name: string, value: T])[] {
    return [...this.slots()].flatMap(({ name, value }) =>
      value instanceof kind ? [[name, value] as const] : [],
    );
  }

  /** What `list` finds in this module and all below it, each once, with its path in front of its name. */
  #named<T>(list: (module: Module) => readonly (readonly [name: string, value: T])[]): [string, T][] {
    const found = new Map<T, string>();
    for (const [path, module] of this.namedModules()) {
      for (const [name, value] of list(module)) {
        if (!found.has(value)) found.set(value, join(path, name));
      }
    }
    return [...found].map(([value, name]) => [name, value]);
  }

  /** All parameters, in the order of `namedParameters`. */
  parameters(): Parameter[] {
    return this.namedParameters().map(([, parameter]) => parameter);
  }

  /** How many numbers there are to learn. */
  get parameterCount(): number {
    return this.parameters().reduce((total, parameter) => total + parameter.size, 0);
  }

  /** Sets the mode of this module and all below it, but for what is frozen with its statistics: dropout is active while training. */
  train(mode = true): this {
    for (const module of this.modules()) module.training = mode && !module.#staysAsItIs;
    return this;
  }

  /** Sets the mode for using what was learnt; `train(false)`. */
  eval(): this {
    return this.train(false);
  }

  /**
   * The parameters and buffers themselves by name, module by module: they go on changing as the module learns. Clone what
   * must stay.
   */
  stateDict(): Map<string, Tensor> {
    return new Map(this.#named<Tensor>((module) => [...module.#own(Parameter), ...module.#own(Buffer)]));
  }

  /**
   * Copies the tensors of `state` into the parameters and buffers of the same names. Everything is checked before anything is
   * written: a refusal leaves the module as it was.
   *
   * @param options strict: refuse missing and unexpected names; default true
   * @returns the names that were missing and unexpected
   *
   * Throws ERR_DATA with all names, shapes and dtypes that do not fit; ERR_DISPOSED for a disposed tensor; ERR_BUSY while a
   * running plan writes one of its own.
   */
  loadStateDict(state: ReadonlyMap<string, Tensor>, options: { strict?: boolean } = {}): StateDifference {
    const own = this.stateDict();
    const difference = checkState(own, state, options.strict ?? true);
    checkAtRest(
      'loadStateDict',
      [...own].flatMap(([name, tensor]) => (state.has(name) ? tensor : [])),
    );
    for (const [name, tensor] of own) {
      const source = state.get(name);
      if (source !== undefined && source !== tensor) emit('copy', [tensor.handle, source.handle]);
    }
    return difference;
  }

  /**
   * A copy for use while this module goes on learning: it computes in evaluation mode with the weights and buffers of now. While
   * `fit` trains the module, the copy is made between two steps, so that it never holds values of two of them.
   *
   * The copy owns its tensors (`dispose` frees them); the layers themselves are shared, so do not replace any.
   */
  async snapshot(): Promise<Snapshot> {
    return new Snapshot(this, await FrozenState.copy(this.#allSlots(), this.stateDict()));
  }

  /** @internal The same now, for who will write into it. Throws ERR_BUSY while a running plan writes the module. */
  snapshotNow(): Snapshot {
    return new Snapshot(this, FrozenState.now(this.#allSlots(), this.stateDict()));
  }

  /** @internal Puts another module in every place of this one that holds `old`. */
  replaceModule(old: Module, other: Module): void {
    for (const { owner, key, value } of this.#allSlots()) if (value === old) Reflect.set(owner, key, other);
  }

  #allSlots(): Slot[] {
    return this.modules().flatMap((module) => [...module.slots()]);
  }

  /** @internal Shows `body` the layers with the weights that this module stands for: its own. */
  inspect<T>(body: (model: Module) => T): T {
    return body(this);
  }

  /**
   * Sets `requiresGrad` of all parameters of this module and all below it to false: no gradient of them is computed, and
   * optimizers leave them as they are. What is recorded (`capture`) stays as it was recorded.
   *
   * @param frozen false lets them learn again, and `train` set the mode again; the default is true
   * @param options statistics: also stay in evaluation mode, whatever `train` says, so that running statistics are used and stay as
   *   they are and dropout does nothing, as in Keras; default false: they move in training mode, as in PyTorch
   */
  freeze(frozen = true, options: { statistics?: boolean } = {}): this {
    checkOptions('freeze', options, ['statistics']);
    checkBooleans('freeze', { frozen, statistics: options.statistics });
    const stays = frozen && options.statistics === true;
    for (const module of this.modules()) {
      module.#staysAsItIs = stays;
      if (stays) module.training = false;
    }
    for (const parameter of this.parameters()) parameter.requiresGrad = !frozen;
    return this;
  }

  /** Frees the gradients of all parameters. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) {
      parameter.grad?.dispose();
      parameter.grad = null;
    }
  }

  /**
   * Converts all parameters and floating buffers, in place: float64 models run on the exact, slow reference kernels. Call it before giving
   * the parameters to an optimizer, because they become other tensors. Throws ERR_BUSY while a running plan writes them.
   */
  to(dtype: 'float32' | 'float64'): this {
    if (dtype !== 'float32' && dtype !== 'float64') {
      throw fail('ERR_DTYPE', { op: 'to', expected: "'float32' or 'float64'", received: describe(dtype) });
    }
    checkAtRest('to', this.#alive());
    const converted = new Map<Tensor, Tensor>();
    const assign: (() => void)[] = [];
    try {
      for (const { owner, key, value } of this.modules().flatMap((module) => [...module.slots()])) {
        if (value instanceof Module || value.dtype === dtype || !isFloat(value)) continue;
        const other = converted.get(value) ?? convert(value, dtype);
        converted.set(value, other);
        assign.push(() => Reflect.set(owner, key, other));
      }
    } catch (error) {
      for (const other of converted.values()) other.dispose(); // the module stays as it was
      throw error;
    }
    for (const step of assign) step();
    for (const tensor of converted.keys()) tensor.dispose();
    return this;
  }

  /**
   * Frees all parameters, their gradients and all buffers. The module cannot be used any more. Throws ERR_BUSY, and frees
   * nothing, while a running plan writes them.
   */
  dispose(): void {
    checkAtRest('dispose', this.#alive());
    for (const tensor of this.stateDict().values()) tensor.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #alive(): Tensor[] {
    return [...this.stateDict().values()].filter(({ disposed }) => !disposed);
  }

  /** Multiply-add pairs of one forward pass; containers count none of their own. */
  multiplyAdds(_inputShape: Shape, _outputShape: Shape): number {
    return 0;
  }

  /** What `toString` writes between the brackets of this layer. */
  extraRepr(): string {
    return '';
  }

  /** The module and what is in it, as PyTorch prints modules. */
  toString(): string {
    const children = [...this.slots()].filter(({ value }) => value instanceof Module);
    const lines = children.map(({ name, value }) => `  (${name}): ${String(value).replaceAll('\n', '\n  ')}`);
    const extra = this.extraRepr();
    const inside = lines.length === 0 ? extra : `\n${extra && `  ${extra}\n`}${lines.join('\n')}\n`;
    return `${this.constructor.name}(${inside})`;
  }
}

/**
 * What `snapshot` gives: a module that computes in evaluation mode with the weights it was made with. It cannot learn, and
 * nothing can be loaded into it.
 */
export class Snapshot extends Module {
  readonly #model: Module;
  readonly #state: FrozenState;

  /** @internal Use `snapshot` of a module. */
  constructor(model: Module, state: FrozenState) {
    super();
    this.#model = model;
    this.#state = state;
    this.training = false;
  }

  override forward(x: Tensor, ...more: Tensor[]): Tensor {
    return this.inspect((model) => model.call(x, ...more));
  }

  override inspect<T>(body: (model: Module) => T): T {
    const modes = this.#model.modules().map((module) => [module, module.training] as const);
    try {
      this.#model.train(false);
      return this.#state.inPlace(() => body(this.#model));
    } finally {
      for (const [module, training] of modes) module.training = training;
    }
  }

  /** Refuses the mode for learning. */
  override train(mode = true): this {
    if (mode) throw this.#fixed('train');
    return this;
  }

  override stateDict(): Map<string, Tensor> {
    return new Map(this.#state.tensors);
  }

  override loadStateDict(): never {
    throw this.#fixed('loadStateDict');
  }

  override freeze(): never {
    throw this.#fixed('freeze');
  }

  override snapshotNow(): never {
    throw this.#fixed('EMA');
  }

  override to(): never {
    throw this.#fixed('to');
  }

  override async snapshot(): Promise<Snapshot> {
    return new Snapshot(this.#model, await this.#state.copy());
  }

  #fixed(op: string) {
    return fail('ERR_ARGUMENT', {
      op,
      expected: 'a model that can change',
      received: 'a snapshot',
      hint: 'change the model and make another snapshot',
    });
  }

  protected override slots(): Iterable<Slot> {
    return this.#state.slots();
  }

  override toString(): string {
    return `Snapshot of ${String(this.#model)}`;
  }
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** Own enumerable properties that hold parameters, buffers or modules, and the members of arrays of them, at any depth. */
export function* slotsOf(owner: object, prefix = ''): Generator<Slot> {
  for (const key of Object.keys(owner)) {
    const value: unknown = Reflect.get(owner, key);
    if (value instanceof Parameter || value instanceof Buffer || value instanceof Module) {
      yield { owner, key, name: prefix + key, value };
    } else if (Array.isArray(value)) {
      yield* slotsOf(value, `${prefix}${key}.`);
    }
  }
}

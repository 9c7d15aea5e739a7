// SPDX-License-Identifier: Apache-2.0
// What layers refuse: options out of range when they are made, and what they cannot compute when they are called, with the
// path of the layer. Every layer of `nn` has a row; a new one without fails.
import { describe, expect, it } from 'vitest';
import * as nn from '../../lib/nn/index.js';
import { zeros } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { layerRows } from '../helpers/layer-rows.js';
import { expectRefusal } from '../helpers/refusal.js';

const bad = (value: unknown) => value as never;

/** Gives its layer what it was called with, from deep inside. */
class Block extends nn.Module {
  readonly conv: nn.Module;
  constructor(layer: nn.Module) {
    super();
    this.conv = layer;
  }
  override forward(x: Tensor, ...more: Tensor[]): Tensor {
    return this.conv.call(x, ...more);
  }
}

class Net extends nn.Module {
  readonly features: nn.Sequential;
  constructor(layer: nn.Module) {
    super();
    const before = [new nn.Identity(), new nn.Identity(), new nn.Identity()];
    this.features = new nn.Sequential(...before, new Block(layer));
  }
  override forward(x: Tensor, ...more: Tensor[]): Tensor {
    // A loss wants its target as well, which a sequence does not pass on.
    return more.length === 0 ? this.features.call(x) : (this.features.at(3) as nn.Module).call(x, ...more);
  }
}

const isLoss = (name: string) => name.endsWith('Loss');
const table = Object.entries(layerRows);

it('every layer has a row', () => {
  const isLayer = (value: unknown) =>
    typeof value === 'function' && value.prototype instanceof nn.Module && value !== nn.Chain; // which is abstract
  const layers = Object.entries(nn).filter(([, value]) => isLayer(value));
  expect(Object.keys(layerRows).sort()).toEqual(layers.map(([name]) => name).sort());
});

describe.each(table.filter(([, { bad }]) => bad !== undefined))('%s refuses when it is made', (name, row) => {
  it.each(
    (row.bad ?? []).map(([expected, make], i) => [`${expected.source} (${i})`, expected, make] as const),
  )('%s', (_, expected, make) => {
    const error = expectRefusal(make, 'ERR_ARGUMENT', { op: name });
    expect(`${error.expected} ${error.received}`).toMatch(expected);
  });
});

describe.each(table.filter(([name]) => name !== 'Identity'))('%s refuses when it is called', (name, row) => {
  it('what is no live tensor of its type and shape, with its path', () =>
    tensorScope(() => {
      using net = new Net(row.make());
      const target = (shape = row.fits) => (isLoss(name) ? [zeros(shape)] : []);
      const path = name === 'Sequential' ? 'features.3.conv.0' : 'features.3.conv';
      const gone = zeros(row.fits);
      gone.dispose();
      net.call(zeros(row.fits), ...target());
      const cases: [unknown, string][] = [
        [undefined, 'ERR_ARGUMENT'],
        [[1, 2], 'ERR_ARGUMENT'],
        [gone, 'ERR_DISPOSED'],
      ];
      if (name !== 'Flatten') cases.push([zeros(row.fits, { dtype: 'int32' }), 'ERR_DTYPE']);
      if (row.wrong !== undefined) cases.push([zeros(row.wrong), 'ERR_SHAPE']);
      for (const [input, code] of cases) {
        const more = target(name === 'CrossEntropyLoss' && code === 'ERR_SHAPE' ? row.wrong : row.fits);
        const error = expectRefusal(() => net.call(bad(input), ...more), bad(code));
        // A loss is reached past the sequence, and so its block is what the net called
        expect(error.path, code).toBe(path);
        expect(error.message).toContain(`in layer ${path}: expected`);
      }
    }));
});

// SPDX-License-Identifier: Apache-2.0
// What is no search space is refused, with the place; what is one is read into named choices.
import { describe, expect, it } from 'vitest';
import { readSpace } from '../../lib/search/space.js';
import { expectRefusal } from '../helpers/refusal.js';
import { LENET5_SPACE, SMALL } from './small.js';

const conv = { conv: { features: 4, size: 3 } };
const names = (json: unknown) => readSpace('search', json).dimensions.map(({ name }) => name);

describe('readSpace', () => {
  it('names choices by their layer, and leaves out what is settled', () => {
    expect(names(SMALL)).toEqual([
      ...['conv1.features', 'conv1.size', 'pool1.repeat', 'pool1.kind', 'linear1.repeat', 'linear1.features'],
      'lr',
    ]);
    expect(names({ layers: [{ conv: { features: [4], size: 3 } }], activation: 'tanh' })).toEqual([]);
    expect(names(LENET5_SPACE)).toHaveLength(17);
  });

  it('reads blocks, alternatives and orders', () => {
    const layers = [
      { block: [conv, { pool: {} }], repeat: { min: 1, max: 3 } },
      { either: [[{ globalPool: {} }], []] },
      { anyOrder: [conv, { pool: {} }, { dropout: { p: 0.1 } }] },
    ];
    const { dimensions } = readSpace('search', { layers });
    expect(dimensions.map(({ name, values }) => [name, values])).toEqual([
      ['block1.repeat', undefined],
      ['either1', [1, 2]],
      ['anyOrder1', ['1 2 3', '1 3 2', '2 1 3', '2 3 1', '3 1 2', '3 2 1']],
    ]);
  });

  const deep = (levels: number): unknown => (levels === 0 ? conv : { block: [deep(levels - 1)] });
  const withLayer = (layer: unknown) => ({ layers: [conv, layer] });
  const withConv = (settings: object) => withLayer({ conv: { features: 4, size: 3, ...settings } });
  const withTraining = (training: unknown) => ({ layers: [conv], training });
  it.each([
    ['no object', null, /the space to be an object/, /null/],
    ['a list', [conv], /the space to be an object/, /Object/],
    ['no layers', {}, /"layers"/, /none/],
    ['an unknown key', { layers: [conv], trainin: {} }, /keys layers, activation, training/, /trainin/],
    ['layers that are no list', { layers: conv }, /layers to be a list/, /Object/],
    ['an unknown layer', withLayer({ cnov: {} }), /layers\[1\] to be .* keys conv, pool/, /cnov/],
    ['two kinds in one', withLayer({ ...conv, pool: {} }), /layers\[1\] to be .* one of conv/, /conv.*pool/],
    ['none', withLayer({ repeat: 2 }), /layers\[1\] to be .* one of conv/, /Object/],
    ['an unknown setting', withConv({ sise: 3 }), /layers\[1\]\.conv to be .*features, size/, /sise/],
    ['a missing setting', withLayer({ conv: { features: 4 } }), /layers\[1\]\.conv .*features and size/, /./],
    ['an empty choice', withConv({ size: [] }), /layers\[1\]\.conv\.size to be a list of 1 to/, /\[\]/],
    ['a wrong value', withConv({ size: [3, 0] }), /layers\[1\]\.conv\.size\[1\] to be a whole/, /0/],
    ['a value that comes twice', withConv({ size: [3, 3] }), /size\[1\] to be a value that is not/, /3/],
    ['a list in a list', withConv({ size: [[3]] }), /size\[0\] to be a whole number/, /3/],
    ['text for a number', withConv({ size: '3' }), /conv\.size to be a whole number.*min/, /"3"/],
    ['a fraction', withConv({ features: 4.5 }), /features to be a whole number/, /4\.5/],
    ['a wrong activation', withConv({ activation: 'rely' }), /activation to be one of relu/, /rely/],
    ['a range of names', withConv({ activation: { min: 1, max: 2 } }), /activation to be one of/, /Object/],
    ['a range upside down', withConv({ size: { min: 5, max: 3 } }), /size\.max to be above min, 5/, /3/],
    ['an end that is missing', withConv({ size: { min: 5 } }), /size\.max to be a whole number/, /undefined/],
    ['an unknown key of a range', withConv({ size: { min: 1, maks: 3 } }), /keys min, max, log/, /maks/],
    ['points of 1', withConv({ size: { min: 1, max: 3, points: 1 } }), /points to be a whole number/, /1/],
    [
      'a logarithm of 0',
      withTraining({ weightDecay: { min: 0, max: 1, log: true } }),
      /min to be above 0/,
      /0/,
    ],
    ['log that is no boolean', withTraining({ lr: { min: 1, max: 2, log: 1 } }), /lr\.log to be true/, /1/],
    ['an lr of 0', withTraining({ lr: [0, 0.1] }), /training\.lr\[0\] to be a number above 0/, /0/],
    ['an unknown optimizer', withTraining({ optimizer: 'adma' }), /training\.optimizer to be one of/, /adma/],
    ['training that is none', withTraining(3), /training to be an object/, /3/],
    ['momentum without its optimizer', withTraining({ momentum: 0.9 }), /momentum to be left out/, /it/],
    ['a negative repeat', withLayer({ ...conv, repeat: -1 }), /layers\[1\]\.repeat to be a whole/, /-1/],
    [
      'repeat and optional',
      withLayer({ ...conv, repeat: 2, optional: true }),
      /optional to be left out/,
      /true/,
    ],
    ['optional that is no boolean', withLayer({ ...conv, optional: 'yes' }), /optional to be true or/, /yes/],
    ['one alternative', withLayer({ either: [[conv]] }), /either to be two lists/, /array/],
    ['an alternative that is no list', withLayer({ either: [conv, conv] }), /either\[0\] to be a list/, /./],
    ['too many to order', withLayer({ anyOrder: Array(6).fill(conv) }), /anyOrder to be two to 5/, /./],
    ['lists too deep', { layers: [deep(20)] }, /block.* to be at most 8 lists deep/, /./],
    [
      'too many repetitions',
      { layers: [{ block: [{ block: [conv], repeat: 100 }], repeat: [1, 100] }] },
      /layers\[0\]\.block\[0\]\.repeat to be such that/,
      /10000/,
    ],
    ['a limit of 0', { layers: [conv], limits: { parameters: 0 } }, /limits\.parameters to be/, /0/],
    [
      'an unknown limit',
      { layers: [conv], limits: { params: 1 } },
      /keys parameters, multiplyAdds/,
      /params/,
    ],
    ['a baseline of no choice', { ...SMALL, baseline: { 'conv1.sise': 3 } }, /baseline to be/, /conv1\.sise/],
    ['a baseline outside', { ...SMALL, baseline: { lr: 1 } }, /baseline\.lr to be a number from 0\.001/, /1/],
    ['its value not listed', { ...SMALL, baseline: { 'conv1.size': 4 } }, /to be one of 3, 5/, /4/],
    ['a prototype', JSON.parse('{"layers": [], "__proto__": {}}'), /keys layers/, /__proto__/],
  ])('refuses %s', (_, json, expected, received) => {
    expectRefusal(() => readSpace('space.json', json), 'ERR_ARGUMENT', {
      op: 'space.json',
      expected,
      received,
    });
  });

  it('knows what was meant', () => {
    const hint = (json: unknown, wanted: RegExp) =>
      expectRefusal(() => readSpace('search', json), 'ERR_ARGUMENT', { hint: wanted });
    hint(withLayer({ cnov: {} }), /conv\?/);
    hint(withConv({ sise: 3 }), /size\?/);
    hint(withConv({ activation: 'rely' }), /relu\?/);
    hint({ layers: [conv], trainin: {} }, /training\?/);
    hint({ ...SMALL, baseline: { 'conv1.sise': 3 } }, /conv1\.size\?/);
  });
});

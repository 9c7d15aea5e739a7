// SPDX-License-Identifier: Apache-2.0
// What a plan tells about the algorithms of its convolutions.
import { describe, expect, it } from 'vitest';
import { capture, nn } from '../../lib/index.js';
import { profileTraining } from '../../lib/train/profile.js';

describe('a plan', () => {
  it('names the algorithm of convolutions in groups, with dilation, and transposed', () => {
    using model = new nn.Sequential(
      new nn.Conv2d(32, 32, { kernelSize: 3, padding: 1, groups: 32 }),
      new nn.Conv2d(32, 64, { kernelSize: 3, padding: 1, groups: 2 }),
      new nn.Conv2d(64, 16, { kernelSize: 3, padding: 2, dilation: 2 }),
      new nn.ConvTranspose2d(16, 4, { kernelSize: 2, stride: 2, groups: 4 }),
    );
    using plan = capture(({ images }) => ({ y: model.call(images) }), { input: [2, 8, 8, 32] });
    expect(plan.describe().planned.algorithms).toEqual([
      'conv2d_forward 32 → 32 in 32 groups at 8x8: depthwise',
      'conv2d_forward 32 → 64 in 2 groups at 8x8: direct',
      'conv2d_forward 64 → 16 at 8x8, dilation 2x2: direct',
      'conv2d_grad_input 4 → 16 in 4 groups at 16x16: depthwise',
    ]);
  });

  it('counts the work of groups, each with its own channels, in a profile', () => {
    using model = new nn.Sequential(
      new nn.Conv2d(4, 8, { kernelSize: 3, padding: 1, groups: 4 }),
      new nn.GlobalAvgPool2d(),
      new nn.Linear(8, 2),
    );
    const { rows } = profileTraining(model, [6, 5, 4], 2, 3);
    const [forward] = rows.filter(({ op }) => op === 'conv2d_forward');
    expect(forward).toMatchObject({ layer: '0', algorithm: 'depthwise', flops: 2 * 3 * 6 * 5 * 8 * 9 });
    const gradient = rows.find(({ op }) => op === 'conv2d_grad_weight');
    expect(gradient).toMatchObject({ algorithm: 'depthwise', flops: forward.flops });
  });

  it('says how each convolution is computed', () => {
    for (const algorithm of ['direct', 'winograd'] as const) {
      using model = new nn.Sequential(
        new nn.Conv2d(16, 20, { kernelSize: 3, padding: 1, algorithm }),
        new nn.ReLU(),
      );
      using plan = capture(({ images }) => ({ y: model.call(images) }), { input: [2, 8, 8, 16] });
      const { algorithms, fusions } = plan.describe().planned;
      expect(fusions).toEqual({ 'conv2d + relu': 1, 'weights prepared': 1 });
      const wanted = algorithm === 'direct' ? 'direct' : 'winograd F\\(4x4, 3x3\\)';
      expect(algorithms).toEqual([expect.stringMatching(`conv2d_forward 16 → 20 at 8x8: ${wanted}`)]);
      expect(String(plan.describe())).toContain(algorithms[0]);
      expect(algorithms).toHaveLength(1);
    }
  });

  it('measures them where it is asked to, and tells what it found', async () => {
    using model = new nn.Sequential(
      new nn.Conv2d(16, 20, { kernelSize: 3, padding: 1 }),
      new nn.Conv2d(20, 16, { kernelSize: 3, padding: 1, algorithm: 'direct' }),
      new nn.Conv2d(16, 4, { kernelSize: 3, stride: 2 }),
    );
    const images = Float32Array.from({ length: 2 * 8 * 8 * 16 }, (_, i) => Math.sin(i));
    const outputs = await Promise.all(
      [true, false].map(async (tune) => {
        using plan = capture(({ images }) => ({ y: model.call(images) }), { input: [2, 8, 8, 16], tune });
        const { algorithms, fusions } = plan.describe().planned;
        // The user's choice and what has one way only are left alone
        expect(fusions['algorithms measured']).toBe(tune ? 1 : undefined);
        expect(algorithms[0]).toMatch(/: (direct|winograd F\((2x2|4x4), 3x3\))$/);
        expect(algorithms.slice(1)).toEqual([
          expect.stringMatching(/direct$/),
          expect.stringMatching(/direct$/),
        ]);
        return (await plan.run({ images }, { steps: 1 })).outputs.y;
      }),
    );
    outputs[0].forEach((value, i) => {
      expect(value).toBeCloseTo(outputs[1][i], 4);
    });
  });

  it('refuses other values', () => {
    const options = { input: [1, 8, 8, 16], tune: 'always' };
    expect(() => capture(({ images }) => ({ y: images }), options as never)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT', expected: 'tune to be true or false' }),
    );
  });
});

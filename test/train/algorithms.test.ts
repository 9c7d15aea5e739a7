// SPDX-License-Identifier: Apache-2.0
// What a plan tells about the algorithms of its convolutions.
import { describe, expect, it } from 'vitest';
import { capture, nn } from '../../lib/index.js';

describe('a plan', () => {
  it('says how each convolution is computed', () => {
    for (const algorithm of ['direct', 'winograd'] as const) {
      using model = new nn.Sequential(
        new nn.Conv2d(16, 20, { kernelSize: 3, padding: 1, algorithm }),
        new nn.ReLU(),
      );
      using plan = capture(({ images }) => ({ y: model.call(images) }), { input: [2, 8, 8, 16] });
      const { algorithms, fusions } = plan.describe().planned;
      expect(fusions).toEqual({ 'conv2d + relu': 1 });
      const wanted = algorithm === 'direct' ? 'direct' : 'winograd F\\(4x4, 3x3\\)';
      expect(algorithms).toEqual([expect.stringMatching(`conv2d_forward 16 → 20 at 8x8: ${wanted}`)]);
      expect(String(plan.describe())).toContain(algorithms[0]);
      expect(algorithms).toHaveLength(1);
    }
  });
});

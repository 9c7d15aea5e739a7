// SPDX-License-Identifier: Apache-2.0
// Steps that are done only to see what they are like: the model and the random numbers are afterwards what they were.
import type { Module } from '../nn/module.js';
import { defaultGenerator } from '../tensor/random.js';
import type { Tensor } from '../tensor/tensor.js';

/** Runs `body`, and puts weights, buffers and the shared generator back, also where it fails. */
export async function rehearse<T>(model: Module, body: () => Promise<T>): Promise<T> {
  const generator = defaultGenerator();
  const draws = generator.state;
  const saved = new Map<string, Tensor>();
  try {
    for (const [name, own] of model.stateDict()) saved.set(name, own.clone().keep());
    try {
      return await body();
    } finally {
      model.loadStateDict(saved);
      generator.state = draws;
    }
  } finally {
    for (const copy of saved.values()) copy.dispose();
  }
}

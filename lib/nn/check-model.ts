// SPDX-License-Identifier: Apache-2.0
// Refuses what is no model, where one is asked for.
import { describe, fail } from '../errors.js';
import { Module } from './module.js';

/** Throws ERR_ARGUMENT for anything but a module. */
export function checkModel(op: string, model: unknown): void {
  if (model instanceof Module) return;
  throw fail('ERR_ARGUMENT', { op, expected: 'a model, made of modules', received: describe(model) });
}

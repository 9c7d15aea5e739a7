// SPDX-License-Identifier: Apache-2.0
// Search spaces in files, and the point that was best as a space of its own.
import { readFile } from 'node:fs/promises';
import { fail } from '../errors.js';
import { fileError } from '../io/atomic-file.js';
import type { Module } from '../nn/module.js';
import { resolve } from '../search/candidate.js';
import { buildNetwork, type Task } from '../search/network.js';
import type { TrialResult } from '../search/search.js';
import { readSpace, type Space } from '../search/space.js';

const LARGEST_FILE = 1_000_000; // characters; a space that people write has some thousand

/** The space of a file, as it is written and as it is read. Throws ERR_FILE, ERR_DATA, and ERR_ARGUMENT with the place. */
export async function loadSpace(path: string): Promise<{ written: unknown; space: Space }> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw fileError('search', 'a file with a search space', path, error);
  }
  let written: unknown;
  try {
    if (text.length > LARGEST_FILE) throw new Error(`${text.length} characters`);
    written = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw fail('ERR_DATA', {
      op: path,
      expected: 'a search space as JSON',
      received: reason.replaceAll(/\s+/g, ' ').slice(0, 120),
      cause,
    });
  }
  return { written, space: readSpace(path, written) };
}

/** A trial as a space with nothing open, which `receptive search` trains again, for longer or with another seed. */
export function spaceOf({ layers, training }: Pick<TrialResult, 'layers' | 'training'>): string {
  const lines = layers.map(({ kind, settings }) => `    ${JSON.stringify({ [kind]: settings })}`);
  return `{\n  "layers": [\n${lines.join(',\n')}\n  ],\n  "training": ${JSON.stringify(training)}\n}\n`;
}

/** The network of such a space, with weights of no meaning. Throws for what is none, and for one that leaves something open. */
export function networkOf(op: string, written: string, task: Task): Module {
  if (written.length > LARGEST_FILE) throw closed(op, `${written.length} characters`);
  let json: unknown;
  try {
    json = JSON.parse(written);
  } catch (cause) {
    throw closed(op, 'text that is no JSON', cause);
  }
  const { layers } = resolve(readSpace(op, json), ({ name }) => {
    throw closed(op, `a choice of ${name}`);
  });
  return buildNetwork(layers, task, 0);
}

const closed = (op: string, received: string, cause?: unknown) =>
  fail('ERR_DATA', { op, expected: 'a network with nothing left open, as JSON', received, cause });

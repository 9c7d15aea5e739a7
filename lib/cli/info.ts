// SPDX-License-Identifier: Apache-2.0
// `receptive info`: what this installation runs on. It measures nothing and works without a network.
import { availableParallelism } from 'node:os';
import { cacheFolder } from '../data/cache.js';
import { nativeInfo } from '../native/bindings.js';
import { version } from '../native/version.js';
import { Output, type OutputFlags } from './output.js';

export async function infoCommand(flags: OutputFlags): Promise<number> {
  const output = new Output(flags);
  const { isa, supportedIsas, threads, defaultThreads } = nativeInfo();
  const info = {
    version,
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    isa,
    supportedIsas,
    threads,
    defaultThreads,
    cores: availableParallelism(),
    cacheFolder: cacheFolder(),
  };
  if (output.isJson) {
    output.json(info);
    return 0;
  }
  const { dim } = output.colors;
  const rows: [string, string][] = [
    ['receptive', version],
    ['node', `${info.node} on ${info.platform}`],
    ['instructions', `${isa} (this processor has ${supportedIsas.join(', ')})`],
    ['threads', `${threads} (${info.cores} cores)`],
    ['cache', info.cacheFolder],
  ];
  for (const [name, value] of rows) output.line(`${dim(name.padEnd(14))}${value}`);
  return 0;
}

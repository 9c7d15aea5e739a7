#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The `receptive` command.
import { runCommand } from './program.js';

process.exitCode = await runCommand(process.argv.slice(2));

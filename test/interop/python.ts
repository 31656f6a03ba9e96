/**
 * The Python of the comparisons: INTEROP_PYTHON, or the one of test/interop/.venv, made with
 * `python3 -m venv test/interop/.venv && test/interop/.venv/bin/pip install -r test/interop/requirements.txt`.
 */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const LOCAL = fileURLToPath(new URL('.venv/bin/python', import.meta.url));

/** Runs a Python script and returns the JSON of its last output line. */
export function python(script: string, ...parameters: string[]): unknown {
  const output = runPython('-c', script, ...parameters);
  return JSON.parse(output.trimEnd().split('\n').at(-1)!) as unknown;
}

/** Runs Python with these arguments, offline; returns what it prints. */
export function runPython(...parameters: string[]): string {
  const interpreter = process.env.INTEROP_PYTHON ?? LOCAL;
  if (!existsSync(interpreter)) {
    throw new Error(`No Python at ${interpreter}: set INTEROP_PYTHON, or see the head of test/interop/python.ts`);
  }
  const environment = { ...process.env, HF_HUB_OFFLINE: '1', TOKENIZERS_PARALLELISM: 'false' };
  return execFileSync(interpreter, parameters, {
    encoding: 'utf8',
    env: environment,
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

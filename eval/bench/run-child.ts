/** Runs a program, shows what it complains about, and gives its last line of output. */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** @throws Error where it ends with another code than 0 */
export async function lastLineOf(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let last = '';
  const code = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  for await (const line of createInterface({ input: child.stdout })) if (line.trim() !== '') last = line;
  if ((await code) !== 0) throw new Error(`${command} ${args.join(' ')} ended with code ${await code}`);
  return last;
}

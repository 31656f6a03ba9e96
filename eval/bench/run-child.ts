/** Runs a program, shows what it complains about, and gives its last line of output. */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** @throws Error where it ends with another code than 0, with the last line of its complaints */
export async function lastLineOf(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let last = '';
  let complaint = '';
  child.stderr.pipe(process.stderr, { end: false });
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line.trim() !== '') complaint = line.trim();
  });
  const code = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  for await (const line of createInterface({ input: child.stdout })) if (line.trim() !== '') last = line;
  if ((await code) !== 0) throw new Error(`${command} ${args.join(' ')} ended with code ${await code}: ${complaint}`);
  return last;
}

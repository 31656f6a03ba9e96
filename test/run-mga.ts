/** Runs the command line as its own process, from the sources. */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './source-files.ts';

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface MgaProcess {
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the match when stdout has matched. */
  sees(pattern: RegExp): Promise<RegExpExecArray>;
  ended: Promise<Outcome>;
}

/** Starts `mga` with these arguments; `cwd` defaults to the repository. */
export function startMga(args: readonly string[], { cwd = ROOT, env = {} } = {}): MgaProcess {
  const main = join(ROOT, 'src/cli/main.ts');
  const loader = import.meta.resolve('tsx');
  const child = spawn(process.execPath, ['--import', loader, main, ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  return {
    kill: (signal) => child.kill(signal),
    sees: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(stdout);
          if (match) resolve(match);
        };
        child.stdout.on('data', look);
        child.on('close', () => reject(new Error(`mga ended without ${pattern}:\n${stdout}\n${stderr}`)));
        look();
      }),
    ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr }))),
  };
}

/** Runs `mga` to its end. */
export function runMga(args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}) {
  return startMga(args, options).ended;
}

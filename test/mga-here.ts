/** The command line in the process of the test. */

import { Writable } from 'node:stream';
import { runCli } from '../src/cli/cli.ts';
import type { CommandIo } from '../src/cli/command.ts';

export interface Told {
  code: number;
  stdout: string;
  stderr: string;
}

function withEnvironment(env: NodeJS.ProcessEnv) {
  return async (...argv: string[]): Promise<Told> => {
    const text = { stdout: '', stderr: '' };
    const stream = (name: 'stdout' | 'stderr') =>
      new Writable({
        write(chunk, _encoding, done) {
          text[name] += chunk;
          done();
        },
      }) as unknown as NodeJS.WriteStream;
    const signal = new AbortController().signal;
    const io: CommandIo = { stdout: stream('stdout'), stderr: stream('stderr'), env, signal };
    return { code: await runCli(argv, io), ...text };
  };
}

/** Runs `mga` with these arguments and no environment; `mga.with(env)` gives one that has. */
export const mga = Object.assign(withEnvironment({}), { with: withEnvironment });

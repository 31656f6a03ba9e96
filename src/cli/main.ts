#!/usr/bin/env node
/** The process of the command `mga`: signals in, exit code out. */

import { EXIT, runCli } from './cli.ts';

const abort = new AbortController();

for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    if (abort.signal.aborted) process.exit(EXIT.interrupted);
    // Through the console, which a live screen puts above itself.
    console.error('Stopping after the step at hand. Ctrl-C again stops at once.');
    abort.abort();
  });
}

// A reader that has seen enough (`mga status | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});

process.exitCode = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: abort.signal,
});
// Worker threads would keep the process alive; what was written must be out before.
process.stdout.write('', () => process.exit());

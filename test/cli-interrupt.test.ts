/** Ctrl-C and kill -9 against real processes: training goes on where it stopped, and ends bit-equal. */

import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runFolder } from '../src/foundation/run-folder.ts';
import { lockRun } from '../src/pipeline/lock.ts';
import { runMga, startMga } from './run-mga.ts';

const folder = mkdtempSync(join(tmpdir(), 'mga-interrupt-'));
const rows = join(folder, 'rows.jsonl');
const steps = 14;
/** Six processes that load the runtime, on a machine that may be busy with other tests. */
const TIMEOUT_MS = 300_000;

writeFileSync(
  rows,
  Array.from({ length: steps }, (_, i) =>
    JSON.stringify({
      prompt: [{ role: 'user', content: `Document:\nNumber ${i} and its square.\n\nSay it.` }],
      completion: [{ role: 'assistant', content: `${i} squared is ${i * i}.` }],
    }),
  ).join('\n'),
);

const training = (out: string) => [
  ...['train', '--sft', rows, '--out', join(folder, out), '--model', 'tiny-random'],
  ...['samplesPerStep=1', 'checkpointEvery=2', 'lora.rank=2'].flatMap((set) => ['--set', `train.${set}`]),
];

const losses = (out: string) =>
  readFileSync(join(folder, out, 'losses.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { step: number; loss?: number })
    .map(({ step, loss }) => [step, loss]);

const adapter = (out: string) => readFileSync(join(folder, out, 'adapter.safetensors'));

/** Matches the line of a step in the middle: after the first checkpoints, well before the last step. */
const MIDDLE = /"type":"step-end"[^\n]*"step":5,/;

test(
  'mga train goes on after kill -9 and after Ctrl-C, and ends bit-equal to an undisturbed run',
  async () => {
    expect((await runMga(training('undisturbed'))).code).toBe(0);
    expect(losses('undisturbed').filter(([step]) => step! > 0)).toHaveLength(steps);

    const killed = startMga(training('killed'));
    await killed.sees(MIDDLE);
    killed.kill('SIGKILL');
    await killed.ended;
    expect(existsSync(join(folder, 'killed', 'manifest.json'))).toBe(false);
    const again = await runMga(training('killed'));
    expect(again.stderr).not.toContain('Cannot');
    expect(again.stdout).not.toContain('"step":1,');

    const stopped = startMga(training('stopped'));
    await stopped.sees(MIDDLE);
    stopped.kill('SIGINT');
    const outcome = await stopped.ended;
    expect(outcome.code).toBe(130);
    expect(outcome.stderr).toContain('Stopping after the step at hand');
    expect(outcome.stderr).toContain(`Go on with: mga train --sft ${rows}`);
    await runMga(training('stopped'));

    for (const run of ['killed', 'stopped']) {
      expect(losses(run)).toEqual(losses('undisturbed'));
      expect(adapter(run).equals(adapter('undisturbed'))).toBe(true);
    }
    const complete = await runMga(training('stopped'));
    expect(complete.stdout).toContain('"type":"command-skip"');
  },
  TIMEOUT_MS,
);

test('a second mga on the same folder says who holds it', async () => {
  const unlock = lockRun(runFolder(join(folder, 'held')));
  const second = await runMga(training('held'));
  unlock();
  expect(second.code).toBe(1);
  expect(second.stderr).toContain(`process ${process.pid} on `);
});

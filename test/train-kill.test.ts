/** Training is killed at random steps and run again: it ends with the bits of an undisturbed run. */

import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { randomStream } from '../src/foundation/random.ts';
import { type StudentJob, trainStudent } from '../src/train/train.ts';
import { studentJob, traces, trainingFolder, watching } from './train-setup.ts';

const { root, base } = trainingFolder();
afterAll(() => rmSync(root, { recursive: true }));

const STEPS = 30;
/** A busy machine takes long to start a process. */
const TIMEOUT_MS = 300_000;

it.each(['f32', 'w8a8', 'full'] as const)(
  'trainStudent() in %s survives kill -9 at random steps',
  async (mode) => {
    const what = mode === 'full' ? ({ method: 'full', precision: 'f32' } as const) : { precision: mode };
    const settings = { ...what, epochs: STEPS / 3, checkpointEvery: 4, evaluateEvery: 10 };
    const undisturbed = studentJob(base, join(root, `undisturbed-${mode}`), settings);
    await trainStudent(undisturbed, watching().context);

    const killed = studentJob(base, join(root, `killed-${mode}`), settings);
    const random = randomStream('train-kill', mode);
    for (const from of [1, STEPS / 2]) await killAfterStep(from + random.integer(STEPS / 2 - 4), killed);
    const { context, events } = watching();
    await trainStudent(killed, context);

    const steps = events.flatMap((event) => (event.type === 'step-end' ? [event.step] : []));
    expect(steps[0]).toBeGreaterThan(STEPS / 2 - 4);
    expect(steps.at(-1)).toBe(STEPS);
    expect(traces(killed.folder)).toEqual(traces(undisturbed.folder));
  },
  TIMEOUT_MS,
);

/** Trains in a process of its own and kills it when it has told of a step. */
async function killAfterStep(step: number, job: StudentJob): Promise<void> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/train-child.ts', JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
    if (said.includes(`step ${step}\n`)) child.kill('SIGKILL');
  });
  const signal = await new Promise((resolve) => child.on('close', (_code, by) => resolve(by)));
  expect(signal, 'the child must not end by itself').toBe('SIGKILL');
}

/** How fast this machine trains a student: two steps in a folder that is removed again. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readManifest } from '../foundation/artifact.ts';
import type { RunContext } from '../foundation/run-context.ts';
import { truncateLosses } from './losses-file.ts';
import { secondsPerToken } from './time-left.ts';
import type { StudentJob } from './train.ts';
import { trainInWorker } from './train-in-worker.ts';

/** The second one needs fewer new graphs, and tells of other lengths than the first. */
const MEASURED_STEPS = 2;

/** Seconds of steps a data-set token, without the building of graphs. @throws like `trainStudent` */
export async function measureSpeed(job: StudentJob, context: RunContext): Promise<number> {
  const root = mkdtempSync(join(tmpdir(), 'mga-measure-'));
  try {
    const folder = join(root, 'student');
    const settings = { ...job.settings, maxSteps: MEASURED_STEPS };
    await trainInWorker({ ...job, folder, dev: [], settings }, context);
    let [seconds, tokens] = [0, 0];
    for (const line of truncateLosses(join(folder, 'losses.jsonl'), MEASURED_STEPS)) {
      if (!('loss' in line)) continue;
      seconds += line.seconds;
      tokens += line.tokens;
    }
    const buildSeconds = readManifest(folder)!.facts!.build_seconds as number;
    return secondsPerToken({ seconds, buildSeconds, tokens });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

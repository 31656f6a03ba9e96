/** A process that trains, for tests that kill it: `train-child.ts <StudentJob as JSON>`; each finished step is a line. */

import { writeSync } from 'node:fs';
import { type StudentJob, trainStudent } from '../src/train/train.ts';

await trainStudent(JSON.parse(process.argv[2]!) as StudentJob, {
  emit: (event) => {
    if (event.type === 'step-end') writeSync(1, `step ${event.step}\n`);
  },
  signal: new AbortController().signal,
});

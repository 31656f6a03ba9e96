/** Plays a made-up run on the terminal screen, to look at it: npx tsx scripts/preview-screen.ts [speed] */

import { setTimeout as wait } from 'node:timers/promises';
import { randomStream } from '../src/foundation/random.ts';
import { COMMANDS } from '../src/pipeline/progress.ts';
import { showRun } from '../src/ui/show-run.ts';

const speed = Number(process.argv[2] ?? 1);
const random = randomStream('preview');
const { emit, close } = await showRun({ commands: COMMANDS, stdout: process.stdout, json: false, env: process.env });
const pause = (ms: number) => wait(ms / speed);

emit({ type: 'command-start', command: 'collect', detail: '80 documents, recorded teacher' });
for (let done = 0; done <= 400; done += 4) {
  emit({
    type: 'command-progress',
    command: 'collect',
    label: 'pairs',
    done: Math.min(80, done),
    total: 80,
    unit: 'requests',
  });
  emit({ type: 'command-progress', command: 'collect', label: 'reformulate', done, total: 400, unit: 'requests' });
  const docId = `alder-${String(done / 4).padStart(2, '0')}/1`;
  const text =
    'Dear gardeners of the allotment society, before the frost comes, a word about what happens under the soil when you stop digging.';
  emit({ type: 'sample-made', stage: 'reformulate', source: 'recorded', docId, text, score: 1 + random.integer(5) });
  await pause(50);
}
emit({ type: 'command-end', command: 'collect', seconds: 5, summary: '480 answers, 2 failed, 0 USD' });
emit({ type: 'log', level: 'warn', message: 'Two requests failed and stay out: birch-03/2, cedar-11/4' });
emit({ type: 'command-start', command: 'curate', detail: 'scores, cleaning patterns, copies' });
await pause(600);
emit({ type: 'command-end', command: 'curate', seconds: 0.6, summary: '371 of 480 samples kept' });
emit({ type: 'command-start', command: 'train', detail: 'reformulate: 371 samples, 124 steps' });
for (let step = 1; step <= 124; step++) {
  const loss = 2.6 + 1.2 * Math.exp(-step / 30) + 0.15 * random.normal();
  emit({
    type: 'step-end',
    student: 'reformulate',
    step,
    steps: 124,
    loss,
    learningRate: 1e-3,
    tokensPerSecond: 413,
    secondsLeft: (124 - step) / 10,
  });
  emit({ type: 'command-progress', command: 'train', label: 'reformulate', done: step, total: 124, unit: 'steps' });
  if (step % 40 === 0) emit({ type: 'dev-loss', student: 'reformulate', step, loss: loss + 0.05 });
  await pause(100);
}
emit({ type: 'command-end', command: 'train', seconds: 750, summary: 'reformulate: dev loss 3.81 → 2.69' });
emit({ type: 'command-skip', command: 'quantize', reason: 'complete' });
emit({ type: 'command-start', command: 'export', detail: 'reformulate' });
await pause(1500);
await close();

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, describe, expect, it } from 'vitest';
import { lossLines, studentJob, traces, trainingFolder, watching } from '../../test/train-setup.ts';
import { InterruptedError, UserError } from '../foundation/errors.ts';
import { trainStudent } from './train.ts';
import { trainInWorker } from './train-in-worker.ts';

const { root, base } = trainingFolder();
afterAll(() => rmSync(root, { recursive: true }));
const jobIn = (name: string, settings = {}) => studentJob(base, join(root, name), { precision: 'f32', ...settings });

describe('trainInWorker()', () => {
  it('gives the bits and events of a training in this thread, which stays free', async () => {
    const here = watching();
    await trainStudent(jobIn('here'), here.context);
    const there = watching();
    const delay = monitorEventLoopDelay({ resolution: 10 });
    delay.enable();
    await trainInWorker(jobIn('there'), there.context);
    delay.disable();
    expect(traces(join(root, 'there'))).toEqual(traces(join(root, 'here')));
    expect(there.events.map(({ type }) => type)).toEqual(here.events.map(({ type }) => type));
    expect(delay.percentile(50) / 1e6).toBeLessThan(100);
  });

  it('stops after a step when the signal is aborted, and goes on to the same bits', async () => {
    await trainStudent(jobIn('undisturbed', { epochs: 8 }), watching().context);
    const job = jobIn('stopped', { epochs: 8 });
    const { context } = watching((event, controller) => {
      if (event.type === 'step-end' && event.step === 2) controller.abort();
    });
    const stopped = trainInWorker(job, context);
    await expect(stopped).rejects.toThrow(InterruptedError);
    await expect(stopped).rejects.toThrow(/Stopped training writer after step \d+ of 24; the step is saved/);
    const last = lossLines(job.folder).at(-1)!.step!;
    const { context: second, events } = watching();
    await trainInWorker(job, second);
    expect(events.find(({ type }) => type === 'step-end')).toMatchObject({ step: last + 1 });
    expect(traces(job.folder)).toEqual(traces(join(root, 'undisturbed')));
  });

  it('passes errors on as what they are', async () => {
    const failing = trainInWorker(jobIn('refused', { memory: 0.5 }), watching().context);
    await expect(failing).rejects.toThrow(UserError);
    await expect(failing).rejects.toMatchObject({ hint: expect.stringContaining('train.memory') });
  });
});

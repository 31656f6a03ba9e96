import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { lossLines, sftRows, studentJob, traces, trainingFolder, watching } from '../../test/train-setup.ts';
import { writeSftJsonl } from '../curate/sft-jsonl.ts';
import { readManifest } from '../foundation/artifact.ts';
import { InterruptedError } from '../foundation/errors.ts';
import type { RunEvent } from '../foundation/events.ts';
import { loadAdapter } from '../model/adapter-file.ts';
import { loadModel } from '../model/load.ts';
import { readSafetensors } from '../model/safetensors.ts';
import { noSmoothing } from '../quantize/smooth-quant.ts';
import { saveSmoothing } from '../quantize/smoothing-file.ts';
import { SMOOTHING_FILE } from '../quantize/student-model.ts';
import type { TrainSettings } from '../recipe/schema.ts';
import { trainStudent } from './train.ts';
import { trainOnFiles } from './train-on-files.ts';

const { root, base } = trainingFolder();
afterAll(() => rmSync(root, { recursive: true }));

const jobIn = (name: string, settings: Partial<TrainSettings> = {}) => studentJob(base, join(root, name), settings);
const f32 = { precision: 'f32' } as const;

describe('trainStudent()', () => {
  it.each(['f32', 'w8a8'] as const)(
    'lowers the loss in %s, and leaves adapter, losses and facts',
    async (precision) => {
      const job = jobIn(`whole-${precision}`, { precision });
      const { context, events } = watching();
      await trainStudent(job, context);
      const lines = lossLines(job.folder);
      expect(lines.map(({ step, loss }) => [step, loss === undefined ? 'dev' : 'loss'])).toEqual([
        [0, 'dev'],
        [1, 'loss'],
        [2, 'loss'],
        [3, 'loss'],
        [3, 'dev'],
        [4, 'loss'],
        [5, 'loss'],
        [6, 'loss'],
        [6, 'dev'],
      ]);
      const devLosses = lines.flatMap(({ dev_loss }) => dev_loss ?? []);
      expect(devLosses[1]).toBeLessThan(devLosses[0]!);
      expect(devLosses[2]).toBeLessThan(devLosses[1]!);

      const { inputs, facts } = readManifest(job.folder)!;
      expect(facts).toMatchObject({
        steps: 6,
        samples: 6,
        dev_loss_before: devLosses[0],
        dev_loss: devLosses[2],
        too_long: 0,
      });
      expect(Object.keys(inputs).sort()).toEqual(['model', 'quantize', 'rows', 'seed', 'settings']);
      const adapter = loadAdapter(join(job.folder, 'adapter.safetensors'), loadModel(base).config);
      expect([adapter.rank, adapter.alpha]).toEqual([4, 8]);
      expect(existsSync(join(job.folder, 'smoothing.safetensors'))).toBe(precision === 'w8a8');

      const steps = events.flatMap((event) => (event.type === 'step-end' ? [[event.step, event.steps]] : []));
      expect(steps).toEqual([1, 2, 3, 4, 5, 6].map((step) => [step, 6]));
      const position = events.findIndex(({ type }) => type === 'training-estimate');
      expect(events[position - 1]).toMatchObject({ type: 'step-end', step: 1 });
      const estimate = events[position] as Extract<RunEvent, { type: 'training-estimate' }>;
      expect(estimate).toMatchObject({ student: 'writer', steps: 5 });
      expect(estimate.buildSeconds).toBeGreaterThan(0);
      expect(estimate.buildSeconds).toBeLessThan(estimate.stepSeconds);
      expect(estimate.secondsLeft).toBeGreaterThan(0);
      const told = /^writer: the first step took .* to build graphs; the other 5 and 2 dev losses take about \d+ s$/;
      expect(events[position + 1]).toMatchObject({ type: 'log', message: expect.stringMatching(told) });
      expect(events.at(-1)).toMatchObject({ type: 'command-end', command: 'train' });

      const again = watching();
      await trainStudent(job, again.context);
      expect(again.events).toEqual([{ type: 'command-skip', command: 'train', reason: 'writer is trained' }]);
    },
  );

  it('stops after the step at hand when the signal is aborted, and goes on to the same bits', async () => {
    const undisturbed = jobIn('undisturbed', f32);
    await trainStudent(undisturbed, watching().context);
    // Steps with and without a checkpoint or a dev loss of their own, and the last.
    for (const stop of [1, 2, 3, 6]) {
      const job = jobIn(`stopped-${stop}`, f32);
      const { context } = watching((event, controller) => {
        if (event.type === 'step-end' && event.step === stop) controller.abort();
      });
      const stopped = trainStudent(job, context);
      await expect(stopped).rejects.toThrow(InterruptedError);
      await expect(stopped).rejects.toThrow(`Stopped training writer after step ${stop} of 6; the step is saved`);
      expect(lossLines(job.folder).at(-1)!.step).toBe(stop);
      expect(readManifest(job.folder)).toBeUndefined();

      const { context: second, events } = watching();
      await trainStudent(job, second);
      const first = events.find(({ type }) => type === 'step-end');
      expect(first).toEqual(stop === 6 ? undefined : expect.objectContaining({ step: stop + 1 }));
      expect(traces(job.folder)).toEqual(traces(undisturbed.folder));
      expect(readManifest(job.folder)!.facts!.dev_loss).toBe(readManifest(undisturbed.folder)!.facts!.dev_loss);
    }
  });

  it('goes on to the same bits from wherever it is stopped, dev losses included', async () => {
    const job = (name: string) => jobIn(name, { ...f32, maxSteps: 3, evaluateEvery: 2, checkpointEvery: 99 });
    let reads = 0;
    // A signal that turns over at the n-th look at it: between any two looks nothing else can happen.
    const lookingAt = (n: number) => ({
      emit: () => {},
      signal: {
        get aborted() {
          return ++reads >= n;
        },
      } as AbortSignal,
    });
    await trainStudent(job('watched'), lookingAt(Number.POSITIVE_INFINITY));
    const looks = reads;
    // After each of three steps, and before each of three dev losses.
    expect(looks).toBe(6);
    for (let n = 1; n <= looks; n++) {
      const one = job(`look-${n}`);
      reads = 0;
      await expect(trainStudent(one, lookingAt(n))).rejects.toThrow(InterruptedError);
      const done = existsSync(join(one.folder, 'losses.jsonl')) ? lossLines(one.folder).at(-1)!.step! : 0;
      const { context, events } = watching();
      await trainStudent(one, context);
      // No step that was told of is made again.
      const steps = events.flatMap((event) => (event.type === 'step-end' ? [event.step] : []));
      expect(steps).toEqual([1, 2, 3].filter((step) => step > done));
      expect(traces(one.folder)).toEqual(traces(job('watched').folder));
      expect(readManifest(one.folder)!.facts!.dev_loss_before).toBe(
        readManifest(job('watched').folder)!.facts!.dev_loss_before,
      );
    }
  });

  it('goes on to the same bits after dying at any event', async () => {
    const job = (name: string) => jobIn(name, { ...f32, maxSteps: 3, evaluateEvery: 2, checkpointEvery: 2 });
    const { context, events } = watching();
    await trainStudent(job('alive'), context);
    for (const [n, { type }] of events.entries()) {
      const one = job(`dying-${n}`);
      let seen = 0;
      const dying = watching(() => {
        if (seen++ === n) throw new Error('dead');
      });
      await expect(trainStudent(one, dying.context), type).rejects.toThrow('dead');
      await trainStudent(one, watching().context);
      expect(traces(one.folder), type).toEqual(traces(job('alive').folder));
    }
  });

  it('begins anew with other settings, and ends as if it had never begun with the old ones', async () => {
    const changed = { ...f32, maxSteps: 3, learningRate: 3e-3 };
    await trainStudent(jobIn('fresh', changed), watching().context);
    const { context } = watching((event, controller) => {
      if (event.type === 'step-end' && event.step === 2) controller.abort();
    });
    await expect(trainStudent(jobIn('changed', { ...f32, maxSteps: 3 }), context)).rejects.toThrow(InterruptedError);
    const { context: second, events } = watching();
    await trainStudent(jobIn('changed', changed), second);
    expect(events.find(({ type }) => type === 'step-end')).toMatchObject({ step: 1 });
    expect(traces(join(root, 'changed'))).toEqual(traces(join(root, 'fresh')));
  });

  it('goes on where only what it looks at and runs on is changed', async () => {
    const { context } = watching((event, controller) => {
      if (event.type === 'step-end' && event.step === 2) controller.abort();
    });
    const first = jobIn('looked-at', { ...f32, maxSteps: 3 });
    await expect(trainStudent(first, context)).rejects.toThrow(InterruptedError);
    const { context: second, events } = watching();
    await trainStudent(jobIn('looked-at', { ...f32, maxSteps: 3, checkpointEvery: 7, threads: 2 }), second);
    expect(events.find(({ type }) => type === 'step-end')).toMatchObject({ step: 3 });
  });

  it('calibrates anew where the scales it finds are not its own', async () => {
    const settings = { precision: 'w8a8', maxSteps: 2 } as const;
    await trainStudent(jobIn('calibrated', settings), watching().context);
    const job = jobIn('found-scales', settings);
    saveSmoothing(join(job.folder, SMOOTHING_FILE), noSmoothing(loadModel(base)));
    await trainStudent(job, watching().context);
    expect(traces(job.folder)).toEqual(traces(join(root, 'calibrated')));
  });

  it('leaves out samples that are too long, and says how many', async () => {
    const job = jobIn('long', { ...f32, maxSteps: 1, maxTokens: 125 });
    const { context, events } = watching();
    await trainStudent({ ...job, dev: [] }, context);
    const warning = events.find(({ type }) => type === 'log');
    expect(warning).toMatchObject({
      level: 'warn',
      message: expect.stringMatching(/: \d of 6 samples are longer than 125 tokens/),
    });
    expect(readManifest(job.folder)!.facts).toMatchObject({ dev_loss: null, dev_loss_before: null });
    const none = trainStudent(jobIn('none', { ...f32, maxTokens: 5 }), watching().context);
    await expect(none).rejects.toThrow('Cannot train writer: no sample is at most 5 tokens long');
  });

  it('ends where the loss is no number any more', async () => {
    const job = jobIn('diverging', { ...f32, learningRate: 1e38, gradientClip: 1e38, warmup: 0 });
    await expect(trainStudent(job, watching().context)).rejects.toThrow(
      /Cannot go on training writer: step \d has loss NaN/,
    );
  });

  it('ends after so many dev losses that are no new best, and keeps the best adapter', async () => {
    // A rate this high makes dev losses worse sooner or later.
    const settings = { ...f32, learningRate: 0.5, warmup: 0, epochs: 6, evaluateEvery: 1, patience: 2 };
    const job = jobIn('patient', settings);
    await trainStudent(job, watching().context);
    const { facts } = readManifest(job.folder)!;
    const losses = lossLines(job.folder).flatMap(({ step, dev_loss }) => (dev_loss && step! > 0 ? [dev_loss] : []));
    const best = losses.indexOf(Math.min(...losses)) + 1;
    expect(losses.length).toBe(best + 2);
    expect(facts).toMatchObject({ steps: best + 2, best_step: best, dev_loss: losses[best - 1] });
    // The best step's adapter is what the same training had then.
    const { context } = watching((event, controller) => {
      if (event.type === 'step-end' && event.step === best) controller.abort();
    });
    const stopped = jobIn('best-alone', settings);
    await expect(trainStudent(stopped, context)).rejects.toThrow(InterruptedError);
    const kept = readSafetensors(join(job.folder, 'adapter.safetensors'));
    expect(kept).toEqual(readSafetensors(join(stopped.folder, `checkpoint-${best}`, 'adapter.safetensors')));
    // And it goes on to the same end.
    await trainStudent(stopped, watching().context);
    expect(traces(stopped.folder)).toEqual(traces(job.folder));
    expect(readManifest(stopped.folder)!.facts).toMatchObject({ steps: best + 2, best_step: best });
  });

  it('says what memory it takes, and refuses before it starts where that is too little', async () => {
    const job = jobIn('tight', { ...f32, maxSteps: 2 });
    const { context, events } = watching();
    await trainStudent(job, context);
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'log', message: expect.stringMatching(/^writer: about 0.8 GB of memory; all/) }),
    );
    const refused = jobIn('refused', { ...f32, maxSteps: 2, memory: 0.5 });
    await expect(trainStudent(refused, watching().context)).rejects.toThrow('Cannot train writer in 0.50 GB');
    expect(existsSync(refused.folder)).toBe(false);
  });

  it('trains all weights with method full, and stopped or patient leaves the same bits', async () => {
    const full = { ...f32, method: 'full', learningRate: 1e-3, evaluateEvery: 2 } as const;
    const job = jobIn('full', full);
    const { context, events } = watching();
    await trainStudent(job, context);
    expect(events).toContainEqual(expect.objectContaining({ message: expect.stringContaining('suits adapters') }));
    const devLosses = lossLines(job.folder).flatMap(({ dev_loss }) => dev_loss ?? []);
    expect(devLosses.at(-1)).toBeLessThan(devLosses[0]!);
    const { config, tensors } = loadModel(base);
    const trained = loadModel(job.folder, config).tensors;
    const size = [...tensors.values()].reduce((n, { data }) => n + data.length, 0);
    expect(readManifest(job.folder)!.facts).toMatchObject({ trainable: size, steps: 6 });
    for (const [name, { data }] of tensors) expect(trained.get(name)!.data, name).not.toEqual(data);

    for (const [name, stop, settings] of [
      ['full-stopped', 3, full],
      ['full-patient', 5, { ...full, patience: 3 }],
    ] as const) {
      const stopped = jobIn(name, settings);
      const { context: first } = watching((event, controller) => {
        if (event.type === 'step-end' && event.step === stop) controller.abort();
      });
      await expect(trainStudent(stopped, first)).rejects.toThrow(InterruptedError);
      await trainStudent(stopped, watching().context);
      // The last dev loss is the best, so patience changes nothing.
      expect(traces(stopped.folder)).toEqual(traces(job.folder));
    }
  });

  it('refuses method full in w8a8', async () => {
    const job = jobIn('full-w8a8', { method: 'full', precision: 'w8a8' });
    const message = 'Cannot train writer with method full in w8a8: it changes every weight';
    await expect(trainStudent(job, watching().context)).rejects.toThrow(message);
    expect(existsSync(job.folder)).toBe(false);
  });
});

describe('trainOnFiles()', () => {
  it('trains on the rows of a file, with the recipe defaults for what is not set', async () => {
    const [sft, val, out] = ['train.jsonl', 'val.jsonl', 'from-files'].map((name) => join(root, name)) as [
      string,
      string,
      string,
    ];
    writeSftJsonl(sft, sftRows(2));
    writeSftJsonl(val, sftRows(1, 3));
    await trainOnFiles({ sft, val, out, settings: { model: base, maxSteps: 2, threads: 1 } }, watching().context);
    const { inputs, facts } = readManifest(out)!;
    // Two documents of two samples are fewer than a step's six.
    expect(facts).toMatchObject({ steps: 1, samples: 4, dev_loss: expect.any(Number) });
    expect(inputs.settings).toMatchObject({ precision: 'w8a8', lora: { rank: 16, alpha: 32 }, learningRate: 2e-3 });
    expect(readFileSync(join(out, 'losses.jsonl'), 'utf8').trim().split('\n').length).toBe(3);
  });

  it('names the file that is missing', async () => {
    const missing = join(root, 'missing.jsonl');
    const training = trainOnFiles({ sft: missing, out: join(root, 'nothing'), settings: {} }, watching().context);
    await expect(training).rejects.toThrow(`Cannot read ${missing}`);
  });
});

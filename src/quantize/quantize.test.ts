import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sftRows, trainingFolder, watching } from '../../test/train-setup.ts';
import { writeSft } from '../curate/sft-arrow.ts';
import { readManifest } from '../foundation/artifact.ts';
import { InterruptedError } from '../foundation/errors.ts';
import { runFolder } from '../foundation/run-folder.ts';
import { loadAdapter } from '../model/adapter-file.ts';
import { loadModel } from '../model/load.ts';
import { recipeSchema } from '../recipe/schema.ts';
import { trainStudents } from '../train/train-students.ts';
import { quantizeStudents } from './quantize.ts';
import { loadSmoothing } from './smoothing-file.ts';
import { loadStudent, SMOOTHING_FILE, scaleAdapter } from './student-model.ts';

const { root, base } = trainingFolder();
afterAll(() => rmSync(root, { recursive: true }));

const folder = runFolder(join(root, 'run'));
const recipe = recipeSchema.parse({
  name: 'small',
  corpus: { path: 'none' },
  teacher: { kind: 'recorded', folder: 'none' },
  train: { model: base, lora: { rank: 2, alpha: 4 }, learningRate: 1e-2, maxSteps: 2, samplesPerStep: 2, threads: 1 },
  students: [
    { name: 'plain', stages: ['reformulate'], train: { precision: 'f32' } },
    { name: 'rounded', stages: ['reformulate'] },
  ],
});
const home = (name: string) => join(folder.student(name), 'w8a8');

beforeAll(async () => {
  writeSft(folder.sft(1, 'reformulate', 'train'), sftRows(3));
  writeSft(folder.sft(1, 'reformulate', 'dev'), sftRows(1, 3));
  await trainStudents(recipe, folder, watching().context);
});

describe('quantizeStudents()', () => {
  it('stops when asked to, and leaves nothing that looks complete', async () => {
    const { context } = watching((event, controller) => {
      if (event.type === 'command-start') controller.abort();
    });
    await expect(quantizeStudents(recipe, folder, context)).rejects.toThrow(InterruptedError);
    expect(readManifest(home('plain'))).toBeUndefined();
  });

  it('calibrates what training has not, measures each form, and skips what is done', async () => {
    const trained = loadSmoothing(join(folder.student('rounded'), SMOOTHING_FILE));
    await quantizeStudents(recipe, folder, watching().context);
    for (const name of ['plain', 'rounded']) {
      const facts = readManifest(home(name))!.facts as Record<'f32' | 'w8a8_beside' | 'w8a8_merged', number>;
      expect(Object.keys(facts)).toEqual(['f32', 'w8a8_beside', 'w8a8_merged']);
      expect(Math.abs(facts.w8a8_beside - facts.f32)).toBeLessThan(0.05);
      expect(Math.abs(facts.w8a8_merged - facts.f32)).toBeLessThan(0.05);
      expect(new Set(Object.values(facts)).size).toBe(3);
      expect(existsSync(join(folder.student(name), SMOOTHING_FILE))).toBe(true);
    }
    // A student trained through its int8 weights keeps their scales.
    expect(loadSmoothing(join(folder.student('rounded'), SMOOTHING_FILE))).toEqual(trained);

    const { context, events } = watching();
    await quantizeStudents(recipe, folder, context);
    expect(events.map(({ type }) => type)).toEqual(['command-skip', 'command-skip']);
  });

  it('measures beside the int8 weights the dev loss training ended with', () => {
    const { facts } = readManifest(folder.student('rounded'))!;
    const { w8a8_beside } = readManifest(home('rounded'))!.facts as { w8a8_beside: number };
    expect(Math.abs(w8a8_beside - (facts!.dev_loss as number))).toBeLessThan(2e-3);
  });
});

describe('loadStudent()', () => {
  it('gives the adapter for the base as it is, whatever it was trained beside', async () => {
    const { config } = loadModel(base);
    const stored = (name: string) => loadAdapter(join(folder.student(name), 'adapter.safetensors'), config);
    const load = (name: string) => loadStudent(recipe, folder, name, watching().context);
    const [plain, rounded] = [await load('plain'), await load('rounded')];
    expect(plain.adapter).toEqual(stored('plain'));
    expect(rounded.adapter).toEqual(scaleAdapter(stored('rounded'), rounded.smoothing!, 'unsmooth'));
    expect([plain.settings.precision, rounded.settings.precision]).toEqual(['f32', 'w8a8']);
    expect(plain.modelFolder).toBe(base);
  });

  it('refuses a student that is unknown or not trained', async () => {
    const { context } = watching();
    await expect(loadStudent(recipe, folder, 'nobody', context)).rejects.toThrow(
      'Cannot load student nobody: the recipe has plain, rounded',
    );
    const elsewhere = runFolder(join(root, 'elsewhere'));
    await expect(loadStudent(recipe, elsewhere, 'plain', context)).rejects.toThrow('is not complete');
  });
});

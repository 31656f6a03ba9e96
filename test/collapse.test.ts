/** `mga collapse` on a tiny model before and after training on synthetic text. */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EXIT } from '../src/cli/cli.ts';
import { writeTinyModel } from '../src/model/tiny.ts';
import { recipeSchema } from '../src/recipe/schema.ts';
import { trainOnFiles } from '../src/train/train-on-files.ts';
import type { CollapseReport } from '../src/validate/collapse.ts';
import { mga } from './mga-here.ts';

const root = mkdtempSync(join(tmpdir(), 'mga-collapse-'));
const path = (name: string) => join(root, name);
afterAll(() => rmSync(root, { recursive: true }));

/** The student learns to say one synthetic sentence over and over. */
beforeAll(async () => {
  const sentence = 'The mill is a testament to the rich tapestry of mills. ';
  const rows = Array.from({ length: 8 }, (_, i) => ({
    prompt: [{ role: 'user', content: `Write text ${i}.` }],
    completion: [{ role: 'assistant', content: sentence.repeat(3) }],
  }));
  writeFileSync(path('synthetic.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const texts = Array.from({ length: 6 }, (_, i) => ({
    id: `t${i}`,
    text: `In 18${40 + i} the miller of Aller wrote down what he ground: rye, oats, and ${i} sacks of barley.`,
  }));
  writeFileSync(path('texts.jsonl'), texts.map((text) => `${JSON.stringify(text)}\n`).join(''));
  writeTinyModel(path('base'));
  writeTinyModel(path('wider'), { hiddenSize: 32, heads: 2, kvHeads: 1 });
  const settings = recipeSchema.shape.train.parse({
    model: path('base'),
    lora: { rank: 4, alpha: 8 },
    learningRate: 2e-2,
    maxSteps: 6,
    threads: 1,
  });
  const context = { emit: () => {}, signal: new AbortController().signal };
  await trainOnFiles({ sft: path('synthetic.jsonl'), out: path('after'), settings }, context);
}, 300_000);

const analyse = (...more: string[]) => mga('collapse', ...more, '--texts', path('texts.jsonl'), '--threads', '1');

function reportOf(stdout: string): CollapseReport {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as CollapseReport;
}

test('mga collapse tells what training on synthetic text did to the losses of real text', async () => {
  const { code, stdout, stderr } = await analyse(path('base'), path('after'), '--out', path('kept'), '--k', '1.5');
  expect([code, code === EXIT.ok ? '' : stderr]).toEqual([EXIT.ok, '']);
  const report = reportOf(stdout);
  expect(report).toMatchObject({ texts: 6, k: 1.5, window: { direction: 'trailing' } });
  expect(report.lossdiff.mean).toBeCloseTo(report.loss.synthetic.mean - report.loss.real.mean, 6);
  expect(Math.abs(report.lossdiff.mean)).toBeGreaterThan(1e-3);
  expect(report.by_text.every(({ tokens }) => tokens > 70)).toBe(true);
  expect(stderr).toContain('first\nexceeds |mean| + 1.5 x std');

  expect(JSON.parse(readFileSync(join(path('kept'), 'collapse.json'), 'utf8'))).toEqual(
    Object.fromEntries(Object.entries(report).filter(([key]) => key !== 'type')),
  );
  const [line] = readFileSync(join(path('kept'), 'collapse-losses.jsonl'), 'utf8').split('\n');
  const { id, real, synthetic } = JSON.parse(line!) as { id: string; real: number[]; synthetic: number[] };
  const own = report.by_text.find((text) => text.id === id)!;
  expect([real.length, synthetic.length]).toEqual([own.tokens, own.tokens]);
  expect(real.reduce((sum, loss) => sum + loss, 0) / real.length).toBeCloseTo(own.real, 3);
});

test('a checkpoint against itself differs nowhere', async () => {
  const report = reportOf((await analyse(path('after'), path('after'), '--limit', '3')).stdout);
  expect(report).toMatchObject({ texts: 3, lossdiff: { mean: 0, std: 0, above_zero: 0 } });
  expect(report.first_anomaly_position).toMatchObject({ texts: 0, none: 3, median: null });
});

test('mga collapse says what is wrong with checkpoints, texts and options', async () => {
  const errorOf = async (...argv: string[]) => {
    const { code, stderr } = await mga('collapse', ...argv);
    expect(code).toBe(EXIT.userError);
    return stderr;
  };
  expect(await errorOf(path('base'), path('base'))).toContain('found no texts');
  const texts = ['--texts', path('texts.jsonl')];
  expect(await errorOf(path('base'), path('nothing'), ...texts)).toContain('nothing');
  expect(await errorOf(path('base'), path('base'), ...texts, '--k', 'two')).toContain('--k two');
  expect(await errorOf(path('base'), path('base'), ...texts, '--window', 'middle')).toContain('trailing and leading');
  writeFileSync(join(path('wider'), 'recipe.yaml'), 'name: x\n');
  expect(await errorOf(path('wider'), path('base'), ...texts)).toContain('it is the folder of a run');
  expect(existsSync(path('collapse.json'))).toBe(false);
});

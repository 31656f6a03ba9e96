/** A judge student on the ordinary path: rows with hard negatives, trained, calibrated, held against the local judge. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Collected } from '../src/collect/collected.ts';
import { candidates } from '../src/curate/samples.ts';
import { writeSft } from '../src/curate/sft-arrow.ts';
import { UserError } from '../src/foundation/errors.ts';
import { randomStream } from '../src/foundation/random.ts';
import { runFolder } from '../src/foundation/run-folder.ts';
import { loadRecipe } from '../src/recipe/load.ts';
import type { Score } from '../src/stage/judge.ts';
import { trainStudents } from '../src/train/train-students.ts';
import { chooseJudge } from '../src/validate/choose-judge.ts';

const debug = loadRecipe('recipes/debug.yaml', ['train.maxSteps=2', 'validate.resamples=100']);
const recipe = { ...debug, students: [{ name: 'judge', stages: ['judge' as const] }] };
const root = mkdtempSync(join(tmpdir(), 'judge-student-'));
afterAll(() => rmSync(root, { recursive: true }));

/** Short documents, for a tokenizer that makes a token of each byte; four student-made texts each. */
function collected(): Collected {
  const ids = Array.from({ length: 12 }, (_, i) => `d${i}`);
  const random = randomStream('judge-student');
  const texts: Collected['texts'] = new Map();
  const judgements: Collected['judgements'] = new Map();
  const judgeTexts: Collected['judgeTexts'] = [];
  for (const docId of ids) {
    const pair = { genre: 'Letter', audience: 'Readers' };
    const text = `It is ${docId}. It was old. It has 4 legs. It can swim. It must rest.`;
    texts.set(`${docId}/1`, { docId, pair, text, finishReason: 'stop' });
    judgements.set(`${docId}/1`, [{ score: 5, analysis: '' }]);
    for (let k = 0; k < 4; k++) {
      const id = `${docId}-student-${k}`;
      judgeTexts.push({ id, docId, text: `Text ${k} of ${docId}.`, kind: 'student' });
      judgements.set(id, [{ score: (1 + random.integer(5)) as Score, analysis: '' }]);
    }
  }
  return {
    documents: new Map(ids.map((id) => [id, { id, text: `${id} is old, has 4 legs, swims and must rest.` }])),
    splits: { train: ids.slice(0, 3), dev: ids.slice(3, 9), validation: ids.slice(9) },
    teacher: 'teacher',
    pairs: new Map(),
    texts,
    judgements,
    secondJudgements: new Map(),
    canaries: [],
    answers: new Map(),
    judgedAnswers: new Map(),
    judgeTexts,
    failures: [],
    missing: 0,
    spend: [],
    ratings: [],
    answersHash: 'these',
  };
}

test('a random judge student is held against the local judge, which stays, and the report says so', async () => {
  const folder = runFolder(join(root, 'run'));
  const context = { emit: () => {}, signal: new AbortController().signal };
  const answers = collected();
  const rows = candidates('judge', answers, { seed: 1, negatives: 2 });
  expect(rows.filter(({ origin }) => origin === 'made')).toHaveLength(2 * 9);
  for (const split of ['train', 'dev'] as const) {
    const own = rows.filter((row) => row.split === split).slice(0, 12);
    writeSft(
      folder.sft(1, 'judge', split),
      own.map(({ row }) => row),
    );
  }
  await expect(chooseJudge(recipe, folder, answers, context)).rejects.toThrow(UserError);
  await trainStudents(recipe, folder, context);
  const judge = await chooseJudge(recipe, folder, answers, context);
  expect(judge.kind).toBe('local');
  const { compared, description } = judge.describe();
  expect(compared!.map(({ kind, used }) => [kind, used])).toEqual([
    ['local', true],
    ['student', false],
    ['combined', false],
  ]);
  expect(compared![1]!.difference_ci![0]).not.toBeGreaterThan(0);
  expect(description).toContain('The local judge has seen 12 student-made or flawed texts');
  expect(description).toContain('Used: the regression.');
});

import { expect, test } from 'vitest';
import type { Collected } from '../collect/collected.ts';
import { randomStream } from '../foundation/random.ts';
import { readPatternLists } from '../recipe/pattern-list.ts';
import { recipeSchema } from '../recipe/schema.ts';
import { stageDefinition } from '../recipe/stage-definition.ts';
import { judgeStage } from '../stage/judge.ts';
import { ownStage } from '../stage/own-stage.ts';
import { pairsStage } from '../stage/pairs.ts';
import { reformulateStage } from '../stage/reformulate.ts';
import type { GenreAudience } from '../stage/stage.ts';
import { decide } from './decide.ts';
import { funnel } from './funnel.ts';
import { ownCandidates } from './own-candidates.ts';
import { candidates } from './samples.ts';

const judge = { negatives: 2, teacherTexts: 5, soft: true };
const curate = recipeSchema.shape.curate.parse({ judge });
const recipe = { seed: 7, curate };
const patterns = readPatternLists(curate.patterns);
const STAGES = { pairs: pairsStage, reformulate: reformulateStage, judge: judgeStage };
const SUBJECTS = ['harbour', 'lantern', 'granite', 'orchard', 'violin', 'compass'];
const FUNCTION_WORDS = ['the', 'of', 'and', 'to', 'in', 'was', 'for', 'with', 'that', 'by'];
/** Random sentences: a third function words, the rest from 150 invented words of the subject's own. */
const prose = (seed: number, subject: string) => {
  const spelling = randomStream('vocabulary', subject);
  const letters = (count: number) => Array.from({ length: count }, () => 'abcdefghilmnoprstu'[spelling.integer(18)]!);
  const vocabulary = Array.from({ length: 150 }, () => letters(7).join(''));
  const stream = randomStream('prose', seed);
  const word = (i: number) => (i % 3 === 0 ? FUNCTION_WORDS[stream.integer(10)]! : vocabulary[stream.integer(150)]!);
  const sentence = () => Array.from({ length: 12 }, (_, i) => word(i)).join(' ');
  return Array.from({ length: 7 }, () => `${sentence()}.`).join(' ');
};
const pair = (n: number): GenreAudience => ({ genre: `Genre ${n}, brief and dry.`, audience: `Readers of age ${n}.` });

function collected(documents: string[], splits: Partial<Collected['splits']>): Collected {
  const texts: Collected['texts'] = new Map();
  const judgements: Collected['judgements'] = new Map();
  const pairs: Collected['pairs'] = new Map();
  for (const [d, docId] of documents.entries()) {
    pairs.set(
      docId,
      [1, 2, 3, 4, 5].map((n) => pair(d * 10 + n)),
    );
    for (const k of [1, 2, 3, 4, 5]) {
      const text = prose(100 + d * 10 + k, SUBJECTS[d]!);
      texts.set(`${docId}/${k}`, { docId, pair: pair(d * 10 + k), text, finishReason: 'stop' });
      judgements.set(`${docId}/${k}`, [{ score: 5, analysis: 'Faithful.' }]);
    }
  }
  return {
    documents: new Map(documents.map((id, d) => [id, { id, text: prose(d, SUBJECTS[d]!) }])),
    splits: { train: [], dev: [], validation: [], ...splits },
    teacher: 'teacher',
    pairs,
    texts,
    judgements,
    secondJudgements: new Map(),
    canaries: [],
    answers: new Map(),
    judgedAnswers: new Map(),
    judgeTexts: [],
    failures: [],
    missing: 0,
    spend: [],
    ratings: [],
    answersHash: '',
  };
}

const outcome = async (
  stage: 'pairs' | 'reformulate' | 'judge',
  from: Collected,
  settings: Parameters<typeof decide>[2] = recipe,
  judged = stage === 'reformulate',
) =>
  (await decide(STAGES[stage], candidates(stage, from), settings, { judged, patterns })).map(
    ({ candidate, dropped }) => `${candidate.row.id} ${dropped?.rule ?? 'kept'}`,
  );

test('candidates() of every stage are prompts and completions of its definition', () => {
  const from = collected(['a'], { train: ['a'] });
  const document = from.documents.get('a')!;
  expect(candidates('pairs', from)[0]!.row).toEqual({
    id: 'a',
    doc_id: 'a',
    stage: 'pairs',
    prompt: pairsStage.studentPrompt({ document }),
    completion: [{ role: 'assistant', content: pairsStage.completion(from.pairs.get('a')!) }],
  });
  expect(candidates('reformulate', from)[1]!.row).toMatchObject({ id: 'a/2', score: 5, ...pair(2) });
  const { text } = from.texts.get('a/1')!;
  expect(candidates('judge', from)[0]!.row).toMatchObject({
    prompt: judgeStage.studentPrompt({ document, text }),
    completion: [{ role: 'assistant', content: judgeStage.completion({ analysis: 'Faithful.', score: 5 }) }],
  });
});

test('candidates() of judge take what the judge weighed along, where that is asked for', () => {
  const from = collected(['a'], { train: ['a'] });
  const given = (...shares: number[][]) =>
    from.judgements.set(
      'a/1',
      shares.map((distribution) => ({ score: 4, analysis: '', distribution })),
    );
  given([0, 0, 0, 0.5, 0.5], [0, 0, 0.5, 0.5, 0]);
  const rowsOf = (soft: boolean) => candidates('judge', from, { seed: 0, negatives: 0, soft }).map(({ row }) => row);
  expect(rowsOf(true)[0]).toMatchObject({ id: 'a/1', score: 4, distribution: [0, 0, 0.25, 0.5, 0.25] });
  expect(rowsOf(true)[1]).not.toHaveProperty('distribution');
  expect(rowsOf(false)[0]).not.toHaveProperty('distribution');
});

test('candidates() come in the same order, whatever the order of the answers', () => {
  const from = collected(['a', 'b', 'c'], { train: ['c', 'a'], dev: ['b'] });
  const reversed = { ...from, texts: new Map([...from.texts].reverse()), pairs: new Map([...from.pairs].reverse()) };
  for (const stage of ['pairs', 'reformulate', 'judge'] as const) {
    const ids = candidates(stage, from).map(({ row }) => row.id);
    expect(candidates(stage, reversed).map(({ row }) => row.id)).toEqual(ids);
    expect(ids[0]).toMatch(/^c/);
  }
});

test('candidates() hold nothing of validation documents, not even a text of theirs beside another document', () => {
  const from = collected(['a', 'b'], { train: ['a'], validation: ['b'] });
  from.judgeTexts.push(
    { id: 'b/1@a', docId: 'a', text: from.texts.get('b/1')!.text, kind: 'mismatch' },
    { id: 'a-flawed', docId: 'a', text: 'Nothing of the kind.', kind: 'flawed' },
  );
  for (const { id } of from.judgeTexts) from.judgements.set(id, [{ score: 1, analysis: 'Unrelated.' }]);
  for (const stage of ['pairs', 'reformulate', 'judge'] as const) {
    for (const { row } of candidates(stage, from)) expect(row.doc_id).toBe('a');
  }
  const judged = candidates('judge', from).map(({ row }) => row.id);
  expect(judged).toContain('a-flawed');
  expect(judged).not.toContain('b/1@a');
});

test('candidates() name a document of the splits that the corpus lacks', () => {
  expect(() => candidates('pairs', collected(['a'], { train: ['a', 'gone'] }))).toThrow(/document "gone"/);
});

test('decide() drops reformulations by score, by rule, and where the judge gave none', async () => {
  const from = collected(['a'], { train: ['a'] });
  from.judgements.set('a/1', [
    { score: 4, analysis: '' },
    { score: 3, analysis: '' },
  ]);
  from.judgements.delete('a/2');
  from.texts.get('a/3')!.finishReason = 'length';
  from.texts.get('a/4')!.text = from.documents.get('a')!.text;
  expect(await outcome('reformulate', from)).toEqual([
    'a/1 score',
    'a/2 unscored',
    'a/3 truncation',
    'a/4 copying',
    'a/5 kept',
  ]);
  expect((await outcome('reformulate', from, recipe, false)).slice(0, 2)).toEqual(['a/1 kept', 'a/2 kept']);
  const decisions = await decide(reformulateStage, candidates('reformulate', from), recipe, { judged: true, patterns });
  expect(decisions.map(({ dropped }) => dropped?.reason)).toEqual([
    'score 3 is below 4',
    'the judge gave no score',
    'cut at the token limit',
    '100% of its 8-word runs are from the source',
    undefined,
  ]);
});

test('decide() drops the later of two nearly equal texts, across documents and splits', async () => {
  const from = collected(['a', 'b'], { train: ['a'], dev: ['b'] });
  from.documents.get('b')!.text = from.documents.get('a')!.text;
  from.texts.get('b/3')!.text = `Also, ${from.texts.get('a/2')!.text}`;
  expect((await outcome('reformulate', from)).filter((line) => line.endsWith('near-duplicate'))).toEqual([
    'b/3 near-duplicate',
  ]);
});

test('decide() keeps low scores and flawed texts as judge samples, and one text beside two documents', async () => {
  const from = collected(['a', 'b'], { train: ['a', 'b'] });
  const { text } = from.texts.get('a/1')!;
  from.judgeTexts.push({ id: 'a/1@b', docId: 'b', text, kind: 'mismatch' });
  from.judgements.set('a/1@b', [{ score: 1, analysis: '' }]);
  expect((await outcome('judge', from)).every((line) => line.endsWith('kept'))).toBe(true);
  expect(await outcome('judge', from)).toHaveLength(11);
});

test('decide() draws whole documents up to maxSamples by seed, and leaves dev alone', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const from = collected(names, { train: names.slice(0, 5), dev: ['f'] });
  const kept = async (seed: number) =>
    (await outcome('reformulate', from, { seed, curate: { ...recipe.curate, maxSamples: 12 } }))
      .filter((line) => line.endsWith('kept'))
      .map((line) => line[0]!);
  const counts = (letters: string[]) => names.map((name) => letters.filter((letter) => letter === name).length);
  expect(
    counts(await kept(7))
      .slice(0, 5)
      .sort(),
  ).toEqual([0, 0, 2, 5, 5]);
  expect(counts(await kept(7))[5]).toBe(5);
  expect(await kept(7)).toEqual(await kept(7));
  const draws = await Promise.all(Array.from({ length: 8 }, (_, seed) => kept(seed)));
  expect(new Set(draws.map(String)).size).toBeGreaterThan(1);
});

test('decide() holds answers of own text stages against their score, the rules for texts and each other', async () => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
  const from = collected(ids, { train: ids });
  const definition = { kind: 'text', prompt: 'Sum it up.', judge: { rubric: '5: good. 1: bad.' } };
  const stage = ownStage('summary', stageDefinition.parse(definition));
  const answers = new Map(
    ids.map((id) => [id, { value: '', text: from.texts.get(`${id}/1`)!.text, finishReason: 'stop' }]),
  );
  const change = (id: string, changes: object) => answers.set(id, { ...answers.get(id)!, ...changes });
  change('b', { finishReason: 'length' });
  change('c', { text: `Also, ${answers.get('a')!.text}` });
  change('d', { text: `Here is the summary of the text:\n\n${answers.get('d')!.text}` });
  from.answers.set('summary', answers);
  const judgements = new Map(ids.slice(0, 5).map((id) => [id, [{ score: id === 'e' ? 3 : 5, analysis: '' } as const]]));
  from.judgedAnswers.set('summary', { judgements: new Map(judgements), secondJudgements: new Map() });
  const decisions = await decide(stage, ownCandidates(stage, from), recipe, { judged: true, patterns });
  expect(decisions.map(({ candidate: { row }, dropped }) => `${row.id} ${dropped?.rule ?? 'kept'}`)).toEqual([
    'a kept',
    'b truncation',
    'c near-duplicate',
    'd boilerplate',
    'e score',
    'f unscored',
  ]);
  expect(decisions[0]!.candidate.row.score).toBe(5);
  // Without a rubric nothing is scored; without the rules by name, nothing is held against them.
  const lenient = { ...recipe, curate: { ...recipe.curate, rules: ['loops'] } };
  const unjudged = await decide(stage, ownCandidates(stage, from), lenient, { judged: false, patterns });
  expect(unjudged.flatMap(({ dropped }) => dropped?.rule ?? [])).toEqual(['near-duplicate']);
});

test('decide() keeps the best of what passes, and leaves dev alone', async () => {
  const from = collected(['a', 'b', 'c'], { train: ['a', 'b'], dev: ['c'] });
  for (const [i, score] of [5, 4, 4, 5, 3].entries()) {
    for (const docId of ['a', 'b', 'c']) {
      from.judgements.set(`${docId}/${i + 1}`, [{ score: score as 3 | 4 | 5, analysis: '' }]);
    }
  }
  const kept = async (keep: object) =>
    (await outcome('reformulate', from, { ...recipe, curate: { ...curate, keep } }))
      .filter((line) => line.endsWith('kept'))
      .map((line) => line.split(' ')[0]!);
  expect(await kept({ top: 4 })).toEqual(['a/1', 'a/4', 'b/1', 'b/4', 'c/1', 'c/2', 'c/3', 'c/4']);
  expect(await kept({ ratio: 0.5 })).toEqual(await kept({ top: 4 }));
  expect(await kept({})).toHaveLength(12);
});

test('decide() takes the cap of the stage where there is one a stage', async () => {
  const from = collected(['a', 'b'], { train: ['a', 'b'] });
  const settings = { ...recipe, curate: { ...curate, maxSamples: { pairs: 1 } } };
  const kept = async (stage: 'pairs' | 'reformulate') =>
    (await outcome(stage, from, settings)).filter((line) => line.endsWith('kept')).length;
  expect([await kept('pairs'), await kept('reformulate')]).toEqual([1, 10]);
});

test('funnel() adds up and leaves validation failures out', async () => {
  const from = collected(['a', 'b'], { train: ['a'], validation: ['b'] });
  from.judgements.set('a/1', [{ score: 1, analysis: '' }]);
  from.judgements.set('a/2', [{ score: 2, analysis: '' }]);
  from.texts.get('a/3')!.text = 'Sure! Here it is. ' + from.texts.get('a/3')!.text;
  const failure = { stage: 'reformulate', item: '', kind: 'failed', reason: '500' } as const;
  from.failures.push(
    { ...failure, docId: 'a' },
    { ...failure, docId: 'b' },
    { ...failure, docId: 'a', stage: 'judge' },
  );
  const decisions = await decide(reformulateStage, candidates('reformulate', from), recipe, { judged: true, patterns });
  expect(funnel('reformulate', decisions, from)).toEqual({
    collected: 6,
    parsed: 5,
    kept: 2,
    dropped: { score: 2, boilerplate: 1 },
    train: 2,
    dev: 0,
  });
});

test('candidates() spoils good texts for the stage judge, with texts of the same split alone, and the funnel counts them apart', async () => {
  const from = collected(['a', 'b', 'c', 'd'], { train: ['a', 'b'], dev: ['c'], validation: ['d'] });
  from.judgements.set('b/1', [{ score: 2, analysis: '' }]);
  const made = candidates('judge', from, { seed: 1, negatives: 3 }).filter(({ origin }) => origin === 'made');
  // Document c is alone in its split: there is nothing to swap it with.
  expect(made.map(({ row }) => row.doc_id)).toEqual(['a', 'a', 'a', 'b', 'b', 'b']);
  expect(new Set(made.map(({ row }) => row.id)).size).toBe(6);
  const held = [...from.texts].filter(([id]) => /^[cd]/.test(id)).map(([, { text }]) => text.slice(0, 60));
  for (const { row, text, score } of made) {
    expect(held.some((start) => text.includes(start))).toBe(false);
    expect(row.completion[0]!.content).toBe(String(score));
  }
  expect(candidates('judge', from, { seed: 1, negatives: 3 }).filter(({ origin }) => origin === 'made')).toEqual(made);
  const counts = funnel(
    'judge',
    await decide(judgeStage, candidates('judge', from, { seed: 1, negatives: 3 }), recipe, { judged: false, patterns }),
    from,
  );
  expect(counts).toMatchObject({ made: 6, parsed: 15, collected: 15, kept: 21 });
});

test("decide() keeps few of the teacher's own texts as judge samples, and the wanted kinds alone", async () => {
  const from = collected(['a'], { train: ['a'] });
  for (const [i, kind] of ['flawed', 'relaxed'].entries()) {
    from.judgeTexts.push({ id: `a-${kind}`, docId: 'a', text: prose(60 + i, 'violin'), kind });
    from.judgements.set(`a-${kind}`, [{ score: 1, analysis: '' }]);
  }
  const settings = {
    ...recipe,
    curate: { ...recipe.curate, judge: { ...judge, negatives: 0, teacherTexts: 2, kinds: ['flawed'] } },
  };
  const lines = await outcome('judge', from, settings);
  expect(lines.filter((line) => /^a\/. kept/.test(line))).toHaveLength(2);
  expect(lines.filter((line) => line.endsWith('teacher-texts'))).toHaveLength(3);
  expect(lines).toContain('a-flawed kept');
  expect(lines).toContain('a-relaxed kind');
  expect(await outcome('judge', from, settings)).toEqual(lines);
});

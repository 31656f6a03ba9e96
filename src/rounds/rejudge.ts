/** Has a sample of the texts that a round kept judged again: by the same judge once more, or by another one. */

import type { Collected } from '../collect/collected.ts';
import { togetherOf } from '../collect/judgement-of.ts';
import { judgesOf, type LlmJudge } from '../collect/judges.ts';
import { type JudgedText, teacherJudgements } from '../collect/teacher-judgements.ts';
import { readRoundDocuments } from '../corpus/round-documents.ts';
import { groupBy } from '../curate/group-by.ts';
import { readSft } from '../curate/sft-arrow.ts';
import { randomStream } from '../foundation/random.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import { fitLocalJudge, localScores } from '../judge/local-judge.ts';
import type { Recipe } from '../recipe/schema.ts';
import { reformulateStage } from '../stage/reformulate.ts';
import { secondRatings } from '../teacher/recorded.ts';
import { judgeSamples } from '../validate/choose-judge.ts';
import { type JudgedAgain, type Rejudged, shrinkage } from './shrinkage.ts';

/** A text that was kept for its score. */
interface KeptText {
  id: string;
  docId: string;
  text: string;
  first: number;
}

/**
 * Judges again what the round at hand kept of its new documents: by `rounds.rejudgeBy`, else by the judge once more. A recording
 * gives the second ratings it holds, and beside them stands the local judge, fitted without the documents it is asked about.
 *
 * @throws like `collect`, where an LLM judges
 */
export async function rejudge(
  recipe: Recipe,
  folder: RunFolder,
  collected: Collected,
  context: RunContext,
): Promise<Rejudged[]> {
  if (recipe.rounds.rejudge === 0 || !recipe.collect.stages.includes('judge')) return [];
  const kept = keptTexts(recipe, folder, collected);
  if (kept.length === 0) return [];
  const options = { minScore: recipe.curate.minScore, seed: recipe.seed, resamples: recipe.validate.resamples };
  const ways = await judgedAgain(recipe, folder, collected, kept, context);
  return ways.flatMap(({ by, scoreOf, texts }) => {
    const pairs = texts.map(({ id, docId, first }): JudgedAgain => ({ docId, first, again: scoreOf(id) }));
    return shrinkage(by, pairs, options) ?? [];
  });
}

/** Texts of the round's own documents in its training set, with the scores they were kept for. */
function keptTexts({ students }: Recipe, folder: RunFolder, collected: Collected): KeptText[] {
  if (!students.some(({ stages }) => stages.includes(reformulateStage.name))) return [];
  const added = new Set(readRoundDocuments(folder, folder.currentRound)?.documents);
  return readSft(folder.sft(folder.currentRound, reformulateStage.name, 'train')).flatMap(({ id, doc_id }) => {
    const first = togetherOf(collected.judgements.get(id) ?? [])?.score;
    const text = collected.texts.get(id)?.text;
    return added.has(doc_id) && first !== undefined && text !== undefined ? [{ id, docId: doc_id, text, first }] : [];
  });
}

interface Way {
  by: string;
  texts: readonly KeptText[];
  scoreOf(id: string): number | null;
}

async function judgedAgain(
  recipe: Recipe,
  folder: RunFolder,
  collected: Collected,
  kept: readonly KeptText[],
  context: RunContext,
): Promise<Way[]> {
  const { judge, teacher, rounds, seed } = recipe;
  const sample = drawTexts(kept, rounds.rejudge, seed);
  const other = rounds.rejudgeBy;
  const { first } = await judgesOf(other ? { ...judge, teacher: other } : judge, teacher);
  const ask = async (asked: LlmJudge) => {
    const texts = sample.map(({ id, docId, text }) => ({ id, docId, text, kind: 'kept' }));
    const judges = { first: asked, second: undefined, canaries: 0 };
    return teacherJudgements(recipe, folder, texts, collected.documents, context, { judges });
  };
  if (other) {
    const judged = await ask({ ...first, repeats: 1 });
    return [{ by: first.name, texts: sample, scoreOf: (id) => scoreAt(judged.get(id), 0) }];
  }
  if (first.settings.kind === 'openai') {
    const judged = await ask({ ...first, repeats: first.repeats + 1 });
    return [{ by: `${first.name} once more`, texts: sample, scoreOf: (id) => scoreAt(judged.get(id), first.repeats) }];
  }
  const second = await secondRatings(first.settings.folder, recipe.reformulate.prompt);
  const rated = kept.filter(({ id }) => second.has(id));
  return [
    { by: 'the recorded judge once more', texts: rated, scoreOf: (id) => second.get(id) ?? null },
    ...localWay(collected, kept, rounds.rejudge, seed),
  ];
}

/** The judgement after the first ones; null where one of them cannot be read, since the others then moved up. */
function scoreAt(judged: JudgedText | undefined, earlier: number): number | null {
  return judged?.repeats.length === earlier + 1 ? judged.repeats[earlier]!.score : null;
}

/** Of a judge's own training texts its scores say nothing: half of the documents at most are judged, and the others fitted on. */
function localWay(collected: Collected, kept: readonly KeptText[], count: number, seed: number): Way[] {
  const train = new Set(collected.splits.train);
  const drawn = drawDocuments(kept, count, Math.floor(train.size / 2), seed);
  const asked = new Set(drawn.map(({ docId }) => docId));
  const fitted = judgeSamples(collected).filter(({ document: { id } }) => train.has(id) && !asked.has(id));
  if (drawn.length === 0 || fitted.length === 0) return [];
  const texts = drawn.map(({ docId, text }) => ({ document: collected.documents.get(docId)!, text }));
  const scores = localScores(fitLocalJudge(fitted, { seed }), texts);
  const levels = new Map(drawn.map(({ id }, i) => [id, scores[i]!.level]));
  return [{ by: 'the local judge', texts: drawn, scoreOf: (id) => levels.get(id) ?? null }];
}

function drawTexts(kept: readonly KeptText[], count: number, seed: number): KeptText[] {
  return randomStream(seed, 'rejudge').shuffle(kept).slice(0, count);
}

/** Whole documents, until there are `count` texts. */
function drawDocuments(kept: readonly KeptText[], count: number, documents: number, seed: number): KeptText[] {
  const groups = randomStream(seed, 'rejudge').shuffle([...groupBy(kept, ({ docId }) => docId).values()]);
  const drawn: KeptText[] = [];
  for (const group of groups.slice(0, documents)) if (drawn.length < count) drawn.push(...group);
  return drawn;
}

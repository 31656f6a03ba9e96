/** The judge a recipe asks for; the local one is fitted on training documents and measured on held-out ones. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Collected } from '../collect/collected.ts';
import { togetherOf } from '../collect/judgement-of.ts';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import { contentHash } from '../foundation/hash.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import { agreement, HARD_KINDS } from '../judge/agreement.ts';
import { cascadeJudge } from '../judge/cascade.ts';
import { distilledOrLocal, type ExpectedScores } from '../judge/distilled-judge.ts';
import type { Judge, JudgeReport } from '../judge/judge.ts';
import {
  fitLocalJudge,
  type JudgeSample,
  type LocalModel,
  loadLocalModel,
  localJudge,
  localScores,
  saveLocalModel,
} from '../judge/local-judge.ts';
import type { SureJudge, SurePair } from '../judge/sureness.ts';
import { teacherJudge } from '../judge/teacher-judge.ts';
import type { Recipe, StudentSettings } from '../recipe/schema.ts';

/** Part of the fitted judge's identity: raise it when features or fit change, so that it is fitted again. */
export const JUDGE_VERSION = 3;

/** With fewer bad examples a regression knows what good texts look like and nothing else. */
const FEWEST_HARD = 40;

/**
 * The judge of a run: the teacher, or the local one. Where a student has learned the stage `judge`, it takes the local judge's place if it is better. With
 * `validate.judge.cascade`, an LLM scores what that one is unsure of.
 *
 * @param score for tests: stands in for the distilled judge's model
 */
export async function chooseJudge(
  recipe: Recipe,
  folder: RunFolder,
  collected: Collected,
  context: RunContext,
  score?: ExpectedScores,
): Promise<Judge> {
  const { kind, cascade } = recipe.validate.judge;
  if (kind === 'teacher') return teacherJudge(recipe, folder, context.emit);
  const cheap = await cheapJudge(recipe, folder, collected, context, score);
  return cascade === undefined ? cheap : cascadeJudge(cheap, teacherJudge(recipe, folder, context.emit), cascade);
}

async function cheapJudge(
  recipe: Recipe,
  folder: RunFolder,
  collected: Collected,
  context: RunContext,
  score?: ExpectedScores,
): Promise<SureJudge> {
  const { inputs, model: local, report: localReport, heldOut } = fittedJudge(recipe, folder, collected, context);
  const student = judgeStudent(recipe);
  if (student === undefined) return localJudge(local, localReport, heldOut);
  const samples = judgeSamples(collected);
  const { splits } = collected;
  const known = { local, localReport, localHeldOut: heldOut };
  const task = { recipe, folder, student, ...known, samples, splits, fittedOn: inputs };
  return distilledOrLocal(task, context, score);
}

/** The student that learned to judge; the first of several. */
export function judgeStudent(recipe: Pick<Recipe, 'students'>): StudentSettings | undefined {
  return recipe.students.find(({ stages }) => stages.includes('judge'));
}

interface FittedLocal {
  inputs: string;
  model: LocalModel;
  report: Omit<JudgeReport, 'kind'>;
  heldOut: SurePair[];
}

/** Kept as validation/judge.json (the model) and judge-report.json; fitted anew when the collected answers change. */
function fittedJudge(recipe: Recipe, folder: RunFolder, collected: Collected, { emit }: RunContext): FittedLocal {
  const modelPath = join(folder.validation, 'judge.json');
  const reportPath = join(folder.validation, 'judge-report.json');
  const { seed } = recipe;
  const inputs = contentHash({ version: JUDGE_VERSION, answers: collected.answersHash, seed });
  const known = loadLocalModel(modelPath);
  if (known && existsSync(reportPath)) {
    const { inputs: fittedOn, held_out: heldOut, ...report } = JSON.parse(readFileSync(reportPath, 'utf8')) as Report;
    if (fittedOn === inputs) return { inputs, model: known, report, heldOut };
  }
  const train = new Set(collected.splits.train);
  const samples = judgeSamples(collected);
  const fitted = samples.filter((sample) => train.has(sample.document.id));
  const heldOut = samples.filter((sample) => !train.has(sample.document.id));
  emit({ type: 'log', level: 'info', message: `Fitting the local judge on ${fitted.length} judged texts` });
  const hard = fitted.filter((sample) => HARD_KINDS.includes(sample.kind)).length;
  const warning = `The local judge has seen ${hard} student-made or flawed texts: its scores of students say little.`;
  if (hard < FEWEST_HARD) {
    emit({ type: 'log', level: 'warn', message: `${warning} Name some in collect.judgeTexts` });
  }
  const model = fitLocalJudge(fitted, { seed });
  const levels = localScores(model, heldOut);
  const pairs = heldOut.map(({ document, kind, score }, i): SurePair => {
    const { level, sureness } = levels[i]!;
    return { docId: document.id, kind, reference: score, score: level, sureness };
  });
  const report: Report = {
    inputs,
    description: `Regression on surface features, fitted to the scores that ${collected.teacher} gave ${fitted.length} texts of training documents, ${hard} of them student-made or flawed.${hard < FEWEST_HARD ? ` ${warning}` : ''}`,
    ...agreement(pairs, { seed, resamples: recipe.validate.resamples }),
    held_out: pairs,
  };
  saveLocalModel(modelPath, model);
  writeFileAtomic(reportPath, `${JSON.stringify(report, null, 2)}\n`);
  const { inputs: _, held_out: __, ...shown } = report;
  return { inputs, model, report: shown, heldOut: pairs };
}

type Report = Omit<JudgeReport, 'kind'> & { inputs: string; held_out: SurePair[] };

/** Every judged text with the score it was given, of several the median. */
export function judgeSamples({ texts, judgeTexts, judgements, documents }: Collected): JudgeSample[] {
  const all = [...[...texts].map(([id, { docId, text }]) => ({ id, docId, text, kind: 'base' })), ...judgeTexts];
  return all.flatMap(({ id, docId, ...written }) => {
    const document = documents.get(docId);
    const score = togetherOf(judgements.get(id) ?? [])?.score;
    return document && score !== undefined ? [{ document, score, ...written }] : [];
  });
}

/** The distilled judge behind the seam, where it is better than the local one; otherwise the local one, and why. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Splits } from '../corpus/splits.ts';
import { readManifest } from '../foundation/artifact.ts';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import { contentHash } from '../foundation/hash.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import { loadTokenizer } from '../model/tokenizer.ts';
import { f32Student, loadStudent, w8a8Student } from '../quantize/student-model.ts';
import type { Recipe, StudentSettings } from '../recipe/schema.ts';
import type { SourceDocument } from '../stage/stage.ts';
import { agreement, HARD_KINDS } from './agreement.ts';
import {
  type ComparedJudge,
  type Comparison,
  compareJudges,
  distilledScore,
  FEWEST_CALIBRATION,
  type TwiceJudged,
} from './compare-judges.ts';
import type { JudgeReport } from './judge.ts';
import { expectedLevel, levelProbabilities } from './level-probabilities.ts';
import { type JudgeSample, type LocalModel, localJudge, localScores } from './local-judge.ts';
import type { SureJudge, SurePair } from './sureness.ts';

/** Part of the choice's identity: raise it when calibration or choice change. */
const DISTILLED_VERSION = 2;

/** Expected score of each text by the distilled judge. */
export type ExpectedScores = (
  texts: readonly { document: SourceDocument; text: string }[],
  signal: AbortSignal,
  onPass?: (done: number) => void,
) => Promise<number[]>;

export interface DistilledTask {
  recipe: Recipe;
  folder: RunFolder;
  /** The student that learned the stage `judge`. */
  student: StudentSettings;
  local: LocalModel;
  localReport: Omit<JudgeReport, 'kind'>;
  /** What the local judge makes of held-out texts. */
  localHeldOut: readonly SurePair[];
  /** Every text with a reference score. */
  samples: readonly JudgeSample[];
  splits: Splits;
  /** What reference scores and the local judge depend on. */
  fittedOn: string;
}

/**
 * Calibrates on dev documents, measures on validation documents, and gives the better judge. Scores and choice are kept in validation/judge-student.json.
 *
 * @param score for tests: the student's expected scores
 * @throws UserError where the student is not trained
 */
export async function distilledOrLocal(
  task: DistilledTask,
  context: RunContext,
  score: ExpectedScores = studentScores(task, context),
): Promise<SureJudge> {
  const { recipe, folder, student, local, localReport, localHeldOut, samples, splits } = task;
  const calibration = measuredTexts(samples, splits.dev);
  const heldOut = measuredTexts(samples, splits.validation);
  const hard = (texts: readonly JudgeSample[]) => texts.filter(({ kind }) => HARD_KINDS.includes(kind)).length;
  if (hard(calibration) < FEWEST_CALIBRATION || hard(heldOut) === 0) {
    const reason = `The distilled judge ${student.name} is not used: ${hard(calibration)} student-made or flawed texts of dev documents to calibrate it on (${FEWEST_CALIBRATION} are needed), ${hard(heldOut)} of validation documents to measure it on.`;
    context.emit({ type: 'log', level: 'warn', message: reason });
    return localJudge(local, { ...localReport, description: `${localReport.description} ${reason}` }, localHeldOut);
  }
  const inputs = contentHash({
    version: DISTILLED_VERSION,
    fittedOn: task.fittedOn,
    student: readManifest(folder.student(student.name))?.inputHash ?? null,
    seed: recipe.seed,
    resamples: recipe.validate.resamples,
  });
  const choice = await kept(join(folder.validation, 'judge-student.json'), inputs, async () => {
    const texts = [...calibration, ...heldOut];
    const message = `Scoring ${texts.length} judged texts with the distilled judge ${student.name}, to calibrate it and to choose`;
    context.emit({ type: 'log', level: 'info', message });
    const twice = judgeTwice(texts, local, await score(texts, context.signal, progress(texts.length, context)));
    const options = { seed: recipe.seed, resamples: recipe.validate.resamples };
    const [own, held] = [twice.slice(0, calibration.length), twice.slice(calibration.length)];
    return { ...compareJudges(own, held, options), held };
  });
  const { used, compared, calibrations, held } = choice;
  if (used === 'local')
    return localJudge(
      local,
      {
        ...localReport,
        description: `${localReport.description} ${comparisonSentence(compared, student.name)}`,
        compared,
      },
      localHeldOut,
    );
  const scoreFor = (text: Pick<TwiceJudged, 'local' | 'student'>) =>
    distilledScore(calibrations[used], text.local.expected, text.student);
  const pairs = held.map(({ docId, kind, reference, ...text }): SurePair => {
    const { level, sureness } = scoreFor(text);
    return { docId, kind, reference, score: level, sureness };
  });
  const report: JudgeReport = {
    kind: used,
    description: `${DESCRIPTIONS[used]} (student ${student.name}), calibrated on ${calibration.length} texts of dev documents. ${comparisonSentence(compared, student.name)}`,
    ...agreement(pairs, { seed: recipe.seed, resamples: recipe.validate.resamples }),
    compared,
  };
  const scoreSurely: SureJudge['scoreSurely'] = async (items, signal) => {
    const students = await score(items, signal);
    const locals = localScores(local, items);
    return items.map((_, i) => scoreFor({ local: locals[i]!, student: students[i]! }));
  };
  return {
    kind: used,
    describe: () => report,
    score: async (items, signal) => (await scoreSurely(items, signal)).map(({ level }) => level),
    scoreSurely,
    heldOut: pairs,
  };
}

const DESCRIPTIONS = {
  student: 'Mean of the score distribution of a small model distilled from the reference judge',
  combined:
    'Mean of the regression on surface features and the score distribution of a small model distilled from the reference judge',
};

/** Scores by the run's student, on the grid it was trained through. The model is loaded when first asked. */
function studentScores({ recipe, folder, student }: DistilledTask, context: RunContext): ExpectedScores {
  let loading: Promise<Parameters<typeof levelProbabilities>[0]> | undefined;
  const load = async () => {
    const loaded = await loadStudent(recipe, folder, student.name, context);
    const { threads } = loaded.settings;
    const model = loaded.smoothing ? w8a8Student(loaded, 'beside') : f32Student(loaded);
    return { model, tokenizer: await loadTokenizer(loaded.modelFolder), ...(threads ? { threads } : {}) };
  };
  return async (texts, signal, onPass) => {
    loading ??= load();
    return (await levelProbabilities(await loading, texts, signal, onPass)).map(expectedLevel);
  };
}

/** All hard texts of the documents, and one of the teacher's own of each: more of the easy ones cost time and tell nothing new. */
function measuredTexts(samples: readonly JudgeSample[], documents: readonly string[]): JudgeSample[] {
  const wanted = new Set(documents);
  const seen = new Set<string>();
  return samples.filter(({ document, kind }) => {
    if (!wanted.has(document.id)) return false;
    if (HARD_KINDS.includes(kind)) return true;
    if (kind !== 'base' || seen.has(document.id)) return false;
    seen.add(document.id);
    return true;
  });
}

function judgeTwice(texts: readonly JudgeSample[], local: LocalModel, students: readonly number[]): TwiceJudged[] {
  const locals = localScores(local, texts);
  return texts.map(({ document, kind, model, score }, i) => ({
    docId: document.id,
    kind,
    ...(model === undefined ? {} : { model }),
    reference: score,
    local: locals[i]!,
    student: students[i]!,
  }));
}

type Choice = Comparison & { held: TwiceJudged[] };

async function kept(path: string, inputs: string, make: () => Promise<Choice>): Promise<Choice> {
  if (existsSync(path)) {
    const { inputs: madeFrom, ...choice } = JSON.parse(readFileSync(path, 'utf8')) as Choice & { inputs: string };
    if (madeFrom === inputs) return choice;
  }
  const choice = await make();
  writeFileAtomic(path, `${JSON.stringify({ inputs, ...choice }, null, 1)}\n`);
  return choice;
}

function progress(total: number, { emit }: RunContext): (done: number) => void {
  return (done) =>
    emit({ type: 'command-progress', command: 'validate', label: 'distilled judge', done, total, unit: 'texts' });
}

/** What was held against what, for people. */
export function comparisonSentence(compared: readonly ComparedJudge[], student: string): string {
  const names = { local: 'the regression', student: `the distilled judge ${student} alone`, combined: 'both together' };
  const figure = (value: number | null | undefined) => (typeof value === 'number' ? value.toFixed(2) : 'undefined');
  const parts = compared.map(({ kind, kappa, difference, difference_ci, arms }) => {
    const gain = difference_ci && `, ${figure(difference)} [${difference_ci.map(figure).join(', ')}] more`;
    const worst = arms.reduce((most, arm) => (Math.abs(arm.rate_error) > Math.abs(most.rate_error) ? arm : most));
    const error = `at most ${(100 * Math.abs(worst.rate_error)).toFixed(1)} points off in Rate(>=3) of an arm (${worst.arm})`;
    return `${names[kind]} kappa ${figure(kappa)}${gain ?? ''}, ${error}`;
  });
  const used = names[compared.find((one) => one.used)!.kind];
  return `On the same held-out student-made and flawed texts: ${parts.join('; ')}. Used: ${used}.`;
}

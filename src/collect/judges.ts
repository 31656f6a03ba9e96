/** Who judges in a run, and how: the recipe's section `judge`, apart from the labeler. */

import type { Recipe } from '../recipe/schema.ts';
import { type JudgeInput, type Judgement, judgeStageWith } from '../stage/judge.ts';
import type { Stage } from '../stage/stage.ts';
import { teacherName } from '../teacher/create-teacher.ts';

/** An LLM that judges. */
export interface LlmJudge {
  /** Where it is asked: as the recipe's section `teacher`. */
  settings: Recipe['teacher'];
  name: string;
  /** The stage with this judge's prompt. */
  stage: Stage<JudgeInput, Judgement>;
  temperature: number;
  /** Judgements of one text. */
  repeats: number;
  /** Whether the tokens it weighed are asked for. */
  logprobs: boolean;
}

export interface Judges {
  first: LlmJudge;
  /** Judges every text once more, to tell how much depends on the judge. */
  second: LlmJudge | undefined;
  /** Texts with planted faults that are put among the others. */
  canaries: number;
}

export type Judging = Recipe['judge'];

/** Where validation asks other judges than collect, or asks them otherwise, its own keys win. */
export function validationJudging({ judge, validate }: Pick<Recipe, 'judge' | 'validate'>): Judging {
  const { kind: _, cascade: __, ...own } = validate.judge;
  return { ...judge, ...own } as Judging;
}

/**
 * The judges of a section; without a teacher of its own, the labeler judges.
 *
 * @param stage another judge than that of the section's prompt: by the rubric of a stage of the recipe's own
 */
export async function judgesOf(
  judging: Judging,
  labeler: Recipe['teacher'],
  stage: LlmJudge['stage'] = judgeStageWith(judging),
): Promise<Judges> {
  const { teacher = labeler, second, temperature, repeats, logprobs, canaries } = judging;
  const judge = async (settings: Recipe['teacher'], times: number): Promise<LlmJudge> => ({
    settings,
    name: await teacherName({ teacher: settings }),
    stage,
    temperature,
    repeats: times,
    // A recording holds texts alone.
    logprobs: logprobs && settings.kind !== 'recorded',
  });
  return {
    first: await judge(teacher, repeats),
    second: second && (await judge(second, 1)),
    // A recording knows no text made up for this run.
    canaries: teacher.kind === 'recorded' ? 0 : canaries,
  };
}

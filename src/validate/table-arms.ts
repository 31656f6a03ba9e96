/** From `validate.arms` to the arms of a stage's table. Nothing is loaded here. */

import { contentHash } from '../foundation/hash.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { OwnArm } from '../recipe/arms-schema.ts';
import type { Recipe } from '../recipe/schema.ts';
import { studentGenerate } from '../recipe/student-generate.ts';
import { studentTrain } from '../recipe/student-train.ts';
import type { AnyStage } from '../stage/stage.ts';
import { furtherArm } from './further-arm.ts';
import {
  type StageArms,
  type StudentOrigin,
  samplingOf,
  stageSampling,
  studentSource,
  type TableArm,
} from './table-arm.ts';

/**
 * The arms of a stage's table, in the recipe's order.
 *
 * @param teacher the name of the teacher whose answers were collected
 * @throws UserError naming the run, student or model that an arm asks for and that is not there
 */
export async function tableArms(
  stage: AnyStage,
  { recipe, folder }: { recipe: Recipe; folder: RunFolder },
  teacher: string,
  context: RunContext,
): Promise<TableArm[]> {
  const arms: TableArm[] = [];
  const learners = recipe.students.filter((student) => student.stages.includes(stage.name));
  for (const [position, student] of learners.entries()) {
    const shared = { stage, recipe, folder, student };
    for (const setting of recipe.validate.arms) {
      // All but this run's students are the same whoever the student is: one row each.
      if (position > 0 && !(typeof setting === 'string' && setting.startsWith('student'))) continue;
      const arm =
        typeof setting === 'string' ? ownArm(setting, shared, teacher) : await furtherArm(setting, shared, context);
      if (arm !== undefined) arms.push(arm);
    }
  }
  return arms;
}

/** Whether an arm of this name is the run's own: its teacher, its base or one of its students. */
export function isOwnArm({ validate }: Pick<Recipe, 'validate'>, name: string): boolean {
  return validate.arms.some((arm) => arm === name);
}

function ownArm(arm: OwnArm, { stage, recipe, folder, student }: StageArms, teacher: string): TableArm {
  const settings = stageSampling(stage, studentGenerate(recipe, student));
  const shared = { arm, asked: stage, prompt: 'student', settings } as const;
  if (arm === 'teacher') return { ...shared, model: teacher, origin: { kind: 'teacher' }, source: '' };
  const { model } = studentTrain(recipe, student);
  if (arm === 'base') {
    const source = contentHash({ seed: recipe.seed, sampling: samplingOf(settings), model });
    return { ...shared, model, origin: { kind: 'model', name: model }, source };
  }
  const forms = {
    student: 'f32',
    'student-w8a8': recipe.export.adapter,
    'student-w8a8-beside': 'beside',
    'student-w8a8-merged': 'merged',
  } as const;
  const origin: StudentOrigin = { kind: 'student', recipe, folder, student, form: forms[arm] };
  const source = studentSource(recipe.seed, settings, origin);
  return { ...shared, model: `${student.name} (${model})`, origin, source };
}

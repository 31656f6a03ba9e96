/** From the recipe's `teacher` section to a Teacher. */

import type { Recipe } from '../recipe/schema.ts';
import { openaiTeacher } from './openai.ts';
import { recordedTeacher, recordedTeacherName } from './recorded.ts';
import type { Teacher } from './teacher.ts';

/** The teacher's name without making it: needs neither key nor network. */
export async function teacherName({ teacher }: Pick<Recipe, 'teacher'>): Promise<string> {
  return teacher.kind === 'recorded' ? recordedTeacherName(teacher.folder) : teacher.model;
}

/**
 * The teacher of a recipe, as one server: of one with `providers` each is made by its own settings.
 *
 * @throws UserError naming the environment variable that misses, or the folder that holds no recording
 */
export async function createTeacher(recipe: Pick<Recipe, 'teacher' | 'collect' | 'reformulate'>): Promise<Teacher> {
  const { teacher, collect, reformulate } = recipe;
  if (teacher.kind === 'recorded') return recordedTeacher(teacher.folder, reformulate.prompt);
  return openaiTeacher(teacher, { timeoutMs: collect.timeoutSeconds * 1000, environment: process.env });
}

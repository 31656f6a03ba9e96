/** Asks each job of the one who is to answer it: the labeler or a judge, each with its own server, limits and price. */

import type { Recipe } from '../recipe/schema.ts';
import { createTeacher } from '../teacher/create-teacher.ts';
import type { Teacher } from '../teacher/teacher.ts';
import type { AskerParts } from './ask-lines.ts';
import { askAll } from './asker.ts';
import type { Job } from './job.ts';
import type { LlmJudge } from './judges.ts';

export interface JobAskers extends Omit<AskerParts, 'teacher'> {
  /** Those made already, by their section of the recipe; further ones are added. */
  teachers: Map<Recipe['teacher'], Teacher>;
}

/**
 * Asks what the ledger holds no answer to, one teacher after the other.
 *
 * @param jobs read once for each teacher
 * @throws like `askAll`; nothing is created for a teacher that has nothing to answer
 */
export async function askJobs(jobs: () => Iterable<Job>, { teachers, ...parts }: JobAskers): Promise<void> {
  const askers = new Set<LlmJudge | undefined>();
  for (const job of missing(jobs(), parts)) askers.add(job.judge);
  for (const asked of askers) {
    const settings = asked?.settings ?? parts.recipe.teacher;
    const recipe: Recipe = { ...parts.recipe, teacher: settings };
    const teacher = teachers.get(settings) ?? (await createTeacher(recipe));
    teachers.set(settings, teacher);
    await askAll(only(missing(jobs(), parts), asked), { ...parts, recipe, teacher });
  }
}

function* missing(jobs: Iterable<Job>, { ledger: { index } }: Pick<AskerParts, 'ledger'>): Generator<Job> {
  for (const job of jobs) {
    const { key } = job.request;
    if (!index.responses.has(key) && !index.failures.get(key)?.final) yield job;
  }
}

function* only(jobs: Iterable<Job>, judge: LlmJudge | undefined): Generator<Job> {
  for (const job of jobs) if (job.judge === judge) yield job;
}

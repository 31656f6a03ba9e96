/** Asks each job of the one who is to answer it: the labeler or a judge, each with its own servers, limits and prices. */

import type { Recipe } from '../recipe/schema.ts';
import type { AskerParts } from './ask-lines.ts';
import { askAll } from './asker.ts';
import type { Job } from './job.ts';
import type { LlmJudge } from './judges.ts';
import { createProviders, type Provider } from './provider.ts';

export interface JobAskers extends Omit<AskerParts, 'providers'> {
  /** Those made already, by their teacher's section of the recipe; further ones are added. */
  providers: Map<Recipe['teacher'], readonly Provider[]>;
}

/**
 * Asks what the ledger holds no answer to, one teacher after the other.
 *
 * @param jobs read once for each teacher
 * @throws like `askAll`; nothing is created for a teacher that has nothing to answer
 */
export async function askJobs(jobs: () => Iterable<Job>, { providers, ...parts }: JobAskers): Promise<void> {
  const askers = new Set<LlmJudge | undefined>();
  for (const job of missing(jobs(), parts)) askers.add(job.judge);
  for (const asked of askers) {
    const settings = asked?.settings ?? parts.recipe.teacher;
    const recipe: Recipe = { ...parts.recipe, teacher: settings };
    const ofTeacher = providers.get(settings) ?? (await createProviders(settings, recipe));
    providers.set(settings, ofTeacher);
    await askAll(() => only(missing(jobs(), parts), asked), { ...parts, recipe, providers: ofTeacher });
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

/** A server that answers a teacher's requests, with its own limits, price and fate in this run. */

import { setMaxListeners } from 'node:events';
import type { Recipe } from '../recipe/schema.ts';
import { createTeacher } from '../teacher/create-teacher.ts';
import { providerSettings } from '../teacher/provider-settings.ts';
import type { Teacher } from '../teacher/teacher.ts';
import { AdaptiveLimit } from './adaptive-limit.ts';

export interface ProviderParts {
  /** Absent where the teacher has one server only. */
  name?: string;
  teacher: Teacher;
  /** As a teacher of its own: price, structured, batch. */
  settings: Recipe['teacher'];
  /** Most requests in flight. */
  concurrency: number;
}

export class Provider {
  readonly name: string | undefined;
  readonly teacher: Teacher;
  readonly settings: Recipe['teacher'];
  readonly limit: AdaptiveLimit;
  /** Requests in a row that failed after all their tries. */
  failedInARow = 0;
  readonly #aside = new AbortController();

  constructor({ name, teacher, settings, concurrency }: ProviderParts) {
    this.name = name;
    this.teacher = teacher;
    this.settings = settings;
    this.limit = new AdaptiveLimit(concurrency);
    setMaxListeners(0, this.#aside.signal);
  }

  /** Whether it is asked by its Batch API. */
  get byBatch(): boolean {
    return this.settings.kind === 'openai' && this.settings.batch && this.teacher.batches !== undefined;
  }

  /** Why it is not asked any more in this run; undefined while it is. */
  get asideFor(): string | undefined {
    return this.#aside.signal.aborted ? String(this.#aside.signal.reason) : undefined;
  }

  /** Aborted once the provider is set aside: nothing new is sent to it. */
  get aside(): AbortSignal {
    return this.#aside.signal;
  }

  setAside(reason: string): void {
    this.#aside.abort(reason);
  }
}

/**
 * The servers behind a teacher.
 *
 * @throws UserError naming the environment variable that misses, or the folder that holds no recording
 */
export async function createProviders(
  teacher: Recipe['teacher'],
  recipe: Pick<Recipe, 'collect' | 'reformulate'>,
): Promise<Provider[]> {
  return Promise.all(
    providerSettings(teacher).map(
      async ({ settings, concurrency = recipe.collect.concurrency, ...named }) =>
        new Provider({
          ...named,
          settings,
          concurrency,
          teacher: await createTeacher({ ...recipe, teacher: settings }),
        }),
    ),
  );
}

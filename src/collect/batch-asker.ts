/**
 * Asks by a provider's Batch API. A job's plan is in the ledger before anything of it leaves, and its id before it is looked at: a
 * process that goes on after a kill finds the job, by its id or by the key in its metadata, and never makes it again.
 */

import { InterruptedError, UserError } from '../foundation/errors.ts';
import { contentHash } from '../foundation/hash.ts';
import { randomStream } from '../foundation/random.ts';
import type { OpenBatch } from '../store/ledger-index.ts';
import { callWithRetries } from '../teacher/ask-with-retries.ts';
import { usdAtMost } from '../teacher/price.ts';
import { type BatchClient, type BatchResult, type BatchState, TeacherFailure } from '../teacher/teacher.ts';
import { type AskerParts, head, responseLine, stopError } from './ask-lines.ts';
import { Budget } from './budget.ts';
import type { Job } from './job.ts';

/** Of one batch, whose requests are all in memory; OpenAI takes 50,000 and 200 MB. */
const MOST_REQUESTS = 20_000;
const MOST_BYTES = 100e6;

/** Waits between looks at a job: batches of a few requests are done in seconds, large ones in hours. */
const FIRST_POLL_MS = 5000;
const LONGEST_POLL_MS = 60_000;

/** Results that share a sync of the ledger. */
const LINES_A_SYNC = 200;

/** The provider's words for more tokens in all batches than it takes at a time. */
const TOO_MUCH_QUEUED = 'token_limit_exceeded';

/**
 * Asks all `jobs`, batch after batch; those of batches that are under way are waited for. Requests that fail in passing or expire go
 * into the next batch, up to `collect.maxAttempts` times.
 *
 * @throws InterruptedError when stopped: the batch goes on at the provider, and the same command fetches its results;
 *   UserError when going on is pointless (key, quota, a batch refused as a whole)
 */
export async function askByBatch(jobs: Iterable<Job>, parts: AskerParts, client: BatchClient): Promise<void> {
  const asker = new BatchAsker(parts, client);
  try {
    await asker.askAll(jobs);
  } catch (error) {
    if (parts.signal.aborted) {
      throw new InterruptedError('Collecting was stopped; its batch goes on, and the same command fetches the results');
    }
    throw error instanceof TeacherFailure ? stopError(parts.teacher, error) : error;
  }
}

interface RunningBatch {
  key: string;
  structured: boolean;
  jobs: Map<string, Job>;
}

class BatchAsker {
  readonly #parts: AskerParts;
  readonly #client: BatchClient;
  readonly #budget: Budget;
  readonly #held = new Map<string, number>();
  readonly #tries = new Map<string, number>();
  #structured: boolean;
  #most = MOST_REQUESTS;

  constructor(parts: AskerParts, client: BatchClient) {
    const { teacher } = parts.recipe;
    this.#parts = parts;
    this.#client = client;
    this.#budget = new Budget(parts.recipe, parts.ledger.index);
    this.#structured = teacher.kind === 'openai' && teacher.structured;
  }

  async askAll(jobs: Iterable<Job>): Promise<void> {
    const { ledger, teacher } = this.#parts;
    const underWay = [...ledger.index.batches.values()]
      .filter(({ model }) => model === teacher.name)
      .map((batch) => ({ batch, keys: new Set(batch.keys), jobs: new Map<string, Job>() }));
    const claimed = new Set<string>();
    let next: Job[] = [];
    let bytes = 0;
    for (const job of jobs) {
      const { key } = job.request;
      if (claimed.has(key)) continue;
      claimed.add(key);
      const holder = underWay.find(({ keys }) => keys.has(key));
      if (holder !== undefined) {
        holder.jobs.set(key, job);
        continue;
      }
      next.push(job);
      bytes += JSON.stringify(job.request.messages).length;
      if (next.length < this.#most && bytes < MOST_BYTES) continue;
      next = await this.#submit(next);
      bytes = 0;
    }
    for (const { batch, jobs } of underWay) if (jobs.size > 0) next.push(...(await this.#goOn(batch, jobs)));
    while (next.length > 0) next = await this.#submit(next);
  }

  /** Asks the first of `jobs` in one batch. Returns what is still to be asked. */
  async #submit(jobs: readonly Job[]): Promise<Job[]> {
    const { ledger, recipe, signal } = this.#parts;
    if (signal.aborted) throw new InterruptedError();
    const chosen = new Map<string, Job>();
    for (const job of jobs.slice(0, this.#most)) {
      const most = usdAtMost(job.request, recipe.teacher, true) ?? 0;
      if (!this.#budget.reserve(most)) break;
      this.#held.set(job.request.key, most);
      chosen.set(job.request.key, job);
    }
    if (chosen.size === 0) throw this.#budget.error();
    const keys = [...chosen.keys()];
    const structured = this.#structured;
    const key = contentHash({ keys, after: ledger.index.endedBatches });
    await Promise.all([
      ledger.append({ type: 'batch', key, step: 'planned', ...this.#stamp(), keys, structured }),
      ...[...chosen.values()].map((job) => this.#sent(job, key)),
    ]);
    const id = await this.#create({ key, structured, jobs: chosen });
    await ledger.append({ type: 'batch', key, step: 'created', ...this.#stamp(), id });
    return [...(await this.#harvest({ key, structured, jobs: chosen }, id)), ...jobs.slice(chosen.size)];
  }

  /** Goes on with a batch of an earlier process. Returns what is to be asked again. */
  async #goOn(batch: OpenBatch, jobs: Map<string, Job>): Promise<Job[]> {
    const { ledger } = this.#parts;
    for (const key of jobs.keys()) {
      const most = ledger.index.open.get(key)?.usdAtMost ?? 0;
      this.#held.set(key, most);
      this.#budget.resume(most);
    }
    const running = { ...batch, jobs };
    const id = batch.id ?? (await this.#call(() => this.#client.find(batch.key, batch.plannedAt)));
    if (id === undefined) return this.#end(running, 'never created', 'the batch was not created');
    if (batch.id === undefined) {
      await ledger.append({ type: 'batch', key: batch.key, step: 'created', ...this.#stamp(), id });
    }
    return this.#harvest(running, id);
  }

  /** A creation that may have gone through is looked for before it is repeated. */
  #create({ key, structured, jobs }: RunningBatch): Promise<string> {
    const requests = [...jobs.values()].map(({ request }) => request);
    const since = this.#parts.now().toISOString();
    let mayExist = false;
    return this.#call(async () => {
      const found = mayExist ? await this.#client.find(key, since) : undefined;
      mayExist = true;
      return found ?? this.#client.create(key, requests, structured);
    });
  }

  async #harvest(batch: RunningBatch, id: string): Promise<Job[]> {
    const { outcome, files, problem } = await this.#ended(id);
    const requests = new Map([...batch.jobs].map(([key, { request }]) => [key, request]));
    const handled = new Set<string>();
    const again: Job[] = [];
    let stop: TeacherFailure | undefined;
    const writing: Promise<unknown>[] = [];
    for (const file of files) {
      await this.#call(async () => {
        for await (const result of this.#client.results(file, requests)) {
          if (handled.has(result.key) || this.#parts.ledger.index.responses.has(result.key)) continue;
          handled.add(result.key);
          const job = batch.jobs.get(result.key)!;
          if (result.outcome instanceof TeacherFailure && result.outcome.scope === 'stop') stop = result.outcome;
          writing.push(this.#keep(job, result, batch).then((retry) => void (retry && again.push(job))));
          if (writing.length >= LINES_A_SYNC) await Promise.all(writing.splice(0));
        }
      });
    }
    await Promise.all(writing);
    if (problem?.code === TOO_MUCH_QUEUED && this.#most > 1) this.#most = Math.ceil(this.#most / 2);
    const refused = outcome === 'failed' && problem !== undefined && problem.code !== TOO_MUCH_QUEUED;
    again.push(...(await this.#end(batch, outcome, problem?.message ?? `the batch ended (${outcome}) without it`)));
    if (stop !== undefined) throw stop;
    if (refused) {
      throw new UserError(
        `Cannot go on asking teacher ${this.#parts.teacher.name}: it refused the batch ${id}: ${problem.message}`,
        'Mend that, or set teacher.batch to false, then run the same command again',
      );
    }
    return again;
  }

  async #ended(id: string): Promise<BatchState> {
    const { signal, wait } = this.#parts;
    for (let ms = FIRST_POLL_MS; ; ms = Math.min(LONGEST_POLL_MS, ms * 1.5)) {
      const state = await this.#call(() => this.#client.state(id));
      if (state.ended) return state;
      await wait(ms, signal);
    }
  }

  /** Writes a result down; tells whether its request is to be asked again. */
  async #keep(job: Job, { outcome }: BatchResult, batch: RunningBatch): Promise<boolean> {
    if (outcome instanceof TeacherFailure) return this.#fail(job, outcome, batch);
    const structured = batch.structured && job.request.schema !== undefined;
    const line = responseLine(job, { ...outcome, structured }, this.#parts, batch.key);
    await this.#parts.ledger.append(line);
    this.#settle(job, line.usd ?? 0);
    this.#parts.onResponse(job, line);
    return false;
  }

  async #fail(job: Job, failure: TeacherFailure, batch: RunningBatch): Promise<boolean> {
    const { key, schema } = job.request;
    const { ledger, recipe, onFailure } = this.#parts;
    const tries = (this.#tries.get(key) ?? 0) + 1;
    this.#tries.set(key, tries);
    // It may be the schema that was refused: the next batch goes without, and tells.
    const schemaRefused = failure.badRequest && batch.structured && schema !== undefined;
    if (schemaRefused) this.#structured = false;
    const final = failure.scope === 'refuse' && !schemaRefused;
    const retry = failure.scope !== 'stop' && !final && tries < recipe.collect.maxAttempts;
    this.#settle(job, failure.possiblyCharged ? this.#held.get(key)! : 0);
    await ledger.append({
      type: 'failure',
      ...head(job, this.#parts),
      reason: failure.message,
      attempts: tries,
      final,
      ...(failure.possiblyCharged ? { lost: true } : {}),
    });
    if (!retry) onFailure(job, failure.message);
    return retry;
  }

  /** Ends a batch. Requests without a result were not answered, and not charged. */
  async #end(batch: RunningBatch, outcome: string, reason: string): Promise<Job[]> {
    const { ledger } = this.#parts;
    const without = [...batch.jobs.values()].filter(({ request }) => ledger.index.open.has(request.key));
    const retries = await Promise.all(
      without.map((job) => this.#fail(job, new TeacherFailure(reason, 'retry'), batch)),
    );
    await ledger.append({ type: 'batch', key: batch.key, step: 'ended', ...this.#stamp(), outcome });
    return without.filter((_, i) => retries[i]);
  }

  #settle({ request }: Job, usd: number): void {
    this.#budget.settle(this.#held.get(request.key) ?? 0, usd);
    this.#held.delete(request.key);
  }

  #sent(job: Job, batch: string): Promise<void> {
    const most = this.#held.get(job.request.key)!;
    const attempt = (this.#tries.get(job.request.key) ?? 0) + 1;
    const price = most > 0 ? { usdAtMost: most } : {};
    return this.#parts.ledger.append({ type: 'sent', ...head(job, this.#parts), attempt, batch, ...price });
  }

  #stamp() {
    return { model: this.#parts.teacher.name, at: this.#parts.now().toISOString() };
  }

  #call<T>(call: () => Promise<T>): Promise<T> {
    const { recipe, signal, wait } = this.#parts;
    const random = randomStream('batch');
    return callWithRetries(call, { maxAttempts: recipe.collect.maxAttempts, stop: signal, random, wait });
  }
}

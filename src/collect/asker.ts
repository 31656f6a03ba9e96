/** Asks a teacher's providers what is missing; each request and response is in the ledger before it counts. */

import type { AskerParts } from './ask-lines.ts';
import { Asking } from './asking.ts';
import { askByBatch } from './batch-asker.ts';
import type { Job } from './job.ts';
import { askLive } from './live-asker.ts';
import type { Provider } from './provider.ts';

/**
 * Asks all jobs that have no response yet, each provider as many as it has room for. Equal requests are asked once.
 *
 * @param jobs without a response yet; read again where batches of an earlier process are under way
 * @throws InterruptedError when stopped; UserError when going on is pointless (no provider left, budget used up, disk full)
 */
export async function askAll(jobs: () => Iterable<Job>, parts: AskerParts): Promise<void> {
  const asking = new Asking(jobs, parts);
  const askers = parts.providers.filter(({ asideFor }) => asideFor === undefined);
  await asking.run(() => askers.map((provider) => askProvider(provider, asking)));
}

/** While a batch is open, what it holds must not be asked by another way. */
function askProvider(provider: Provider, asking: Asking): Promise<void> {
  const { batches } = provider.teacher;
  return batches !== undefined && (provider.byBatch || asking.heldBy(provider).length > 0)
    ? askByBatch(provider, asking, batches)
    : askLive(provider, asking);
}

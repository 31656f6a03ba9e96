/** What the ledger knows, by request key: where responses lie, what failed, what was spent. Texts stay in the files. */

import type { StageName } from '../stage/stage.ts';
import type { BatchLine, FailureLine, LedgerLine, RatingLine, ResponseLine, SentLine } from './ledger-lines.ts';
import { type LinePosition, readLedger, type TornLine } from './ledger-read.ts';

/** Requests and money of one stage at one model of one provider. */
export interface Spend {
  stage: StageName;
  model: string;
  /** Absent where the teacher has one server only. */
  provider?: string;
  responses: number;
  promptTokens: number;
  completionTokens: number;
  /** US dollars of the responses with a known price. */
  usd: number;
  /** Responses whose price is not known. */
  unpriced: number;
}

/** A batch that has not ended: its requests may be under way. */
export interface OpenBatch {
  key: string;
  model: string;
  provider?: string;
  keys: string[];
  structured: boolean;
  plannedAt: string;
  /** The provider's id; absent where none was ever seen. */
  id?: string;
}

export class LedgerIndex {
  readonly responses = new Map<string, LinePosition>();
  readonly failures = new Map<string, FailureLine>();
  /** Sent, and neither answered nor given up since. */
  readonly open = new Map<string, SentLine>();
  /** Tries whose answer was never seen, for a kill or a broken connection: possibly charged, whatever happened since. */
  readonly lost: SentLine[] = [];
  readonly torn: TornLine[] = [];
  /** In the order given; what counts of them says current-ratings.ts. */
  readonly ratings: RatingLine[] = [];
  readonly batches = new Map<string, OpenBatch>();
  endedBatches = 0;
  readonly #spend = new Map<string, Spend>();

  /** Takes a line in; the first response of a key is the one that counts. */
  add(line: LedgerLine, position: LinePosition): void {
    if (line.type === 'batch') this.#step(line);
    else if (line.type === 'rating') this.ratings.push(line);
    else if (line.type === 'sent') {
      const earlier = this.open.get(line.key);
      if (earlier !== undefined && (line.attempt === 1 || line.afterLost)) this.lost.push(earlier);
      this.open.set(line.key, line);
    } else if (line.type === 'response') {
      this.open.delete(line.key);
      this.failures.delete(line.key);
      if (!this.responses.has(line.key)) this.responses.set(line.key, position);
      this.#count(line);
    } else if (line.type === 'failure') {
      const earlier = this.open.get(line.key);
      if (earlier !== undefined && line.lost) this.lost.push(earlier);
      this.open.delete(line.key);
      if (!line.moved) this.failures.set(line.key, line);
    }
  }

  /** Sent, and neither answered nor given up since, nor part of a batch whose results are still to come. */
  get unanswered(): SentLine[] {
    return [...this.open.values()].filter(({ batch }) => batch === undefined || !this.batches.has(batch));
  }

  #step({ key, step, model, provider, at, keys = [], structured = false, id }: BatchLine): void {
    if (step === 'planned') {
      this.batches.set(key, { key, model, ...(provider && { provider }), keys, structured, plannedAt: at });
    } else if (step === 'ended') {
      this.batches.delete(key);
      this.endedBatches++;
    } else {
      const batch = this.batches.get(key);
      if (batch !== undefined && id !== undefined) batch.id = id;
    }
  }

  /** Spend by stage, model and provider, in order of first use. */
  get spend(): Spend[] {
    return [...this.#spend.values()];
  }

  #count(line: ResponseLine): void {
    const { stage, model, provider } = line;
    const name = [stage, model, provider].join('\u0000');
    const spend = this.#spend.get(name) ?? {
      stage,
      model,
      ...(provider && { provider }),
      responses: 0,
      promptTokens: 0,
      completionTokens: 0,
      usd: 0,
      unpriced: 0,
    };
    spend.responses++;
    spend.promptTokens += line.usage.promptTokens;
    spend.completionTokens += line.usage.completionTokens;
    if (line.usd === null) spend.unpriced++;
    else spend.usd += line.usd;
    this.#spend.set(name, spend);
  }
}

/** Reads the whole ledger once, as a stream. An absent folder is an empty ledger. */
export async function indexLedger(folder: string): Promise<LedgerIndex> {
  const index = new LedgerIndex();
  for await (const { line, position } of readLedger(folder, (torn) => index.torn.push(torn))) index.add(line, position);
  return index;
}

/** The ledger, read once: what the teacher cost, and the genres and audiences that samples were written for. */

import { existsSync } from 'node:fs';
import { errorMessage, InterruptedError, UserError } from '../../foundation/errors.ts';
import type { RunFolder } from '../../foundation/run-folder.ts';
import { parsePairs } from '../../stage/pairs.ts';
import type { GenreAudience } from '../../stage/stage.ts';
import { LedgerIndex } from '../../store/ledger-index.ts';
import { readLedger } from '../../store/ledger-read.ts';
import type { Note } from '../read-artifact.ts';
import type { Sample, Spend } from '../run-data.ts';

export interface CollectedLedger {
  spend: Spend | undefined;
  /** The samples; those of `reformulate` with the teacher's pair (item `<docId>/<k>` is the document's k-th). */
  samples: Sample[];
}

/** Spend by stage, and the samples with genre and audience where the ledger holds a valid pairs response of their document. */
export async function collectLedger(
  folder: RunFolder,
  samples: readonly Sample[],
  note: Note,
  signal: AbortSignal,
): Promise<CollectedLedger> {
  if (!existsSync(folder.ledger)) {
    note('There is no ledger: the teacher has not been asked.');
    return { spend: undefined, samples: [...samples] };
  }
  const wanted = new Set(samples.map((sample) => sample.docId));
  const pairs = new Map<string, GenreAudience[]>();
  const index = new LedgerIndex();
  const waits = new Map<string, { answers: number; seconds: number }>();
  try {
    for await (const { line, position } of readLedger(folder.ledger)) {
      if (signal.aborted) throw new InterruptedError();
      index.add(line, position);
      if (line.type === 'response' && line.batch === undefined) addWait(waits, line);
      if (line.type !== 'response' || line.stage !== 'pairs' || !wanted.has(line.docId)) continue;
      // Other items are answers of arms of the table.
      if (line.item !== line.docId) continue;
      const read = parsePairs(line.text);
      if (read.ok) pairs.set(line.docId, read.value);
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    note(`The ledger was read up to a damaged line: ${errorMessage(error)}.`);
  }
  return { spend: spendOf(index, waits), samples: samples.map((sample) => withPair(sample, pairs.get(sample.docId))) };
}

/** Where something was asked: a stage, a model and, of several servers, which. */
type Asked = { stage: string; model: string; provider?: string };
type Waits = Map<string, { answers: number; seconds: number }>;

const askedKey = ({ stage, model, provider }: Asked) => [stage, model, provider].join('\u0000');

function addWait(waits: Waits, line: Asked & { latencyMs: number }): void {
  const wait = waits.get(askedKey(line)) ?? { answers: 0, seconds: 0 };
  waits.set(askedKey(line), { answers: wait.answers + 1, seconds: wait.seconds + line.latencyMs / 1000 });
}

function spendOf(index: LedgerIndex, waits: Waits): Spend {
  return {
    stages: index.spend.map((spend) => {
      const { stage, model, provider, responses, promptTokens, completionTokens, usd, unpriced } = spend;
      const wait = waits.get(askedKey(spend));
      return {
        stage,
        model: provider === undefined ? model : `${model} at ${provider}`,
        answers: responses,
        promptTokens,
        completionTokens,
        usd: unpriced === responses ? undefined : usd,
        // A recording keeps nobody waiting.
        secondsPerAnswer: wait && wait.seconds > 0 ? wait.seconds / wait.answers : undefined,
      };
    }),
    failures: index.failures.size,
  };
}

function withPair(sample: Sample, pairs: readonly GenreAudience[] | undefined): Sample {
  if (sample.stage !== 'reformulate') return sample;
  const k = Number(sample.item.slice(sample.item.lastIndexOf('/') + 1));
  const pair = pairs?.[k - 1];
  return pair === undefined ? sample : { ...sample, ...pair };
}

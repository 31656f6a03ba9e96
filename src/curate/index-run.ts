/** The store of a run from its ledger and what curate decided: rebuilds store.duckdb whole. */

import type { Collected } from '../collect/collected.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Judgement } from '../stage/judge.ts';
import { rebuildStore, type StoreContents } from '../store/rebuild-store.ts';
import type { Decision } from './decision.ts';

/** Rebuilds the store; the file may be absent. */
export async function indexRun(
  folder: RunFolder,
  round: number,
  collected: Collected,
  decisions: readonly Decision[],
): Promise<void> {
  const splitOf = new Map(
    (['train', 'dev', 'validation'] as const).flatMap((split) =>
      collected.splits[split].map((id) => [id, split] as const),
    ),
  );
  const documentOf = new Map([
    ...[...collected.texts].map(([item, { docId }]) => [item, docId] as const),
    ...collected.judgeTexts.map(({ id, docId }) => [id, docId] as const),
  ]);
  await rebuildStore(folder.store, {
    ledger: folder.ledger,
    documents: [...collected.documents.values()].map((document) => ({
      ...document,
      split: splitOf.get(document.id) ?? null,
    })),
    scores: [
      ...scoreRows(collected.judgements, (id) => documentOf.get(id) ?? null),
      ...[...collected.judgedAnswers.values()].flatMap((judged) => scoreRows(judged.judgements, (docId) => docId)),
    ],
    samples: decisions.map(({ candidate: { row, split } }) => {
      const { prompt: _, completion, ...columns } = row;
      return { ...columns, round, split, text: completion.map(({ content }) => content).join('\n') };
    }),
    decisions: decisions.map(({ candidate: { row }, dropped }) => ({
      sample_id: row.id,
      round,
      stage: row.stage,
      kept: !dropped,
      ...dropped,
    })),
  });
}

function scoreRows(
  judgements: ReadonlyMap<string, readonly Judgement[]>,
  documentOf: (id: string) => string | null,
): StoreContents['scores'] {
  return [...judgements].flatMap(([text_id, given]) =>
    given.map(({ score, analysis }, i) => ({ text_id, doc_id: documentOf(text_id), repeat: i + 1, score, analysis })),
  );
}

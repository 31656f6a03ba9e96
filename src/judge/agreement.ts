/** How far a judge's scores agree with the reference judge's, by kind of text. */

import { randomStream } from '../foundation/random.ts';
import { LEVELS } from '../statistics/confusion.ts';
import { clusteredKappa } from '../statistics/weighted-kappa.ts';
import type { JudgeReport, KindAgreement } from './judge.ts';

/** One text scored by both judges. */
export interface ScoredPair {
  docId: string;
  kind: string;
  reference: number;
  score: number;
}

/** The kinds a table of students depends on; the others are easy to tell apart. */
export const HARD_KINDS: readonly string[] = ['student', 'flawed'];

export interface AgreementOptions {
  seed: number;
  resamples: number;
}

type Agreement = Required<
  Pick<JudgeReport, 'kappa' | 'kappa_ci' | 'kappa_texts' | 'kappa_documents' | 'by_kind' | 'confusion'>
>;

/** Agreement on the hard kinds together, its confusion matrix, and every kind apart, hard kinds first. */
export function agreement(pairs: readonly ScoredPair[], options: AgreementOptions): Agreement {
  const hard = pairs.filter((pair) => HARD_KINDS.includes(pair.kind));
  const { kappa, kappa_ci, texts, documents } = ofKind('hard', hard, options);
  const confusion = Array.from({ length: LEVELS }, () => new Array<number>(LEVELS).fill(0));
  for (const { reference, score } of hard) confusion[reference - 1]![score - 1]! += 1;
  const kinds = [...new Set(pairs.map((pair) => pair.kind))].sort(
    (a, b) => Number(HARD_KINDS.includes(b)) - Number(HARD_KINDS.includes(a)) || (a < b ? -1 : 1),
  );
  const by_kind = kinds.map((kind) =>
    ofKind(
      kind,
      pairs.filter((pair) => pair.kind === kind),
      options,
    ),
  );
  return { kappa, kappa_ci, kappa_texts: texts, kappa_documents: documents, by_kind, confusion };
}

function ofKind(kind: string, pairs: readonly ScoredPair[], { seed, resamples }: AgreementOptions): KindAgreement {
  const rated = pairs.map(({ docId, reference, score }) => ({ docId, first: reference, second: score }));
  const { estimate, interval } = clusteredKappa(rated, { random: randomStream(seed, 'kappa', kind), resamples });
  const share = (test: (pair: ScoredPair) => boolean) => pairs.filter(test).length / pairs.length;
  // Where the reference gave one level only, kappa is 0 or undefined whatever the judge says.
  const defined = new Set(pairs.map((pair) => pair.reference)).size > 1 && !Number.isNaN(estimate);
  return {
    kind,
    texts: pairs.length,
    documents: new Set(pairs.map((pair) => pair.docId)).size,
    kappa: defined ? estimate : null,
    kappa_ci: defined ? interval : null,
    exact: share((pair) => pair.score === pair.reference),
    rate_error: share((pair) => pair.score >= 3) - share((pair) => pair.reference >= 3),
  };
}

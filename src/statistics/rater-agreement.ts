/** Everything that is said of two ratings of the same texts. */

import type { BootstrapOptions } from './cluster-bootstrap.ts';
import { addTo, LEVELS } from './confusion.ts';
import { agreementParts, gwetAc2 } from './gwet-ac2.ts';
import { coincidences, ordinalAlpha } from './krippendorff-alpha.ts';
import { clusteredKappa, type RatedPair } from './weighted-kappa.ts';
import type { Interval } from './wilson.ts';

/** Names as in table1.json; null where all ratings are alike and chance has no meaning. */
export interface RaterAgreement {
  texts: number;
  documents: number;
  /** Share of equal ratings. */
  exact: number;
  /** Share of texts that only one of the two lets pass (3 and more). */
  flips: number;
  /** Mean second rating minus mean first one: below 0 the second rater is harsher. */
  shift: number;
  /** Quadratic-weighted, with its interval over documents. */
  kappa: number | null;
  kappa_ci: Interval | null;
  /** Krippendorff, ordinal. */
  alpha: number | null;
  /** Gwet, quadratic weights. */
  ac2: number | null;
  /** Texts by first rating (rows 1..5) and second (columns). */
  confusion: number[][];
}

/** Undefined where there is no pair. */
export function raterAgreement(pairs: readonly RatedPair[], options: BootstrapOptions): RaterAgreement | undefined {
  if (pairs.length === 0) return undefined;
  const mean = (value: (pair: RatedPair) => number) => pairs.reduce((sum, pair) => sum + value(pair), 0) / pairs.length;
  const { estimate, interval } = clusteredKappa(pairs, options);
  const known = !Number.isNaN(estimate);
  const ratings = pairs.map(({ first, second }) => [first, second]);
  return {
    texts: pairs.length,
    documents: new Set(pairs.map((pair) => pair.docId)).size,
    exact: mean(({ first, second }) => Number(first === second)),
    flips: mean(({ first, second }) => Number(first >= 3 !== second >= 3)),
    shift: mean(({ first, second }) => second - first),
    kappa: known ? estimate : null,
    kappa_ci: known && interval.every(Number.isFinite) ? interval : null,
    alpha: orNull(ordinalAlpha(sum(ratings.map(coincidences)))),
    ac2: orNull(gwetAc2(sum(ratings.map(agreementParts)))),
    confusion: confusionOf(pairs),
  };
}

function confusionOf(pairs: readonly RatedPair[]): number[][] {
  const all = new Map<string, Float64Array>();
  for (const { first, second } of pairs) addTo(all, '', first, second);
  const matrix = [...all.get('')!];
  return Array.from({ length: LEVELS }, (_, i) => matrix.slice(i * LEVELS, (i + 1) * LEVELS));
}

const orNull = (value: number) => (Number.isFinite(value) ? value : null);

function sum(vectors: readonly Float64Array[]): Float64Array {
  const total = new Float64Array(vectors[0]!.length);
  for (const vector of vectors) for (let i = 0; i < total.length; i++) total[i]! += vector[i]!;
  return total;
}

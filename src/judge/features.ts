/** What can be seen of a text and its source without understanding either: the ground of the local judge. */

import { compressionRatio } from '../curate/measures/compression-ratio.ts';
import { copiedShare } from '../curate/measures/copied-share.ts';
import { loopScore } from '../curate/measures/loop-score.ts';
import { NEGATION, pairsOf, relatedStems, type SentenceView, type TextView, textView } from './text-view.ts';

/** A source document, prepared once for all texts judged against it. */
export interface Source {
  view: TextView;
  related: Set<string>;
}

export function sourceOf(text: string): Source {
  const view = textView(text);
  return { view, related: relatedStems(view) };
}

/**
 * The features of a text against its source, by name; all finite. Coverage is seen from the source (what was taken over), precision from the text (what is not
 * new). An empty denominator gives 0, or 1 where nothing could be wrong.
 */
export function surfaceFeatures(text: string, source: Source): Record<string, number> {
  const own = textView(text);
  return {
    ...coverage(own, source),
    ...sentenceFeatures(own, source),
    ...consistency(own, source),
    ...form(own, source),
  };
}

function coverage(own: TextView, { view }: Source): Record<string, number> {
  const long = [...view.stemSet].filter((stem) => stem.length >= 6 || /\p{N}/u.test(stem));
  const shared = common(own.stemSet, view.stemSet);
  const stretch = own.stems.slice(Math.floor((2 * own.stems.length) / 3));
  const start = own.stems.slice(0, Math.floor(own.stems.length / 3));
  const knownIn = (stems: string[]) => share(stems.filter((stem) => view.stemSet.has(stem)).length, stems.length);
  const late = new Set(stretch.filter((stem) => view.stemSet.has(stem)));
  for (const stem of own.stems.slice(0, -stretch.length || undefined)) late.delete(stem);
  return {
    coverage: share(shared, view.stemSet.size),
    longCoverage: share(long.filter((stem) => own.stemSet.has(stem)).length, long.length),
    logShared: Math.log1p(shared),
    precision: knownIn(own.stems),
    distinctPrecision: share(shared, own.stemSet.size),
    // A text that drifts away from its source knows it less and less.
    precisionLast: knownIn(stretch),
    drift: knownIn(start) - knownIn(stretch),
    discoveredLate: share(late.size, view.stemSet.size),
    pairPrecision: share(common(own.stemPairs, view.stemPairs), own.stemPairs.size),
    pairCoverage: share(common(own.stemPairs, view.stemPairs), view.stemPairs.size),
    triplePrecision: share(common(own.wordTriples, view.wordTriples), own.wordTriples.size),
    copied: copiedShare(own.text, view.text),
  };
}

/** Sentence by sentence: which of the source's are taken up, and which of the text's have a ground in it. */
function sentenceFeatures(own: TextView, { view, related }: Source): Record<string, number> {
  const asked = view.sentences.filter((sentence) => sentence.stems.size >= 3);
  const taken = asked.map((sentence) => share(common(sentence.stems, own.stemSet), sentence.stems.size));
  const matched = asked.map((sentence) => bestMatch(sentence, own.sentences).overlap / sentence.stems.size);
  const grounded = own.sentences
    .filter((sentence) => sentence.stems.size >= 2)
    .map((sentence) => bestMatch(sentence, view.sentences).overlap / sentence.stems.size);
  const said = own.sentences.flatMap((sentence) =>
    pairsOf([...sentence.stems].filter((stem) => view.stemSet.has(stem))),
  );
  const kept = said.filter((pair) => related.has(pair));
  return {
    sentenceCoverage: mean(taken),
    sentenceCoverageMost: Math.max(0, ...taken),
    sentenceMatch: mean(matched),
    grounded: share(grounded.filter((part) => part >= 0.4).length, grounded.length),
    ungrounded: share(grounded.filter((part) => part < 0.15).length, grounded.length),
    // Keywords of the source that stand together in the text: did they in the source?
    relationPrecision: share(kept.length, said.length),
    relationCoverage: share(new Set(kept).size, related.size),
    logRelations: Math.log1p(said.length),
  };
}

/** Numbers, names and negations: where a fluent text goes wrong. */
function consistency(own: TextView, { view }: Source): Record<string, number> {
  const numbers = new Set(view.numbers);
  const names = new Set([...view.names, ...view.words]);
  let swapped = 0;
  let same = 0;
  let matched = 0;
  for (const sentence of own.sentences) {
    const { overlap, match } = bestMatch(sentence, view.sentences);
    if (match === undefined || overlap < 2) continue;
    matched++;
    for (const number of match.numbers.length > 0 ? sentence.numbers : []) {
      if (match.numbers.includes(number)) same++;
      else swapped += numbers.has(number) ? 0.5 : 1;
    }
  }
  return {
    numberPrecision: share(own.numbers.filter((number) => numbers.has(number)).length, own.numbers.length, 1),
    logNumbersKept: Math.log1p(common(new Set(own.numbers), numbers)),
    namePrecision: share(own.names.filter((name) => names.has(name)).length, own.names.length, 1),
    numbersSwapped: share(swapped, same + swapped),
    logMatched: Math.log1p(matched),
    negations: rate(own, new RegExp(NEGATION, 'gi')) - rate(view, new RegExp(NEGATION, 'gi')),
    absolutes: rate(own, ABSOLUTE) - rate(view, ABSOLUTE),
  };
}

/** Words with which a drifting text overstates. */
const ABSOLUTE = /\b(?:always|completely|entirely|every|all|only|perfectly|guaranteed|nobody|everyone)\b/gi;

function form(own: TextView, { view }: Source): Record<string, number> {
  const length = (text: TextView) => mean(text.words.map((word) => word.length));
  return {
    // 5 words more on both sides keep the logarithm of tiny texts in bounds.
    logLengthRatio: Math.log((own.words.length + 5) / (view.words.length + 5)),
    loops: loopScore(own.text),
    compression: compressionRatio(own.text.slice(-1000)),
    distinctWords: share(new Set(own.words).size, own.words.length),
    wordLength: length(own) - length(view),
    endsClosed: Number(/[.!?…)\]"'”’»*]\s*$/.test(own.text)),
  };
}

function bestMatch(sentence: SentenceView, among: readonly SentenceView[]) {
  let overlap = 0;
  let match: SentenceView | undefined;
  for (const other of among) {
    const both = common(sentence.stems, other.stems);
    if (both > overlap) [overlap, match] = [both, other];
  }
  return { overlap, match };
}

function common(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let count = 0;
  for (const element of a) if (b.has(element)) count++;
  return count;
}

/** Hits a word; 20 words more keep short texts from extremes. */
function rate(view: TextView, pattern: RegExp): number {
  return (view.text.match(pattern) ?? []).length / (view.words.length + 20);
}

const share = (part: number, whole: number, empty = 0) => (whole === 0 ? empty : part / whole);

const mean = (list: readonly number[]) =>
  share(
    list.reduce((sum, value) => sum + value, 0),
    list.length,
  );

/** The names of the features, in the order models are fitted in. */
export const FEATURE_NAMES: readonly string[] = Object.keys(surfaceFeatures('', sourceOf('')));

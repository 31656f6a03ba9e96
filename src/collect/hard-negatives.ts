/** Hard negatives for judges: a teacher's good text spoilt in a known way, so that its score follows from the rubric. */

import type { RandomStream } from '../foundation/random.ts';
import type { Score } from '../stage/judge.ts';

export type NegativeKind = 'swapped' | 'contradicting' | 'truncated' | 'looping' | 'drifting';

export const NEGATIVE_KINDS: readonly NegativeKind[] = ['swapped', 'contradicting', 'truncated', 'looping', 'drifting'];

export interface HardNegative {
  text: string;
  score: Score;
}

/**
 * Spoils a text of the highest score. The levels are those a recorded LLM gave texts spoilt likewise: another document's
 * text 1; a faithful beginning that breaks off 4; a faithful third that then loops or drifts off 3, a sentence or two of it 2.
 *
 * @param good a faithful rewrite of the document
 * @param other a text made from another document
 * @returns undefined where the text offers nothing to spoil in this way
 */
export function hardNegative(
  kind: NegativeKind,
  good: string,
  other: string,
  random: RandomStream,
): HardNegative | undefined {
  if (kind === 'swapped') return { text: other, score: 1 };
  if (kind === 'contradicting') return contradicting(good, random);
  if (kind === 'truncated') return truncated(good, random);
  const sentences = sentencesOf(good);
  if (sentences.length < 4) return undefined;
  const isMild = random.uniform() < 0.5;
  const kept = isMild ? Math.ceil(0.4 * sentences.length) : Math.min(2, Math.floor(0.2 * sentences.length) + 1);
  const tail = kind === 'looping' ? repeated(sentences[kept - 1]!, good.length) : other;
  const text = [...sentences.slice(0, kept), tail].join(' ').slice(0, good.length);
  return { text, score: isMild ? 3 : 2 };
}

function truncated(good: string, random: RandomStream): HardNegative | undefined {
  const words = good.split(/(?<=\s)/);
  if (words.length < 30) return undefined;
  const kept = Math.floor(words.length * (0.4 + 0.25 * random.uniform()));
  const text = words.slice(0, kept).join('').trimEnd();
  // A cut at a sentence's end is an omission, and omissions do not lower the score.
  return /[.!?]["”’)]*$/.test(text) ? { text: text.replace(/\s*\S+$/, ''), score: 4 } : { text, score: 4 };
}

/** One altered sentence is a slip (4), a third of the sentences several distorted points (3), nearly all of them mostly wrong (2). */
function contradicting(good: string, random: RandomStream): HardNegative | undefined {
  const sentences = sentencesOf(good);
  const altered = sentences.map((sentence) => contradicted(sentence, random));
  const possible = random.shuffle(altered.flatMap((text, i) => (text === undefined ? [] : [i])));
  const score = ([4, 3, 2] as const)[random.integer(3)]!;
  const wanted = score === 4 ? 1 : Math.ceil((score === 3 ? 0.35 : 0.75) * sentences.length);
  if (possible.length < wanted || sentences.length < 4) return undefined;
  const chosen = new Set(possible.slice(0, score === 2 ? possible.length : wanted));
  return { text: sentences.map((text, i) => (chosen.has(i) ? altered[i]! : text)).join(' '), score };
}

/** Pairs that say the opposite of each other. */
const OPPOSITES = new Map(
  (
    'more less, most fewest, before after, first last, above below, high low, higher lower, large small, larger smaller, long short, longer shorter, ' +
    'early late, earlier later, hot cold, warm cool, increase decrease, rises falls, rose fell, always never, fast slow, faster slower, light heavy, ' +
    'inside outside, open closed, day night, wet dry, strong weak, old new, north south, east west, summer winter, begins ends, began ended, safe dangerous'
  )
    .split(', ')
    .map((pair) => pair.split(' ') as [string, string])
    .flatMap(([a, b]) => [[a, b] as const, [b, a] as const]),
);
const OPPOSED = new RegExp(`\\b(?:${[...OPPOSITES.keys()].join('|')})\\b`);
const NUMBER = /\d[\d,]*(?:\.\d+)?/;
const NEGATED = / (?:not|never|n['’]t)\b/;
const VERB = /\b(?:is|are|was|were|can|will|should|must|has|have|does|did)\b(?! not)/;

/** The sentence with its first number, opposite or verb turned round; undefined where it has none. */
function contradicted(sentence: string, random: RandomStream): string | undefined {
  if (NUMBER.test(sentence)) return sentence.replace(NUMBER, (number) => otherNumber(number, random));
  if (OPPOSED.test(sentence)) return sentence.replace(OPPOSED, (word) => OPPOSITES.get(word)!);
  if (NEGATED.test(sentence)) return sentence.replace(NEGATED, '');
  return VERB.test(sentence) ? sentence.replace(VERB, (verb) => `${verb} not`) : undefined;
}

function otherNumber(number: string, random: RandomStream): string {
  const value = Number(number.replaceAll(',', ''));
  const isYear = /^1[0-9]{3}$|^20[0-9]{2}$/.test(number);
  const other = isYear ? value - 11 - random.integer(80) : value * (2 + random.integer(4)) + 1;
  return String(Math.round(other * 100) / 100);
}

function sentencesOf(text: string): string[] {
  return text.split(/(?<=[.!?]["”’)]?)\s+/).filter((sentence) => sentence.trim() !== '');
}

function repeated(sentence: string, length: number): string {
  return Array.from({ length: Math.ceil(length / (sentence.length + 1)) }, () => sentence).join(' ');
}

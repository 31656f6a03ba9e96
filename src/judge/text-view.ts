/** A text taken apart once, so that many texts can be compared with one source. */

import { wordGrams, words } from '../corpus/words.ts';
import { keywords } from '../curate/measures/keyword-coverage.ts';

export interface SentenceView {
  /** Distinct keyword stems without numbers. */
  stems: Set<string>;
  numbers: string[];
  negated: boolean;
}

export interface TextView {
  text: string;
  words: string[];
  /** Keyword stems and numbers in order, with repeats. */
  stems: string[];
  stemSet: Set<string>;
  /** Pairs of neighbouring stems. */
  stemPairs: Set<string>;
  /** Runs of three words. */
  wordTriples: Set<string>;
  /** Numerals, `1,400` and `two` alike as digits. */
  numbers: string[];
  /** Capitalised words inside a sentence, lower-cased. */
  names: string[];
  sentences: SentenceView[];
}

export function textView(text: string): TextView {
  const list = words(text);
  const stems = list.flatMap(stemOf);
  return {
    text,
    words: list,
    stems,
    stemSet: new Set(stems),
    stemPairs: new Set(wordGrams(stems, 2)),
    wordTriples: new Set(wordGrams(list, 3)),
    numbers: numbersOf(text),
    names: [...text.matchAll(NAME)].map((match) => match[0].toLowerCase()),
    sentences: sentencesOf(text).map((sentence) => ({
      stems: new Set(
        words(sentence)
          .flatMap(stemOf)
          .filter((stem) => !/^\p{N}/u.test(stem)),
      ),
      numbers: numbersOf(sentence),
      negated: NEGATION.test(sentence),
    })),
  };
}

/** Pairs of stems that the text names within two neighbouring sentences, as `a b` with a < b. */
export function relatedStems(view: TextView): Set<string> {
  const pairs = new Set<string>();
  for (const [i, sentence] of view.sentences.entries())
    for (const pair of pairsOf([...sentence.stems, ...(view.sentences[i + 1]?.stems ?? [])])) pairs.add(pair);
  return pairs;
}

/** All pairs `a b` with a < b of a list of stems. */
export function pairsOf(stems: readonly string[]): string[] {
  return stems.flatMap((a) => stems.filter((b) => a < b).map((b) => `${a} ${b}`));
}

const NAME = /(?<=[\p{Ll},;] )\p{Lu}\p{L}{2,}/gu;

export const NEGATION = /\b(?:not|no|never|none|nothing|without|cannot|nobody|neither|nor|\w+n['’]t)\b/i;

const stemCache = new Map<string, string[]>();

/** The keyword stem of a word, or none for function words. The cache holds a vocabulary, far smaller than the texts. */
function stemOf(word: string): string[] {
  const known = stemCache.get(word);
  if (known) return known;
  const stem = [...keywords(word)];
  stemCache.set(word, stem);
  return stem;
}

function sentencesOf(text: string): string[] {
  return text.split(/(?<=[.!?…:;])\s+|\n+/).filter((sentence) => /\p{L}/u.test(sentence));
}

const SPELLED =
  'two 2 three 3 four 4 five 5 six 6 seven 7 eight 8 nine 9 ten 10 eleven 11 twelve 12 thirteen 13 fourteen 14 fifteen 15 ' +
  'sixteen 16 seventeen 17 eighteen 18 nineteen 19 twenty 20 thirty 30 forty 40 fifty 50 sixty 60 seventy 70 eighty 80 ' +
  'ninety 90 hundred 100 thousand 1000 half 0.5 dozen 12';

const NUMERALS = new Map([...SPELLED.matchAll(/(\w+) (\S+)/g)].map((match) => [match[1]!, match[2]!]));

function numbersOf(text: string): string[] {
  const tokens = text.toLowerCase().match(/\d+(?:[.,]\d+)*|\p{L}+/gu) ?? [];
  return tokens.flatMap((token) => (/\d/.test(token) ? token.replace(/,(?=\d{3})/g, '') : (NUMERALS.get(token) ?? [])));
}

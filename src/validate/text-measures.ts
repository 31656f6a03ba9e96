/** What can be measured of an output without a judge; numbers by name, averaged by arm. */

import { language } from '../corpus/language.ts';
import { words } from '../corpus/words.ts';
import { isLooping } from '../curate/measures/is-looping.ts';
import { keywordCoverage } from '../curate/measures/keyword-coverage.ts';
import type { GenreAudience } from '../stage/stage.ts';

export type Measures = Record<string, number>;

/** Of a reformulation against its source. Shares lie in 0..1; a share of nothing is left out. */
export function reformulationMeasures(text: string, source: string): Measures {
  const own = words(text);
  const given = words(source);
  const written = language(text);
  const wanted = language(source);
  return {
    keyword_coverage: keywordCoverage(text, source),
    ...share('kept_numbers', numbersOf(source), numbersOf(text)),
    ...share('kept_names', namesOf(source), namesOf(text)),
    longest_copied_words: longestCommonRun(own, given),
    length_ratio: given.length > 0 ? own.length / given.length : 0,
    looping: Number(isLooping(text)),
    ...(written !== undefined && wanted !== undefined ? { same_language: Number(written === wanted) } : {}),
  };
}

/** Of five valid pairs: how different they are among themselves (1 - mean overlap of words), and what they share with the teacher's. */
export function pairsMeasures(
  pairs: readonly GenreAudience[],
  teacher: readonly GenreAudience[] | undefined,
): Measures {
  const genres = pairs.map((pair) => new Set(words(pair.genre)));
  const audiences = pairs.map((pair) => new Set(words(pair.audience)));
  return {
    genre_spread: 1 - meanOverlap(genres),
    audience_spread: 1 - meanOverlap(audiences),
    ...(teacher
      ? {
          ...share(
            'teacher_genre_words',
            wordsOfAll(teacher.map((pair) => pair.genre)),
            new Set(genres.flatMap((set) => [...set])),
          ),
          ...share(
            'teacher_audience_words',
            wordsOfAll(teacher.map((pair) => pair.audience)),
            new Set(audiences.flatMap((set) => [...set])),
          ),
        }
      : {}),
  };
}

/** Numbers as they are written, without thousands separators. */
function numbersOf(text: string): Set<string> {
  return new Set([...text.matchAll(/\d[\d,.]*/g)].map(([found]) => found.replace(/,/g, '').replace(/\.$/, '')));
}

/** Capitalised words that do not open a sentence: names, mostly. */
function namesOf(text: string): Set<string> {
  return new Set([...text.matchAll(/(?<=[\p{Ll},;] )\p{Lu}\p{Ll}{2,}/gu)].map(([found]) => found));
}

function wordsOfAll(texts: readonly string[]): Set<string> {
  return new Set(texts.flatMap((text) => words(text)).filter((word) => word.length > 3));
}

function share(name: string, wanted: ReadonlySet<string>, found: ReadonlySet<string>): Measures {
  return wanted.size === 0 ? {} : { [name]: [...wanted].filter((one) => found.has(one)).length / wanted.size };
}

/** Longest run of words that both lists hold, by the table of common suffixes, one row at a time. */
function longestCommonRun(first: readonly string[], second: readonly string[]): number {
  let longest = 0;
  let above = new Uint16Array(second.length + 1);
  for (const word of first) {
    const row = new Uint16Array(second.length + 1);
    for (const [j, other] of second.entries()) {
      if (word !== other) continue;
      row[j + 1] = above[j]! + 1;
      longest = Math.max(longest, row[j + 1]!);
    }
    above = row;
  }
  return longest;
}

/** Mean Jaccard overlap of all pairs of sets. */
function meanOverlap(sets: readonly ReadonlySet<string>[]): number {
  let sum = 0;
  let count = 0;
  for (const [i, first] of sets.entries()) {
    for (const second of sets.slice(i + 1)) {
      const both = [...first].filter((word) => second.has(word)).length;
      sum += both / (first.size + second.size - both || 1);
      count++;
    }
  }
  return count > 0 ? sum / count : 0;
}

/** The words of a text, the unit of every measure here. */

/** Lower-case runs of letters and digits; an apostrophe or a hyphen inside a word splits nothing ("don't", "mid-1980s"). */
export function words(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+(?:['’-][\p{L}\p{M}\p{N}]+)*/gu) ?? [];
}

/** All runs of `n` consecutive words, joined by spaces, in order and with repeats; none where there are fewer words. */
export function wordGrams(list: readonly string[], n: number): string[] {
  return Array.from({ length: Math.max(0, list.length - n + 1) }, (_, start) => list.slice(start, start + n).join(' '));
}

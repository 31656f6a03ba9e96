/** Long documents in parts that fit a prompt, cut between paragraphs where possible. */

import type { SourceDocument } from '../stage/stage.ts';

/**
 * ASCII characters a token has at least, over a chunk. With SmolLM2's tokenizer the recorded documents have 3.8 at the median and
 * 1.9 at worst (a short page of sums), this repository's code 2.5 to 3.5, a lock file 2.2. Of other scripts every byte counts
 * as a token, the most a byte-level tokenizer makes of it: small English vocabularies come close to that.
 */
const ASCII_PER_TOKEN = 2;

/** Where a text may be cut, best first: paragraphs, lines, sentences, words. */
const BORDERS = [/\n[ \t]*\n\s*/g, /\n/g, /(?<=[.!?。！？]["')\]]?)\s*(?=\S)/g, /\s+/g];

/** Upper estimate of a text's tokens, the same for every tokenizer. */
export function tokenEstimate(text: string): number {
  const others = text.match(NOT_ASCII)?.join('') ?? '';
  return Math.ceil((text.length - others.length) / ASCII_PER_TOKEN) + Buffer.byteLength(others);
}

const NOT_ASCII = /[^\p{ASCII}]+/gu;

/**
 * The document itself where it fits; else its parts, with ids `<id>#<chunk_id>` from 1 on. Parts hold `maxTokens` by
 * `tokenEstimate` at most and, joined, give the document's words back in order.
 */
export function chunks(document: SourceDocument, maxTokens: number): SourceDocument[] {
  if (tokenEstimate(document.text) <= maxTokens) return [document];
  return cut(document.text.trim(), maxTokens, 0).map((text, i) => ({
    ...document,
    id: `${document.id}#${i + 1}`,
    text,
  }));
}

/** The id of the document that a chunk belongs to; of a whole document its own. */
export function documentOf(id: string): string {
  return id.replace(/#\d+$/, '');
}

function cut(text: string, maxTokens: number, level: number): string[] {
  if (tokenEstimate(text) <= maxTokens) return [text];
  const border = BORDERS[level];
  if (border === undefined) return hardCut(text, maxTokens);
  const parts: string[] = [];
  let start = 0;
  let end = 0;
  const flush = (until: number) => {
    const part = text.slice(start, until).trim();
    if (part !== '') parts.push(...cut(part, maxTokens, level + 1));
    start = until;
  };
  for (const at of [...Array.from(text.matchAll(border), ({ index, 0: gap }) => index + gap.length), text.length]) {
    if (at === 0) continue;
    if (tokenEstimate(text.slice(start, at).trim()) > maxTokens && end > start) flush(end);
    end = at;
  }
  flush(text.length);
  return parts;
}

/** UTF-8 bytes of a character. */
const MOST_BYTES = 4;

/** A run of characters without any border: never within a surrogate pair. */
function hardCut(text: string, maxTokens: number): string[] {
  const most = Math.max(1, Math.floor(maxTokens / MOST_BYTES));
  const characters = [...text];
  const parts: string[] = [];
  for (let i = 0; i < characters.length; i += most) parts.push(characters.slice(i, i + most).join(''));
  return parts;
}

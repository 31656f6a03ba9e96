/** How documents stand in prompts: always first, so that all samples of a document share their longest part. */

import { sha256 } from '../foundation/hash.ts';
import type { SourceDocument } from './stage.ts';

/** The shared prefix of every student prompt. */
export function studentDocument(document: SourceDocument): string {
  return `Document:\n${document.text}\n\n`;
}

/**
 * A text between marks that it cannot forge, for prompts that treat it as data. The mark is drawn from the hash of what it
 * encloses: a text that contained its own mark would have to contain its own hash; and equal requests stay equal.
 */
export function delimited(name: string, text: string): string {
  const clean = withoutControlCharacters(text);
  const mark = `${name}-${sha256(`${name}\u0000${clean}`).slice(0, 16)}`;
  return `<${mark}>\n${clean}\n</${mark}>`;
}

/**
 * Drops characters that are invisible to a reader but not to a model: controls but tab and newline, bidi marks, tags.
 * The joiners U+200C and U+200D stay: Persian, Indic scripts and emoji are spelled with them.
 */
function withoutControlCharacters(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(/(?![\t\n\u200c\u200d])[\p{Cc}\p{Cf}]/gu, '');
}

/**
 * Pre-tokenizer steps written so that transformers.js splits text as the hub's Rust tokenizers do. Both read the same
 * tokenizer.json, but JavaScript's \s counts U+FEFF as a space and U+0085 as none, and transformers.js's `Digits` knows
 * ASCII digits alone (`x²` and Arabic digits would be cut otherwise than the model was trained).
 */

/** Unicode White_Space, spelled out: what \s means to Rust. */
const SPACE = '\\t-\\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000';

/** Every numeric character a word of its own, as `Digits` with individual_digits means. */
export const ISOLATE_DIGITS = splitBy('\\p{N}');

/** GPT-2's splitting and byte letters, as `ByteLevel` with use_regex means. */
export const BYTE_LEVEL = {
  type: 'Sequence',
  pretokenizers: [
    splitBy(
      `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${SPACE}\\p{L}\\p{N}]+|[${SPACE}]+(?![^${SPACE}])|[${SPACE}]+`,
    ),
    { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
  ],
};

function splitBy(regex: string) {
  return { type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false };
}

/** A parsed tokenizer.json with its inexact steps replaced. */
export function exactTokenizer(json: { readonly pre_tokenizer?: unknown }): object {
  const steps = JSON.stringify(json.pre_tokenizer ?? null);
  return { ...json, pre_tokenizer: JSON.parse(steps, (_key, value: unknown) => exactStep(value)) };
}

function exactStep(value: unknown): unknown {
  const step = value as { type?: string; individual_digits?: boolean; add_prefix_space?: boolean; use_regex?: boolean };
  if (step?.type === 'Digits' && step.individual_digits === true) return ISOLATE_DIGITS;
  const isGpt2 = step?.type === 'ByteLevel' && step.use_regex !== false && step.add_prefix_space === false;
  return isGpt2 ? BYTE_LEVEL : value;
}

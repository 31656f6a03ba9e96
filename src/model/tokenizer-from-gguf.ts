/** The tokenizer inside a GGUF file as tokenizer.json and tokenizer_config.json. */

import { UserError } from '../foundation/errors.ts';
import { type GgufFile, ggufNumberOr, ggufValue } from './gguf.ts';
import { type TokenizerFiles, tokenizerFiles } from './tokenizer-files.ts';

/** `tokenizer.ggml.pre` values whose splitting is known here: is every digit isolated before byte-level BPE? */
const ISOLATES_DIGITS: Readonly<Record<string, boolean>> = { smollm: true, 'gpt-2': false };

/** `tokenizer.ggml.token_type` (llama.h: llama_token_type). */
const CONTROL = 3;
const USER_DEFINED = 4;

/**
 * Converts a byte-level BPE tokenizer ("gpt2" in GGUF's words).
 *
 * @throws UserError naming the metadata field that is not supported: a guess would silently split text otherwise
 */
export function tokenizerFromGguf(file: GgufFile): TokenizerFiles & { readonly padTokenId: number } {
  const model = ggufValue(file, 'tokenizer.ggml.model', 'string');
  const pre = ggufValue(file, 'tokenizer.ggml.pre', 'string');
  const isolateDigits = model === 'gpt2' && Object.hasOwn(ISOLATES_DIGITS, pre) ? ISOLATES_DIGITS[pre] : undefined;
  if (isolateDigits === undefined) {
    throw new UserError(
      `Cannot convert the tokenizer of ${file.path}: tokenizer.ggml.model is "${model}", tokenizer.ggml.pre is "${pre}"`,
      `Supported: "gpt2" with ${Object.keys(ISOLATES_DIGITS).join(' or ')}; use the hub folder of the same model instead`,
    );
  }
  const tokens = ggufValue(file, 'tokenizer.ggml.tokens', 'strings');
  const types = ggufValue(file, 'tokenizer.ggml.token_type', 'numbers');
  const eosTokenId = ggufValue(file, 'tokenizer.ggml.eos_token_id', 'number');
  const padTokenId = ggufNumberOr(file, 'tokenizer.ggml.padding_token_id', eosTokenId);
  const optional = (key: string) => (file.metadata.has(key) ? ggufValue(file, key, 'number') : undefined);
  const added = types.flatMap((type, id) =>
    type === CONTROL || type === USER_DEFINED ? [{ id, special: type === CONTROL }] : [],
  );
  const files = tokenizerFiles({
    tokens,
    merges: ggufValue(file, 'tokenizer.ggml.merges', 'strings'),
    added,
    isolateDigits,
    chatTemplate: file.metadata.has('tokenizer.chat_template')
      ? ggufValue(file, 'tokenizer.chat_template', 'string')
      : undefined,
    bosTokenId: optional('tokenizer.ggml.bos_token_id'),
    eosTokenId,
    padTokenId,
    unkTokenId: optional('tokenizer.ggml.unknown_token_id'),
    maxLength: ggufValue(file, 'llama.context_length', 'number'),
  });
  return { ...files, padTokenId };
}

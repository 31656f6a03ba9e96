/** tokenizer.json and tokenizer_config.json of a byte-level BPE tokenizer, as transformers and transformers.js read them. */

import { BYTE_LEVEL, ISOLATE_DIGITS } from './tokenizer-exact.ts';

export interface ByteLevelBpe {
  /** Token texts by id, in byte-level letters (`Ġ` for a space). */
  readonly tokens: readonly string[];
  /** Merges in order of rank, as `left right`. */
  readonly merges: readonly string[];
  /** Ids of tokens that are recognised in text as they stand; control tokens are `special` (left out when decoding). */
  readonly added: readonly { readonly id: number; readonly special: boolean }[];
  /** Whether every digit is a word of its own (SmolLM). */
  readonly isolateDigits: boolean;
  readonly chatTemplate: string | undefined;
  readonly bosTokenId: number | undefined;
  readonly eosTokenId: number;
  readonly padTokenId: number;
  readonly unkTokenId: number | undefined;
  /** Longest sequence of the model, in tokens. */
  readonly maxLength: number;
}

export interface TokenizerFiles {
  readonly tokenizerJson: Record<string, unknown>;
  readonly tokenizerConfig: Record<string, unknown>;
}

/** Builds the two files. */
export function tokenizerFiles(bpe: ByteLevelBpe): TokenizerFiles {
  const added = bpe.added.map(({ id, special }) => ({
    id,
    content: bpe.tokens[id]!,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special,
  }));
  const text = (id: number | undefined) => (id === undefined ? undefined : bpe.tokens[id]!);
  return {
    tokenizerJson: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: added,
      normalizer: null,
      pre_tokenizer: bpe.isolateDigits ? { type: 'Sequence', pretokenizers: [ISOLATE_DIGITS, BYTE_LEVEL] } : BYTE_LEVEL,
      post_processor: null,
      decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        vocab: Object.fromEntries(bpe.tokens.map((token, id) => [token, id])),
        merges: bpe.merges,
      },
    },
    tokenizerConfig: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      add_prefix_space: false,
      added_tokens_decoder: Object.fromEntries(added.map(({ id, ...token }) => [id, token])),
      bos_token: text(bpe.bosTokenId),
      eos_token: text(bpe.eosTokenId),
      pad_token: text(bpe.padTokenId),
      unk_token: text(bpe.unkTokenId),
      chat_template: bpe.chatTemplate,
      clean_up_tokenization_spaces: false,
      model_max_length: bpe.maxLength,
      // Batches are generated from: the last position must be a real token.
      padding_side: 'left',
    },
  };
}

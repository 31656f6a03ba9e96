/** A model's tokenizer and chat template, from local files alone. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../foundation/errors.ts';
import { readHubConfig, readJson } from './hub-config.ts';
import { exactTokenizer } from './tokenizer-exact.ts';

export interface TokenizerMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** A training sample: the loss is taken on `tokens.slice(promptLength)`. */
export interface ChatSample {
  readonly tokens: number[];
  readonly promptLength: number;
}

export interface Tokenizer {
  /** Token ids of a text as it stands: nothing is put before or after it. */
  encode(text: string): number[];
  /** Token ids of a whole text as models meet them in pre-training: after the token that begins one, where the tokenizer has it. */
  encodeDocument(text: string): number[];
  /** The text of token ids, special tokens left out. */
  decode(ids: readonly number[]): string;
  /** Token ids of a conversation, up to where the assistant's answer begins. */
  chatPrompt(messages: readonly TokenizerMessage[]): number[];
  /**
   * Token ids of a conversation and its answer, up to and including the token that ends the answer, so that a student
   * learns to stop.
   *
   * @throws UserError where the chat template does not continue its own prompt, or does not end an answer
   */
  chatSample(prompt: readonly TokenizerMessage[], completion: readonly TokenizerMessage[]): ChatSample;
  /** Tokens that end a response. */
  readonly eosTokenIds: readonly number[];
  readonly padTokenId: number;
}

/**
 * Loads the tokenizer of a hub-style folder (tokenizer.json, tokenizer_config.json, chat_template.jinja where there is one).
 *
 * @throws UserError where a file is missing or there is no chat template
 */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const json = readJson(join(folder, 'tokenizer.json'));
  const settings = readJson(join(folder, 'tokenizer_config.json')) as Record<string, unknown>;
  const { PreTrainedTokenizer } = await import('@huggingface/transformers');
  const inner = new PreTrainedTokenizer(exactTokenizer(json as object), settings);
  const eosTokenIds = endTokens(folder, inner.eos_token_id);
  const template = chatTemplate(folder, settings);

  const encode = (text: string): number[] => inner.encode(text, { add_special_tokens: false });
  const decode = (ids: readonly number[], skipSpecial: boolean): string => {
    const options = { skip_special_tokens: skipSpecial, clean_up_tokenization_spaces: false };
    return ids.length === 0 ? '' : inner.decode([...ids], options);
  };
  const render = (messages: readonly TokenizerMessage[], withPrompt: boolean): number[] => {
    // Models that think before they answer (Qwen3) are students that do not: their templates then close the thought at once.
    const options = {
      tokenize: false,
      add_generation_prompt: withPrompt,
      chat_template: template,
      enable_thinking: false,
    };
    return encode(inner.apply_chat_template([...messages], options) as string);
  };
  return {
    encode,
    encodeDocument: (text) => inner.encode(text, { add_special_tokens: true }),
    decode: (ids) => decode(ids, true),
    chatPrompt: (messages) => render(messages, true),
    chatSample(prompt, completion) {
      const start = render(prompt, true);
      const whole = render([...prompt, ...completion], false);
      if (start.some((token, i) => whole[i] !== token)) {
        throw new UserError(
          `Cannot make training samples with the chat template of ${folder}: a conversation's tokens do not begin with those of its prompt`,
          'Use a model whose template only appends (ChatML does)',
        );
      }
      const end = whole.findLastIndex((token) => eosTokenIds.includes(token));
      if (end < start.length || decode(whole.slice(end + 1), false).trim() !== '') {
        throw new UserError(
          `Cannot make training samples with the chat template of ${folder}: it does not end an answer with an end token (${eosTokenIds})`,
          'Check eos_token_id in generation_config.json',
        );
      }
      return { tokens: whole.slice(0, end + 1), promptLength: start.length };
    },
    eosTokenIds,
    padTokenId: inner.pad_token_id ?? eosTokenIds[0]!,
  };
}

/** The end tokens the model folder names; the tokenizer's own where it names none. */
function endTokens(folder: string, own: number | undefined): readonly number[] {
  const named = existsSync(join(folder, 'config.json')) ? readHubConfig(folder).eosTokenIds : [];
  if (named.length > 0) return named;
  if (own === undefined) {
    throw new UserError(
      `Cannot use the tokenizer of ${folder}: neither eos_token nor eos_token_id says how answers end`,
    );
  }
  return [own];
}

/** The template in tokenizer_config.json, or in a file of its own as transformers 5 writes it. */
function chatTemplate(folder: string, settings: Record<string, unknown>): string | null {
  const path = join(folder, 'chat_template.jinja');
  if (existsSync(path)) return readFileSync(path, 'utf8');
  if (settings.chat_template !== undefined) return null;
  throw new UserError(
    `Cannot use the tokenizer of ${folder}: tokenizer_config.json has no chat_template`,
    'Use the instruct version of the model, or add chat_template.jinja to its folder',
  );
}

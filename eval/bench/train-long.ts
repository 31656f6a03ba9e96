/** Long samples: seconds a token of one with 8,192 tokens over that of one with 1,024, against the ratio of their operations. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readHubConfig } from '../../src/model/hub-config.ts';
import { loadTokenizer, type Tokenizer } from '../../src/model/tokenizer.ts';
import { loraStepFlops } from './train-flops.ts';
import { trainOwn } from './train-own.ts';

/** The long sample is so many times as long as the short one. */
const TIMES = 8;
/** The second step has the first one's graphs. */
const EPOCHS = 2;
const RANK = 16;

export interface LongRun {
  tokens: number;
  completion_tokens: number;
  s_per_token: number;
  peak_rss_gb: number;
}

/**
 * @param half tokens of the long sample's prompt, and of its response
 * @param settings of the training
 */
export async function measureLong(model: string, texts: string, half: number, settings: readonly string[]) {
  const config = readHubConfig(model);
  const tokenizer = await loadTokenizer(model);
  const words = readFileSync(texts, 'utf8')
    .split('\n')
    .filter(Boolean)
    .flatMap((line) => (JSON.parse(line) as { prompt: { content: string }[] }).prompt[0]!.content.split(' '));
  const folder = mkdtempSync(join(tmpdir(), 'mga-long-'));
  try {
    const run = async (size: number): Promise<LongRun> => {
      const sample = sampleOf(words, size, tokenizer);
      const { tokens, promptLength } = tokenizer.chatSample(sample.prompt, sample.completion);
      const path = join(folder, `${size}.jsonl`);
      writeFileSync(path, `${JSON.stringify({ ...sample, id: 'long', doc_id: 'long' })}\n`);
      const limits = [`maxTokens=${tokens.length}`, `epochs=${EPOCHS}`, `lora={rank: ${RANK}, alpha: ${2 * RANK}}`];
      const { last_step_s_per_token, peak_rss_gb } = await trainOwn(path, undefined, [...settings, ...limits]);
      const completion_tokens = tokens.length - promptLength;
      const result = { tokens: tokens.length, completion_tokens, s_per_token: last_step_s_per_token, peak_rss_gb };
      console.error(`long: ${JSON.stringify(result)}`);
      return result;
    };
    const short = await run(Math.round(half / TIMES));
    const long = await run(half);
    const flops = (one: LongRun) => loraStepFlops(config, one.tokens, one.completion_tokens, RANK) / one.tokens;
    const time_ratio = long.s_per_token / short.s_per_token;
    const flops_ratio = flops(long) / flops(short);
    return { short, long, time_ratio, flops_ratio, ratio: time_ratio / flops_ratio };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Words as they come, until prompt and response have at least `half` tokens each. */
function sampleOf(words: readonly string[], half: number, tokenizer: Tokenizer) {
  const messages = (role: 'user' | 'assistant', from: number, count: number) => {
    const text = Array.from({ length: count }, (_, i) => words[(from + i) % words.length]!).join(' ');
    return [{ role, content: text }];
  };
  const lengths = (asked: number, told: number) => {
    const { tokens, promptLength } = tokenizer.chatSample(
      messages('user', 0, asked),
      messages('assistant', asked, told),
    );
    return { prompt: promptLength, completion: tokens.length - promptLength };
  };
  const asked = leastCount(half, (count) => lengths(count, 1).prompt);
  const told = leastCount(half, (count) => lengths(asked, count).completion);
  return { prompt: messages('user', 0, asked), completion: messages('assistant', asked, told) };
}

/** The least number of words that gives so many tokens; a word is a token at least. */
function leastCount(wanted: number, tokensOf: (count: number) => number): number {
  let [low, high] = [1, wanted];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (tokensOf(middle) >= wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}

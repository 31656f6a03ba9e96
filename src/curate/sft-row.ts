/** A training sample: a conversation up to the answer, and the answer. TRL calls the shape "conversational prompt-completion". */

import { UserError } from '../foundation/errors.ts';
import type { ChatMessage } from '../stage/stage.ts';

export interface SftRow {
  /** Unique within its set. */
  id: string;
  /** The document the sample was made from; samples of one document share a prompt prefix. */
  doc_id: string;
  /** The stage it teaches; `sft` for a user's own rows. */
  stage: string;
  prompt: ChatMessage[];
  completion: ChatMessage[];
  /** Judge score, 1..5. */
  score?: number;
  /** Of a completion that is a score: shares of the scores 1 to 5 `[5]`, the target at the score's token instead of the score alone. */
  distribution?: number[];
  genre?: string;
  audience?: string;
}

const ROLES: readonly string[] = ['system', 'user', 'assistant'];

/**
 * Checks that a value read from outside is a row. Missing ids become `row-<number>`, a missing document the row's own id.
 *
 * @param where file and line for the error message
 * @param number 1-based position, for the default id
 * @throws UserError naming the field
 */
export function toSftRow(value: unknown, where: string, number: number): SftRow {
  const fail = (found: string): never => {
    throw new UserError(`Cannot read training row at ${where}: ${found}`, SHAPE_HINT);
  };
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return fail('it is no JSON object');
  const fields = value as Record<string, unknown>;
  const text = (key: string): string | undefined => {
    const found = fields[key];
    if (found === undefined || found === null) return undefined;
    return typeof found === 'string' ? found : fail(`"${key}" is no text`);
  };
  const messages = (key: 'prompt' | 'completion'): ChatMessage[] => {
    const list = fields[key];
    if (!Array.isArray(list) || list.length === 0) return fail(`"${key}" is no list of messages`);
    return list.map((message: unknown, i) => {
      const { role, content } = (message ?? {}) as Record<string, unknown>;
      if (!ROLES.includes(role as string)) return fail(`"${key}[${i}].role" is ${JSON.stringify(role) ?? 'missing'}`);
      if (typeof content !== 'string') return fail(`"${key}[${i}].content" is no text`);
      return { role: role as ChatMessage['role'], content };
    });
  };
  const id = text('id') ?? `row-${number}`;
  const row: SftRow = {
    id,
    doc_id: text('doc_id') ?? id,
    stage: text('stage') ?? 'sft',
    prompt: messages('prompt'),
    completion: messages('completion'),
  };
  if (row.completion.some(({ role }) => role !== 'assistant'))
    fail('"completion" holds a message that is not the assistant\'s');
  if (typeof fields.score === 'number') row.score = fields.score;
  const distribution = distributionOf(fields.distribution, fail);
  if (distribution !== undefined) row.distribution = distribution;
  const [genre, audience] = [text('genre'), text('audience')];
  if (genre !== undefined) row.genre = genre;
  if (audience !== undefined) row.audience = audience;
  return row;
}

const LEVELS = 5;
/** How far shares may be from adding up to 1: rounded decimals. */
const ROUNDED = 0.01;

function distributionOf(value: unknown, fail: (found: string) => never): number[] | undefined {
  if (value === undefined || value === null) return undefined;
  const isShare = (one: unknown) => typeof one === 'number' && one >= 0;
  if (!Array.isArray(value) || value.length !== LEVELS || !value.every(isShare)) {
    return fail('"distribution" is no list of five shares, of the scores 1 to 5');
  }
  const shares = value as number[];
  const total = shares.reduce((sum, share) => sum + share, 0);
  return Math.abs(total - 1) > ROUNDED ? fail(`the shares of "distribution" add up to ${total}, not to 1`) : shares;
}

const SHAPE_HINT =
  'A row is {"prompt": [{"role": "user", "content": "..."}], "completion": [{"role": "assistant", "content": "..."}]}, with "id", "doc_id" and "stage" if you have them';

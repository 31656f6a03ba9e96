/** The Batch API of OpenAI and of servers that speak it: a file of requests, a job, files of results. */

import type OpenAI from 'openai';
import { APIError, toFile } from 'openai';
import { z } from 'zod';
import { chatBody, type LimitName } from './chat-body.ts';
import { completionOf, excerpt } from './chat-completion.ts';
import { failureOf } from './openai-failure.ts';
import {
  BATCH_WINDOW_HOURS,
  type BatchClient,
  type BatchResult,
  TeacherFailure,
  type TeacherRequest,
  type TeacherResponse,
} from './teacher.ts';

/** Where our key stands in a job's metadata. */
const METADATA_KEY = 'mga_key';

const ENDPOINT = '/v1/chat/completions';

/** Clocks of client and server may differ: jobs this much older than their plan are still looked at. */
const CLOCK_DIFFERENCE_MS = 24 * 3_600_000;

const ENDED = new Set(['completed', 'expired', 'failed', 'cancelled']);

/** A line of a result file. */
const resultLine = z.object({
  custom_id: z.string(),
  response: z.object({ status_code: z.number(), body: z.unknown() }).nullish(),
  error: z.object({ code: z.string().nullish(), message: z.string().nullish() }).nullish(),
});

interface BatchServer {
  client: OpenAI;
  model: string;
  limit: LimitName;
  apiKeyEnv: string;
}

export function openaiBatches({ client, model, limit, apiKeyEnv }: BatchServer): BatchClient {
  const failed = (error: unknown) => (error instanceof TeacherFailure ? error : failureOf(error, { apiKeyEnv }));
  const passing = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      throw failed(error);
    }
  };
  const outcomeOf = (line: z.output<typeof resultLine>, request: TeacherRequest): TeacherResponse => {
    const { response, error } = line;
    if (!response) {
      throw new TeacherFailure(`failed in its batch: ${error?.code ?? error?.message ?? 'no reason given'}`, 'retry');
    }
    if (response.status_code === 200) return completionOf(response.body, request, model, 0);
    throw APIError.generate(response.status_code, response.body as object, undefined, new Headers());
  };
  return {
    create: (key, requests, structured) =>
      passing(async () => {
        const lines = requests.map((request) => {
          const body = chatBody(request, model, limit, structured);
          return `${JSON.stringify({ custom_id: request.key, method: 'POST', url: ENDPOINT, body })}\n`;
        });
        const file = await toFile(Buffer.from(lines.join('')), `${key.slice(0, 16)}.jsonl`);
        const uploaded = await client.files.create({ file, purpose: 'batch' });
        const batch = await client.batches.create(
          {
            input_file_id: uploaded.id,
            endpoint: ENDPOINT,
            completion_window: `${BATCH_WINDOW_HOURS}h` as const,
            metadata: { [METADATA_KEY]: key },
          },
          { headers: { 'Idempotency-Key': key } },
        );
        return batch.id;
      }),
    find: (key, since) =>
      passing(async () => {
        const oldest = (Date.parse(since) - CLOCK_DIFFERENCE_MS) / 1000;
        for await (const batch of client.batches.list({ limit: 100 })) {
          if (batch.metadata?.[METADATA_KEY] === key) return batch.id;
          if (batch.created_at < oldest) return undefined;
        }
        return undefined;
      }),
    state: (id) =>
      passing(async () => {
        const { status, output_file_id, error_file_id, errors } = await client.batches.retrieve(id);
        const problem = errors?.data?.[0];
        return {
          ended: ENDED.has(status),
          outcome: status,
          files: [output_file_id, error_file_id].flatMap((file) => file || []),
          ...(problem ? { problem: { code: problem.code ?? '', message: excerpt(problem.message ?? '') } } : {}),
        };
      }),
    async *results(file, requests): AsyncGenerator<BatchResult> {
      const text = await passing(async () => (await client.files.content(file)).text());
      for (const line of text.split('\n')) {
        if (line.trim() === '') continue;
        const parsed = resultLine.safeParse(jsonOf(line));
        if (!parsed.success) {
          throw new TeacherFailure(`a line of the results is no result: ${excerpt(line)}`, 'retry');
        }
        const key = parsed.data.custom_id;
        const request = requests.get(key);
        if (request === undefined) continue;
        try {
          yield { key, outcome: outcomeOf(parsed.data, request) };
        } catch (error) {
          yield { key, outcome: failed(error) };
        }
      }
    },
  };
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

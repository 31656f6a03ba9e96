/** An arm behind an OpenAI-compatible server: asked on the path of `collect`, so that each answer is in the ledger and paid once. */

import { setTimeout as sleep } from 'node:timers/promises';
import { askAll } from '../collect/asker.ts';
import type { Job } from '../collect/job.ts';
import { Provider } from '../collect/provider.ts';
import { errorMessage, InterruptedError, UserError } from '../foundation/errors.ts';
import { contentHash } from '../foundation/hash.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { Recipe } from '../recipe/schema.ts';
import { Ledger, ResponseReader } from '../store/ledger.ts';
import type { ResponseLine } from '../store/ledger-lines.ts';
import { openaiTeacher } from '../teacher/openai.ts';
import { priceOf } from '../teacher/price.ts';
import type { ArmAnswer, ArmTask } from './arm-task.ts';
import { type ServerArm, serverName, serverTemperature } from './table-arm.ts';

/** A server that is there says something by then. */
const FIRST_ANSWER_MS = 10_000;

/** Where `openaiTeacher` finds the base URL: it reads environments, and an arm's URL stands in the recipe. */
const URL_NAME = 'baseUrl';

/**
 * Passes where the server can be reached and does not refuse the key. Asks for its list of models, which costs nothing; what it
 * lists does not matter, since many servers list other names than those they answer to.
 *
 * @throws UserError
 */
export async function checkServer(server: ServerArm, recipe: Recipe, signal: AbortSignal): Promise<void> {
  const { baseUrl, apiKeyEnv, model } = server;
  const key = process.env[apiKeyEnv];
  if (!key) {
    throw new UserError(
      `the environment variable ${apiKeyEnv} is not set`,
      `export ${apiKeyEnv}=..., or name another one as apiKeyEnv of the arm (any text will do for servers without keys)`,
    );
  }
  if (recipe.budget.usd !== undefined && priceOf(serverSettings(server)) === undefined) {
    throw new UserError(
      `no price is known for ${model}, so that budget.usd cannot be kept to`,
      'Give the arm a price, or leave budget.usd out',
    );
  }
  const refused = await fetch(`${baseUrl.replace(/\/+$/, '')}/models`, {
    headers: { authorization: `Bearer ${key}` },
    signal: AbortSignal.any([signal, AbortSignal.timeout(FIRST_ANSWER_MS)]),
  }).then(
    async (response) => {
      await response.body?.cancel();
      return response.status === 401 || response.status === 403;
    },
    (error: unknown) => {
      if (signal.aborted) throw new InterruptedError();
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
      throw new UserError(`${baseUrl} does not answer (${errorMessage(cause)})`, 'Start the server, or mend baseUrl');
    },
  );
  if (refused) throw new UserError(`${baseUrl} refuses the key in ${apiKeyEnv}`, 'Put a valid key there');
}

/**
 * The answers to a task's prompts: those the ledger holds at once, the others as they come. A prompt the server refuses for good
 * has an empty answer, which counts against the arm.
 *
 * @throws UserError where requests failed in passing: a table with holes would say something of the connection, not of the model
 */
export async function* askServer(
  task: ArmTask,
  server: ServerArm,
  { signal }: RunContext,
): AsyncGenerator<ArmAnswer, void, undefined> {
  const { recipe, folder, finished } = task;
  const jobs = jobsOf(task, server);
  const items = new Map<string, string[]>();
  for (const [item, { request }] of jobs) items.set(request.key, [...(items.get(request.key) ?? []), item]);
  const answersOf = (line: ResponseLine): ArmAnswer[] =>
    items.get(line.key)!.map((item) => ({
      item,
      text: finished?.(line.text) ?? line.text,
      stopped: line.finishReason !== 'length',
      tokens: line.usage.completionTokens,
      seconds: line.latencyMs / 1000,
    }));

  const ledger = await Ledger.open(folder.ledger);
  const left = new AbortController();
  const came: ArmAnswer[] = [];
  let asking: Promise<unknown> | undefined;
  try {
    const reader = new ResponseReader(folder.ledger);
    try {
      for (const key of items.keys()) {
        const position = ledger.index.responses.get(key);
        if (position !== undefined) came.push(...answersOf(reader.read(position)));
      }
    } finally {
      reader.close();
    }
    yield* came.splice(0);
    let failure: unknown;
    let done = false;
    let wake = () => {};
    const { failures, responses } = ledger.index;
    const missing = [...jobs.values()].filter(
      ({ request: { key } }) => !responses.has(key) && !failures.get(key)?.final,
    );
    asking = askAll(() => missing, {
      recipe: { ...recipe, teacher: serverSettings(server) },
      providers: [providerOf(server, recipe)],
      ledger,
      signal: AbortSignal.any([signal, left.signal]),
      wait: async (ms, stop) => void (await sleep(ms, undefined, { signal: stop })),
      now: () => new Date(),
      onResponse: (_, line) => {
        came.push(...answersOf(line));
        wake();
      },
      onFailure: () => {},
      // It has one provider, which is never set aside beside another.
      warn: () => {},
    })
      .catch((error: unknown) => {
        failure = error;
      })
      .then(() => {
        done = true;
        wake();
      });
    while (!done || came.length > 0) {
      yield* came.splice(0);
      if (done || came.length > 0) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    if (failure !== undefined) throw failure;
    const failed = [...items.keys()].flatMap((key) => failures.get(key) ?? []);
    const passing = failed.filter(({ final }) => !final);
    if (passing.length > 0) {
      throw new UserError(
        `Cannot validate arm ${task.arm}: ${passing.length} of ${items.size} requests failed, the last one with: ${passing.at(-1)!.reason}`,
        'Run the same command again: everything answered so far is kept and not asked again',
      );
    }
    for (const { key } of failed) {
      yield* items.get(key)!.map((item) => ({ item, text: '', stopped: false, tokens: 0, seconds: 0 }));
    }
  } finally {
    // Whoever takes the answers may have stopped taking them.
    left.abort();
    await asking;
    await ledger.close();
  }
}

function jobsOf({ stage, arm, prompt, prompts }: ArmTask, server: ServerArm): Map<string, Job> {
  const model = serverName(server);
  const promptVersion = `validate-${prompt}`;
  const { name, maxTokens, responseSchema } = stage;
  const params = { temperature: serverTemperature(stage, server), maxTokens };
  const schema = prompt === 'teacher' && responseSchema !== undefined ? { schema: responseSchema } : {};
  return new Map(
    prompts.map(({ item, docId, messages }) => {
      const key = contentHash({ stage: name, promptVersion, model, params, messages });
      // The teacher's answer to the same input has the item's own name.
      const request = { key, stage: name, docId, item: `${item}@${arm}`, messages, params, ...schema };
      return [item, { request, promptVersion }];
    }),
  );
}

/** An arm as a section `teacher`: what limits and prices are read from. */
export function serverSettings({ model, apiKeyEnv, temperature, price }: ServerArm) {
  return {
    kind: 'openai' as const,
    model,
    baseUrlEnv: URL_NAME,
    apiKeyEnv,
    temperature,
    structured: true,
    batch: false,
    ...(price === undefined ? {} : { price }),
  };
}

function providerOf(server: ServerArm, { collect }: Recipe): Provider {
  const settings = serverSettings(server);
  const environment = { ...process.env, [URL_NAME]: server.baseUrl };
  const teacher = openaiTeacher(settings, { timeoutMs: collect.timeoutSeconds * 1000, environment });
  const { concurrency } = collect;
  return new Provider({ teacher: { ...teacher, name: serverName(server) }, settings, concurrency });
}

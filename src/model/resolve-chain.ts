/** The first place that has a model: places are asked in order, and what each of them said is kept for the error. */

import { errorMessage, InterruptedError, UserError } from '../foundation/errors.ts';
import type { Emit } from '../foundation/events.ts';

/** A model on this machine. */
export interface ResolvedModel {
  /** Students: config.json, safetensors, tokenizer.json, tokenizer_config.json; embedders: ONNX instead of safetensors. */
  readonly folder: string;
  /** Where the weights came from, for people. */
  readonly source: string;
  /** Of the file the weights came from (of all of them where they are several). */
  readonly sha256: string;
}

export interface ResolveContext {
  readonly emit: Emit;
  readonly signal?: AbortSignal;
}

export interface ModelPlace {
  /** For people. */
  readonly name: string;
  /** @throws a plain Error where the place has no such model; a UserError where it has one that must not be used */
  fetch(): Promise<ResolvedModel>;
}

/**
 * @throws UserError saying what was found at each place
 * @throws InterruptedError
 */
export async function fromFirstPlace(
  model: string,
  places: readonly ModelPlace[],
  { emit, signal }: ResolveContext,
): Promise<ResolvedModel> {
  const failures: string[] = [];
  for (const place of places) {
    try {
      return await place.fetch();
    } catch (error) {
      if (signal?.aborted) throw new InterruptedError();
      if (error instanceof UserError) throw error;
      failures.push(`${place.name}: ${rootCause(error)}`);
      emit({ type: 'log', level: 'info', message: `${model} not from ${failures.at(-1)}` });
    }
  }
  throw new UserError(
    `Cannot find the model ${model}: ${failures.join('; ')}`,
    'Go online once, set HF_ENDPOINT to a mirror, or give the path of a local copy',
  );
}

/** The message at the bottom of a chain of causes: fetch says only "fetch failed" at the top. */
function rootCause(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? rootCause(error.cause) : errorMessage(error);
}

/** What the training of a student is planned from: a model that is here, or one of which only the sizes are known. */

import type { SftRow } from '../../curate/sft-row.ts';
import { type TokenSample, tokenizeRows } from '../../engine/token-samples.ts';
import { contentHash } from '../../foundation/hash.ts';
import type { RunContext } from '../../foundation/run-context.ts';
import type { ModelConfig } from '../../model/config.ts';
import { readHubConfig } from '../../model/hub-config.ts';
import { isBareConfig, knownSizes } from '../../model/known-sizes.ts';
import { findLocalModel } from '../../model/resolve.ts';
import { loadTokenizer } from '../../model/tokenizer.ts';
import { MEASURED_LAYERS, measureShape } from '../../train/measure-shape.ts';
import { measureSpeed } from '../../train/measure-speed.ts';
import type { MemoryPlan } from '../../train/memory-plan.ts';
import type { StudentJob } from '../../train/train.ts';
import { standInTokens } from './stand-in-tokens.ts';

export interface PlanBase {
  readonly config: ModelConfig;
  /** A measured speed is kept under it. */
  readonly identity: string;
  /** What a speed is measured on, where that is not the model itself. */
  readonly measuredOn?: string;
  /** Rows that are not too long. */
  tokenized(rows: readonly SftRow[], maxTokens: number): readonly TokenSample[];
  /** Seconds of steps a data-set token. @param memory how the training is laid out */
  measure(job: StudentJob, memory: Pick<MemoryPlan, 'keptLayers' | 'lanes'>, context: RunContext): Promise<number>;
}

/** Undefined where the model is not here and its sizes are not known. Fetches nothing. */
export async function findPlanBase(model: string, context: RunContext): Promise<PlanBase | undefined> {
  const local = isBareConfig(model) ? undefined : await findLocalModel(model, context);
  if (local === undefined) {
    const config = knownSizes(model);
    return config && sizesBase(config);
  }
  const tokenizer = await loadTokenizer(local.folder);
  return {
    config: readHubConfig(local.folder),
    identity: local.sha256,
    tokenized: (rows, maxTokens) => tokenizeRows(rows, tokenizer, maxTokens).samples,
    measure: (job, _, measuring) => measureSpeed(job, measuring),
  };
}

function sizesBase(config: ModelConfig): PlanBase {
  const tokenized = (rows: readonly SftRow[], maxTokens: number) => standInTokens(rows, config.vocabSize, maxTokens);
  return {
    config,
    identity: contentHash({ sizes: config }),
    measuredOn: `random weights of ${MEASURED_LAYERS} of ${config.layers} layers and the head, counted for all layers`,
    tokenized,
    measure: ({ train, settings, seed }, { keptLayers, lanes }, { signal }) =>
      measureShape(config, tokenized(train, settings.maxTokens), settings, { seed, keptLayers, lanes, signal }),
  };
}

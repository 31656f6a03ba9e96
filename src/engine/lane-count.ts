/** Into how many lanes an engine divides its work. */

import { availableParallelism } from 'node:os';
import type { ModelConfig } from '../model/config.ts';
import type { SessionSettings } from '../onnx/session.ts';

/** Each lane beyond the first holds a copy of the weights, and the first one's thread copies what the others read and write. */
const MOST_LANES = 4;
/** Products of fewer weights are over before another thread would have begun: a block of 256 rows takes 1 ms. */
const LEAST_WEIGHTS = 2 ** 18;

export interface LaneSettings extends SessionSettings {
  /** Default: a lane for each thread, up to four; one for small models and on devices other than the CPU. */
  readonly lanes?: number;
}

export function laneCount({ lanes, device = 'cpu', threads }: LaneSettings, config: ModelConfig): number {
  if (lanes !== undefined) return lanes;
  const isSmall = config.hiddenSize * config.intermediateSize < LEAST_WEIGHTS;
  if (isSmall || device !== 'cpu') return 1;
  return Math.min(threads ?? availableParallelism(), MOST_LANES);
}

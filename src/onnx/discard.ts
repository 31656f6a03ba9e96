/** Memory that is given back at once. */

import { MessageChannel } from 'node:worker_threads';
import type { Tensor } from '../graph/value.ts';

const { port1: nowhere } = new MessageChannel();
nowhere.close();

/**
 * Frees the memory of tensors that nobody reads any more; their arrays are empty afterwards. The garbage collector would come for
 * it too, but a pass makes gigabytes of such arrays: it came 130 times a step and took two fifths of a core (docs/log.md).
 * What is transferred to a closed port is gone (HTML, "message port post message steps").
 */
export function discard(tensors: Iterable<Tensor>): void {
  const buffers = new Set<ArrayBuffer>();
  for (const { data } of tensors) buffers.add(data.buffer as ArrayBuffer);
  nowhere.postMessage(undefined, [...buffers]);
}

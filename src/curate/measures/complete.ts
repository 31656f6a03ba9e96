/** The `complete` column of the table. */

import { isLooping } from './is-looping.ts';

/** Whether an output stopped by itself (`stopped`) and is not caught in a loop. */
export function complete(text: string, stopped: boolean): boolean {
  return stopped && text.trim() !== '' && !isLooping(text);
}

/** What every stage command is given besides its recipe: where to tell of progress, and when to stop. */

import type { Emit } from './events.ts';

export interface RunContext {
  readonly emit: Emit;
  /** Aborted on Ctrl-C: finish the unit of work at hand, keep everything, throw InterruptedError. */
  readonly signal: AbortSignal;
}

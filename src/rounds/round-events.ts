/** Events of a round's commands say which round they belong to. */

import type { RunEvent } from '../foundation/events.ts';
import type { RunContext } from '../foundation/run-context.ts';

/** The context in which the commands of a round are run. */
export function ofRound(round: number, { emit, signal }: RunContext): RunContext {
  return { signal, emit: (event) => emit(told(`round ${round}: `, event)) };
}

function told(prefix: string, event: RunEvent): RunEvent {
  switch (event.type) {
    case 'command-start':
      return { ...event, detail: prefix + event.detail };
    case 'command-end':
      return { ...event, summary: prefix + event.summary };
    case 'command-skip':
      return { ...event, reason: prefix + event.reason };
    default:
      return event;
  }
}

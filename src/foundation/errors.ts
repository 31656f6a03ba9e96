/** The errors a user can act on. Everything else that is thrown is a bug of ours and keeps its stack trace. */

/**
 * An error the user can fix: the command line prints `message` and `hint`, without a stack trace, and exits with code 1.
 *
 * @param message what was attempted and what was found: `Cannot <verb> <object>: <found>`
 * @param hint what to do about it
 */
export class UserError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'UserError';
    this.hint = hint;
  }
}

/** Thrown when the user (Ctrl-C) or a caller stopped the work after a checkpoint; the command line exits with code 130. */
export class InterruptedError extends Error {
  constructor(message = 'Stopped on request') {
    super(message);
    this.name = 'InterruptedError';
  }
}

/** The message of anything thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

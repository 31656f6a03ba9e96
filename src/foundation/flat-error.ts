/** Errors between threads, which a class does not cross. */

import { InterruptedError, UserError } from './errors.ts';

/** An error without its class. */
export interface FlatError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly hint?: string | undefined;
}

export function flattenError(error: unknown): FlatError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message, stack } = error;
  return { name, message, stack, hint: error instanceof UserError ? error.hint : undefined };
}

/** The error that flattenError() was given, of the same class where it is one of our own. */
export function reviveError({ name, message, stack, hint }: FlatError): Error {
  if (name === 'InterruptedError') return new InterruptedError(message);
  if (name === 'UserError') return new UserError(message, hint);
  return Object.assign(new Error(message), { name, stack });
}

/**
 * Chat completions that OpenAI stored: the completion object, with the messages it answered beside it, as a list
 * (`messages`), as the page the API gives (`messages.data`), or in the request (`request.messages`).
 */

/** The row-like value of a stored completion; undefined for records of other formats. */
export function decodeStoredCompletion(record: Record<string, unknown>): Record<string, unknown> | undefined {
  const { id, choices, messages, request } = record;
  if (!Array.isArray(choices)) return undefined;
  const { message } = (choices[0] ?? {}) as Record<string, unknown>;
  const asked =
    list(messages) ??
    list(field(messages, 'data')) ??
    list(field(request, 'messages')) ??
    list(field(request, 'input'));
  return { id, prompt: asked, completion: [{ role: 'assistant', content: field(message, 'content') }] };
}

function list(value: unknown): unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

function field(value: unknown, name: string): unknown {
  return value !== null && typeof value === 'object' ? (value as Record<string, unknown>)[name] : undefined;
}

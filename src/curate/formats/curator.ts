/** Response lines of Bespoke Curator (responses_<n>.jsonl): the request's messages and the response beside them. */

/** The row-like value of a Curator response; undefined for records of other formats. Structured responses become their JSON. */
export function decodeCurator(record: Record<string, unknown>): Record<string, unknown> | undefined {
  const { generic_request: request, response_message: response } = record;
  if (request === null || typeof request !== 'object' || response === undefined || response === null) return undefined;
  const { messages, original_row_idx: index } = request as Record<string, unknown>;
  const content = typeof response === 'string' ? response : JSON.stringify(response);
  return {
    ...(index === undefined ? {} : { id: `curator-${String(index)}` }),
    prompt: messages,
    completion: [{ role: 'assistant', content }],
  };
}

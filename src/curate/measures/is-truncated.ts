/** Whether a text breaks off before its end. */

/** What may close a text: sentence marks, brackets, quotation marks, Markdown emphasis, rules and table bars. */
const CLOSED = /[.!?…。！？।؟)\]}"'”’»›*_`|>~=\p{Extended_Pictographic}–—-]$/u;

/** Longer last lines are running prose; shorter ones may be a signature, a line of verse or an item of a list. */
const LONGEST_SIGNATURE = 80;

/** A line ending in one of these has lost its rest, however short it is. */
const DANGLING =
  /\s(?:a|an|the|and|or|but|of|to|in|at|with|for|from|that|which|who|is|are|was|were|has|have|had|if|because|than|by|my|your|their|its|our|also)$|[,:;]$/;

/**
 * True where the response was cut at its token limit (finish reason `length`), or its last line lost its rest: it ends in a
 * word or mark that asks for more, or it is a long line without a closing mark.
 */
export function isTruncated(text: string, finishReason?: string | null): boolean {
  if (finishReason === 'length') return true;
  const last = text.trimEnd().split('\n').at(-1)!;
  if (DANGLING.test(last)) return true;
  return last.length > LONGEST_SIGNATURE && !CLOSED.test(last);
}

/** Lenient reading of what an LLM answers where JSON was asked for: think tags, fences, talk around it, small syntax errors. */

import { jsonrepair } from 'jsonrepair';

/** A response without its reasoning: `<think>` blocks are dropped, also where only the closing tag was sent. */
export function withoutThinking(response: string): string {
  const closed = response.replace(/<think(?:ing)?>[\s\S]*?<\/think(?:ing)?>/gi, '');
  const end = closed.match(/^[\s\S]*<\/think(?:ing)?>/i);
  return end ? closed.slice(end[0].length) : closed;
}

/**
 * The JSON objects a response may mean, best guess first: fenced blocks, then balanced braces, then first to last brace.
 * Text that a closing brace never follows was cut off and gives nothing: a repaired half would pass as whole.
 */
export function* responseObjects(response: string): Generator<Record<string, unknown>> {
  const seen = new Set<string>();
  for (const candidate of candidates(withoutThinking(response))) {
    if (seen.has(candidate)) continue;
    seen.add(candidate);
    const value = parseLeniently(candidate);
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) yield value as Record<string, unknown>;
  }
}

function* candidates(text: string): Generator<string> {
  for (const fence of text.matchAll(/```[a-z0-9]*\s*\n([\s\S]*?)```/gi)) yield* braced(fence[1]!);
  yield* braced(text);
}

function* braced(text: string): Generator<string> {
  yield* balanced(text);
  const first = text.indexOf('{');
  const last = text.lastIndexOf('}');
  if (first >= 0 && last > first) yield text.slice(first, last + 1);
}

/** A response up to the end of its first whole JSON object; undefined while there is none. */
export function firstObject(response: string): string | undefined {
  const object = balanced(response).next().value;
  return object && response.slice(0, response.indexOf(object) + object.length);
}

/** Top-level `{...}` spans, braces inside strings ignored. */
function* balanced(text: string): Generator<string, undefined> {
  let depth = 0;
  let start = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (inString) {
      if (char === '\\') i++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = depth > 0;
    else if (char === '{') {
      if (depth++ === 0) start = i;
    } else if (char === '}' && depth > 0 && --depth === 0) yield text.slice(start, i + 1);
  }
}

function parseLeniently(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {}
  try {
    return JSON.parse(jsonrepair(text));
  } catch {
    return undefined;
  }
}

/** HTML as values: a tagged template that escapes everything which is not markup already. */

/** Text that is valid HTML. Only `html` and `trusted` make it. */
export interface Markup {
  readonly markup: string;
}

type Insert = string | number | Markup | null | undefined | false | readonly Insert[];

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** `text` safe as element content and as a quoted attribute. Control characters that HTML forbids are dropped. */
export function escapeHtml(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to be dropped
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '').replace(/[&<>"']/g, (c) => ENTITIES[c]!);
}

/** Markup from a source we wrote ourselves (style, script, server-rendered SVG); never for text from a run. */
export function trusted(markup: string): Markup {
  return { markup };
}

/** Builds markup; inserted strings and numbers are escaped, lists joined, `null`, `undefined` and `false` left out. */
export function html(parts: TemplateStringsArray, ...inserts: Insert[]): Markup {
  let markup = parts[0]!;
  inserts.forEach((insert, i) => {
    markup += insertText(insert) + parts[i + 1]!;
  });
  return { markup };
}

function insertText(insert: Insert): string {
  if (insert === null || insert === undefined || insert === false) return '';
  if (typeof insert === 'string') return escapeHtml(insert);
  if (typeof insert === 'number') return String(insert);
  if ('markup' in insert) return insert.markup;
  return insert.map(insertText).join('');
}

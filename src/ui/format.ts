/** Numbers and texts as a terminal shows them. */

/** 7 s, 3 min 20 s, 2 h 5 min. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ''}`;
  const minutes = Math.floor((whole % 3600) / 60);
  return `${Math.floor(whole / 3600)} h${minutes ? ` ${minutes} min` : ''}`;
}

/** Units a second, or a minute where that is below one: `3.2 requests/s`, `12 steps/min`. */
export function rate(perSecond: number, unit: string): string {
  const [value, per] = perSecond >= 1 ? [perSecond, 's'] : [perSecond * 60, 'min'];
  return `${value >= 10 ? count(Math.round(value)) : value.toFixed(1)} ${unit}/${per}`;
}

/** 12,345 */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** The text without control characters but line feeds: what a model wrote must not steer the terminal. */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n]/gu, (control) => (control === '\t' ? ' ' : ''));
}

/** One line of at most `width` characters: white space collapsed, the rest cut with an ellipsis. */
export function oneLine(text: string, width: number): string {
  const flat = printable(text.replace(/\s+/g, ' ')).trim();
  const characters = [...flat];
  return characters.length <= width ? flat : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** The text at its word borders in lines of at most `width` characters; a longer word is cut with an ellipsis. */
export function wrapLines(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of printable(text).split(/\s+/).filter(Boolean)) {
    const last = lines.at(-1);
    if (last !== undefined && [...last].length + 1 + [...word].length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(oneLine(word, width));
  }
  return lines;
}

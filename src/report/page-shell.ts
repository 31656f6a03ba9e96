/** The frame of a self-contained page: bar with links, main part, one style sheet, one script, and a policy that allows nothing else. */

import { createHash } from 'node:crypto';
import { html, type Markup, trusted } from './markup.ts';

export interface PageShell {
  title: string;
  /** In the bar. */
  name: string;
  /** What the first link of the page leads to, for those who use it by keyboard. */
  skipTo: string;
  links: readonly (readonly [target: string, text: string])[];
  style: string;
  script: string;
  main: Markup;
}

/** The whole page. */
export function pageShell({ title, name, skipTo, links, style, script, main }: PageShell): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy(style, script)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="mga-distill">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${trusted(style)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to ${skipTo}</a>
<div class="bar"><div><strong>${name}</strong>
<nav aria-label="Sections">${links.map(([target, text]) => html`<a href="${target}">${text}</a>`)}</nav>
<button type="button" id="theme">Theme: system</button></div></div>
<main id="main">
${main}
</main>
<script>${trusted(script)}</script>
</body>
</html>
`.markup;
}

/** Nothing may be loaded or sent; the one script and the one style sheet are named by their hashes. */
function contentPolicy(style: string, script: string): string {
  return [
    "default-src 'none'",
    `script-src ${sourceHash(script)}`,
    `style-src ${sourceHash(style)}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

/** How a Content-Security-Policy names a script or style sheet that stands in the page. */
export function sourceHash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

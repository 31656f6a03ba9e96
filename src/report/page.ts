/** The whole report as one HTML file that needs nothing from outside and runs nothing but its own script. */

import { createHash } from 'node:crypto';
import { SAMPLES_SCRIPT } from './client/samples-script.ts';
import { THEME_SCRIPT } from './client/theme-script.ts';
import { WORD_DIFF_SCRIPT } from './client/word-diff-script.ts';
import { html, type Markup, trusted } from './markup.ts';
import type { ReportData } from './run-data.ts';
import { costSection } from './sections/cost-section.ts';
import { embeddingsSection } from './sections/embeddings-section.ts';
import { funnelSection } from './sections/funnel-section.ts';
import { samplesSection } from './sections/samples-section.ts';
import { scoresSection } from './sections/scores-section.ts';
import { tableSection } from './sections/table-section.ts';
import { trainingSection } from './sections/training-section.ts';
import { verdictSection } from './sections/verdict-section.ts';
import { STYLE_SHEET } from './style.ts';

const SCRIPT = `'use strict';\n{${THEME_SCRIPT}${WORD_DIFF_SCRIPT}${SAMPLES_SCRIPT}}`;

const LINKS = [
  ['#table', 'Table'],
  ['#scores', 'Scores'],
  ['#samples', 'Samples'],
  ['#training', 'Training'],
  ['#funnel', 'Funnel'],
  ['#cost', 'Cost'],
] as const;

/** The page of one run. */
export function reportPage(data: ReportData): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="mga-distill">
<title>${data.name}: distillation report</title>
<link rel="icon" href="data:,">
<style>${trusted(STYLE_SHEET)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the report</a>
<div class="bar"><div><strong>${data.name}</strong>
<nav aria-label="Sections">${LINKS.map(([target, text]) => html`<a href="${target}">${text}</a>`)}</nav>
<button type="button" id="theme">Theme: system</button></div></div>
<main id="main">
${verdictSection(data)}
${tableSection(data)}
${scoresSection(data)}
${samplesSection(data)}
${trainingSection(data)}
${embeddingsSection(data)}
${funnelSection(data)}
${costSection(data)}
${aboutRun(data)}
</main>
<script>${trusted(SCRIPT)}</script>
</body>
</html>
`.markup;
}

/** Nothing may be loaded or sent; the one script and the one style sheet are named by their hashes. */
function contentPolicy(): string {
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  return [
    "default-src 'none'",
    `script-src ${hash(SCRIPT)}`,
    `style-src ${hash(STYLE_SHEET)}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function aboutRun(data: ReportData): Markup {
  return html`<footer>
  <p>${data.description && `${sentence(data.description)} `}Teacher: ${data.teacher}. Student's base: ${data.base}. Seed ${data.seed}.${
    data.finishedAt && ` Finished ${data.finishedAt.slice(0, 16).replace('T', ' ')} UTC.`
  }${data.version && ` Made by mga-distill ${data.version}.`}</p>
  ${data.recipeText && html`<details><summary>The recipe of this run</summary><pre tabindex="0" role="region" aria-label="Recipe">${data.recipeText}</pre></details>`}
</footer>`;
}

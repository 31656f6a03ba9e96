/** The whole report as one HTML file that needs nothing from outside and runs nothing but its own script. */

import { SAMPLE_LIST_SCRIPT } from './client/sample-list-script.ts';
import { SAMPLES_SCRIPT } from './client/samples-script.ts';
import { THEME_SCRIPT } from './client/theme-script.ts';
import { WORD_DIFF_SCRIPT } from './client/word-diff-script.ts';
import { html, type Markup } from './markup.ts';
import { pageShell } from './page-shell.ts';
import type { ReportData } from './run-data.ts';
import { collapseSection } from './sections/collapse-section.ts';
import { costSection } from './sections/cost-section.ts';
import { embeddingsSection } from './sections/embeddings-section.ts';
import { funnelSection } from './sections/funnel-section.ts';
import { learningCurveSection } from './sections/learning-curve-section.ts';
import { roundsSection } from './sections/rounds-section.ts';
import { samplesSection } from './sections/samples-section.ts';
import { scoresSection } from './sections/scores-section.ts';
import { tableSection } from './sections/table-section.ts';
import { trainingSection } from './sections/training-section.ts';
import { verdictSection } from './sections/verdict-section.ts';
import { STYLE_SHEET } from './style.ts';

const SCRIPT = `'use strict';\n{${THEME_SCRIPT}${WORD_DIFF_SCRIPT}${SAMPLE_LIST_SCRIPT}${SAMPLES_SCRIPT}}`;

const LINKS: readonly (readonly [target: string, text: string])[] = [
  ['#table', 'Table'],
  ['#scores', 'Scores'],
  ['#samples', 'Samples'],
  ['#training', 'Training'],
  ['#funnel', 'Funnel'],
  ['#cost', 'Cost'],
];

/** Only a run of several rounds has a section on them. */
function linksOf({ rounds }: ReportData): typeof LINKS {
  return rounds === undefined ? LINKS : [...LINKS.slice(0, -2), ['#rounds', 'Rounds'], ...LINKS.slice(-2)];
}

/** The page of one run. */
export function reportPage(data: ReportData): string {
  return pageShell({
    title: `${data.name}: distillation report`,
    name: data.name,
    skipTo: 'the report',
    links: linksOf(data),
    style: STYLE_SHEET,
    script: SCRIPT,
    main: html`${verdictSection(data)}
${tableSection(data)}
${scoresSection(data)}
${samplesSection(data)}
${trainingSection(data)}
${learningCurveSection(data)}
${embeddingsSection(data)}
${collapseSection(data)}
${roundsSection(data)}
${funnelSection(data)}
${costSection(data)}
${aboutRun(data)}`,
  });
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

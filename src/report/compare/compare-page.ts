/** Two runs as one HTML file that needs nothing from outside. */

import { armLabel, orderArms, stageLabel } from '../arms.ts';
import { COMPARE_SCRIPT } from '../client/compare-script.ts';
import { SAMPLE_LIST_SCRIPT } from '../client/sample-list-script.ts';
import { THEME_SCRIPT } from '../client/theme-script.ts';
import { WORD_DIFF_SCRIPT } from '../client/word-diff-script.ts';
import { html, type Markup } from '../markup.ts';
import { pointsInterval, quantity } from '../number-format.ts';
import { pageShell } from '../page-shell.ts';
import { sampleFilter } from '../sections/samples-section.ts';
import { STYLE_SHEET } from '../style.ts';
import { decideVerdict, deployedRow, primaryTable } from '../verdict.ts';
import { costsSection, curvesSection, funnelsSection, settingsSection } from './compare-facts.ts';
import { comparedSamples, packCompared } from './compare-samples.ts';
import { pairedSection, tablesSection } from './compare-tables.ts';
import type { ComparisonData } from './comparison-data.ts';

const SCRIPT = `'use strict';\n{${THEME_SCRIPT}${WORD_DIFF_SCRIPT}${SAMPLE_LIST_SCRIPT}${COMPARE_SCRIPT}}`;

const COMPARE_STYLE = `${STYLE_SHEET}
:root { --run-first: var(--arm-teacher); --run-second: var(--arm-student-w8a8); }
.run-first { --key: var(--run-first); } .run-second { --key: var(--run-second); }
.warning { background: var(--undecided-soft); border-radius: 10px; padding: .6rem 1.1rem; }
thead th small { min-width: 0; }
.panel > .scroll + .scroll { margin-top: 1.5rem; }
.versus { margin-top: 2.25rem; } .versus h1 { font: 500 clamp(1.5rem, 3vw, 2.1rem)/1.2 ui-serif, "Iowan Old Style", Palatino, Georgia, "Liberation Serif", serif; margin: 0 0 .9rem; }
.versus .panel { border-left: 6px solid var(--tone); } .versus h2 { font-size: 1.1rem; overflow-wrap: anywhere; }
td.text code, th code { font-size: .85rem; overflow-wrap: anywhere; white-space: normal; }
`;

const LINKS = [
  ['#paired', 'Differences'],
  ['#tables', 'Tables'],
  ['#samples', 'Samples'],
  ['#training', 'Training'],
  ['#funnel', 'Funnel'],
  ['#cost', 'Cost'],
  ['#settings', 'Settings'],
] as const;

/** The page of two runs. */
export function comparePage(data: ComparisonData): string {
  const title = `${data.names[1]} against ${data.names[0]}`;
  return pageShell({
    title,
    name: title,
    skipTo: 'the comparison',
    links: LINKS,
    style: COMPARE_STYLE,
    script: SCRIPT,
    main: html`${versusSection(data)}
${pairedSection(data)}
${tablesSection(data)}
${samplesSection(data)}
${curvesSection(data)}
${funnelsSection(data)}
${costsSection(data)}
${settingsSection(data)}`,
  });
}

function versusSection(data: ComparisonData): Markup {
  return html`<section class="versus" aria-labelledby="versus-title"><h1 id="versus-title">${headline(data)}</h1>
  <div class="grid">${data.runs.map((run, i) => {
    const { outcome, headline: verdict, evidence } = decideVerdict(run.tables, run.margin);
    return html`<div class="panel ${outcome}"><h2>${data.names[i]}</h2><span class="badge">${outcome === 'none' ? 'no verdict' : outcome}</span>
    <p><b>${verdict}.</b> ${evidence}</p>
    ${run.missing.length > 0 && html`<details><summary>What this run lacks</summary><ul class="small">${run.missing.map((sentence) => html`<li>${sentence}</li>`)}</ul></details>`}</div>`;
  })}</div></section>`;
}

/** What a reader came for: whether the second run's deployed student is better on what both were asked. */
function headline({ runs, names, paired, otherJudges }: ComparisonData): string {
  const table = primaryTable(runs[1].tables) ?? primaryTable(runs[0].tables);
  const arm = table && deployedRow(table)?.arm;
  const row = paired.find((one) => one.stage === table?.stage && one.arm === arm);
  if (table === undefined || row === undefined) return `${names[1]} against ${names[0]}: not on common inputs`;
  const what = `${armLabel(row.arm)}, ${stageLabel(row.stage).toLowerCase()}`;
  if (otherJudges.includes(row.stage)) return `${what}: the judges differ, so nobody can say`;
  const interval = row.usableDiffInterval ?? row.diffInterval;
  const by = `${pointsInterval(interval)} points`;
  if (interval[0] > 0) return `${what}: ${names[1]} is better by ${by}`;
  if (interval[1] < 0) return `${what}: ${names[1]} is worse by ${by}`;
  return `${what}: no difference shown (${by})`;
}

function samplesSection(data: ComparisonData): Markup {
  const samples = comparedSamples(data.runs);
  const head = html`<h2 id="samples-title">Samples</h2>`;
  if (samples.length === 0) {
    return html`<section id="samples" aria-labelledby="samples-title">${head}<p>No arm of both runs answered the same input.</p></section>`;
  }
  const { base64, shown } = packCompared(samples, data);
  const titles = new Map(data.runs.flatMap(({ sources }) => sources.map(({ id, title }) => [id, title])));
  const distinct = (values: readonly string[]) => [...new Set(values)];
  const stages = distinct(samples.map(({ stage }) => stage));
  return html`<section id="samples" aria-labelledby="samples-title">${head}
  <p class="soft">What both runs answered to the same input. ${shown < samples.length && `${quantity(shown)} of ${quantity(samples.length)} are in this file, evenly drawn.`}</p>
  <noscript><p class="panel">The samples are drawn by this page's own script, which your browser does not run.</p></noscript>
  <form class="filters" id="filters" aria-label="Filter samples">
    ${sampleFilter('stage', 'Stage', [['', 'any'], ...stages.map((stage) => [stage, stageLabel(stage)] as const)])}
    ${sampleFilter('arm', 'Model', [['', 'any'], ...orderArms(samples.map(({ arm }) => arm)).map((arm) => [arm, armLabel(arm)] as const)])}
    ${sampleFilter('change', 'Score', [
      ['', 'any'],
      ['better', `better in ${data.names[1]}`],
      ['worse', `worse in ${data.names[1]}`],
      ['same', 'the same'],
      ['gained', `usable only in ${data.names[1]}`],
      ['lost', `usable only in ${data.names[0]}`],
    ])}
    ${sampleFilter('document', 'Document', [
      ['', 'any'],
      ...distinct(samples.map(({ docId }) => docId)).map((id) => [id, titles.get(id) ?? id] as const),
    ])}
    ${sampleFilter('compare', 'Mark differences to', [
      ['first', data.names[0]],
      ['source', 'source'],
      ['', 'nothing'],
    ])}
    <button type="reset">Reset</button>
  </form>
  <p class="count" id="sample-count" role="status" tabindex="-1"></p>
  <div id="sample-list"></div>
  <div class="pager" id="pager" hidden><button type="button" id="previous">Previous</button><span id="page-number" class="number small"></span><button type="button" id="next">Next</button></div>
  <script type="text/plain" id="sample-data">${base64}</script>
</section>`;
}

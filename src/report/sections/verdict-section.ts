/** First on the page: the verdict, its evidence, and what is missing for a better one. */

import { armLabel, stageLabel } from '../arms.ts';
import { html, type Markup } from '../markup.ts';
import { percent } from '../number-format.ts';
import { rateFigure } from '../plots.ts';
import type { ReportData, StageTable } from '../run-data.ts';
import { decideVerdict, deployedRow, type Outcome, primaryTable } from '../verdict.ts';

const BADGES: Readonly<Record<Outcome, string>> = {
  pass: '✓ Pass',
  fail: '✕ Fail',
  undecided: '? Undecided',
  none: '– No verdict',
};

const LOCAL_JUDGE =
  'Scored by the local judge, which can be far too kind to a student: where it matters, let an LLM judge.';

/** The verdict panel and, where the run lacks something, the list of what it lacks. */
export function verdictSection(data: ReportData): Markup {
  const verdict = decideVerdict(data.tables, data.margin);
  const table = primaryTable(data.tables);
  const others = data.tables.filter((other) => other !== table);
  return html`<section id="verdict" class="panel verdict ${verdict.outcome}" aria-labelledby="verdict-title">
  <div>
    <span class="badge">${BADGES[verdict.outcome]}</span>
    <h1 id="verdict-title">${verdict.headline}</h1>
    <p class="evidence">${verdict.evidence}</p>
    <p class="soft small">${verdict.basis}${verdict.outcome !== 'none' && table?.judge.kind === 'local' && ` ${LOCAL_JUDGE}`}</p>
    ${others.length > 0 && html`<ul class="stages small">${others.map(stageLine)}</ul>`}
  </div>
  ${
    table &&
    table.rows.length > 0 &&
    html`<figure>${rateFigure(table.rows)}
    <figcaption><span class="legend"><span class="key"></span>usable: scored 3 or better, not copied, complete</span> <span class="legend"><span class="key ring"></span>Rate(≥3)</span> <span class="legend">lines: 95% intervals</span></figcaption>
  </figure>`
  }
</section>
${
  data.missing.length > 0 &&
  html`<aside class="notes" aria-labelledby="notes-title"><h2 id="notes-title">What this report lacks</h2>
  <ul>${data.missing.map((sentence) => html`<li>${sentence}</li>`)}</ul></aside>`
}`;
}

/** A further stage in one line: what its deployed student and its teacher reach. */
function stageLine(table: StageTable): Markup {
  const row = deployedRow(table);
  const teacher = table.rows.find(({ arm }) => arm === 'teacher');
  const share = (of: typeof row) => percent(of?.usable ?? of?.rate);
  if (row === undefined) return html`<li><b>${stageLabel(table.stage)}:</b> no student judged.</li>`;
  return html`<li><b>${stageLabel(table.stage)}:</b> ${armLabel(row.arm)} ${share(row)}, teacher ${share(teacher)}.</li>`;
}

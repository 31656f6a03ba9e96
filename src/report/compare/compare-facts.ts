/** Beside the tables: curves, funnels, cost, time and settings of two runs. */

import { stageLabel } from '../arms.ts';
import { html, type Markup } from '../markup.ts';
import { ABSENT, dollars, duration, quantity } from '../number-format.ts';
import type { ReportData } from '../run-data.ts';
import { scrollTable } from '../sections/scroll-table.ts';
import type { Both, ComparisonData } from './comparison-data.ts';
import { lossOverlay } from './loss-overlay.ts';

/** One figure a student, matched by name. */
export function curvesSection({ runs, names }: ComparisonData): Markup {
  const students = distinct(runs.flatMap((run) => run.students.map(({ name }) => name)));
  return html`<section id="training" aria-labelledby="training-title">
  <h2 id="training-title">Training</h2>
  <p class="soft"><span class="legend"><span class="key run-first"></span>${names[0]}</span> <span class="legend"><span class="key run-second"></span>${names[1]}</span>
  Lines: running mean of the loss of each step. Dots: loss on the dev documents.</p>
  <div class="grid">${students.map((name) => {
    const both = runs.map((run) => run.students.find((student) => student.name === name)) as unknown as Both<
      ReportData['students'][number] | undefined
    >;
    const last = both.map((student) => student?.devLosses.at(-1));
    return html`<div class="panel"><h3>${name}</h3><figure>${lossOverlay(name, both)}<figcaption>${names
      .map(
        (run, i) =>
          `${run}: ${last[i] ? `dev loss ${last[i].loss.toFixed(3)} at step ${last[i].step}` : 'no dev loss'}`,
      )
      .join('; ')}.</figcaption></figure></div>`;
  })}</div>
</section>`;
}

export function funnelsSection({ runs, names }: ComparisonData): Markup {
  const stages = distinct(runs.flatMap(({ funnels }) => funnels.map(({ stage }) => stage)));
  return html`<section id="funnel" aria-labelledby="funnel-title">
  <h2 id="funnel-title">From labels to training rows</h2>
  ${stages.length === 0 && html`<p>Neither run has curated samples.</p>`}
  <div class="grid">${stages.map((stage) => {
    const both = runs.map(({ funnels }) => funnels.find((funnel) => funnel.stage === stage));
    const counts = both.map((funnel) => new Map(funnel?.steps.map(({ label, count }) => [label, count])));
    const dropped = both.map((funnel) => new Map(funnel?.dropped.map(({ reason, count }) => [reason, count])));
    return html`<div class="panel"><h3>${stageLabel(stage)}</h3>
    ${bothTable('Samples', names, rowsOf(counts), quantity)}
    ${dropped.some(({ size }) => size > 0) && bothTable('Dropped, by reason', names, rowsOf(dropped), (count) => quantity(count ?? 0))}</div>`;
  })}</div>
</section>`;
}

export function costsSection({ runs, names }: ComparisonData): Markup {
  const prices = runs.map(
    ({ spend }) => new Map(spend?.stages.map(({ stage, model, usd }) => [`${stageLabel(stage)}, ${model}`, usd])),
  );
  const tokens = runs.map(
    ({ spend }) =>
      new Map(
        spend?.stages.map((line) => [
          `${stageLabel(line.stage)}, ${line.model}`,
          line.promptTokens + line.completionTokens,
        ]),
      ),
  );
  const times = runs.map((run) => new Map(run.times.map(({ what, seconds }) => [what, seconds])));
  return html`<section id="cost" aria-labelledby="cost-title">
  <h2 id="cost-title">Cost and time</h2>
  <div class="grid"><div class="panel"><h3>Teacher</h3>
  ${bothTable('Price', names, withSum(rowsOf(prices)), dollars)}
  ${bothTable('Tokens in and out', names, withSum(rowsOf(tokens)), quantity)}</div>
  <div class="panel"><h3>Machine</h3>${bothTable('Time', names, withSum(rowsOf(times)), duration)}</div></div>
</section>`;
}

/** What was set otherwise: the first place to look for a reason. */
export function settingsSection({ settings, names }: ComparisonData): Markup {
  return html`<section id="settings" aria-labelledby="settings-title">
  <h2 id="settings-title">What differs in the recipes</h2>
  ${
    settings.length === 0
      ? html`<p>Nothing: the same recipe was run twice.</p>`
      : html`<div class="panel">${scrollTable(
          'Settings that differ',
          html`<table><thead><tr><th scope="col">Key</th>${names.map((name) => html`<th scope="col" class="text">${name}</th>`)}</tr></thead>
    <tbody>${settings.map(
      ({ key, values }) =>
        html`<tr><th scope="row"><code>${key}</code></th>${values.map((value) => html`<td class="text">${value ?? ABSENT}</td>`)}</tr>`,
    )}</tbody></table>`,
        )}</div>`
  }
</section>`;
}

type Row = { name: string; values: (number | undefined)[] };

function bothTable(
  what: string,
  names: Both<string>,
  rows: readonly Row[],
  format: (value: number | undefined) => string,
): Markup {
  if (rows.length === 0) return html`<p class="small">${what}: not known.</p>`;
  return scrollTable(
    what,
    html`<table><thead><tr><th scope="col">${what}</th>${names.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
    <tbody>${rows.map(({ name, values }) => html`<tr><th scope="row">${name}</th>${values.map((value) => html`<td>${format(value)}</td>`)}</tr>`)}</tbody></table>`,
  );
}

function rowsOf(columns: readonly ReadonlyMap<string, number | undefined>[]): Row[] {
  const rows = distinct(columns.flatMap((column) => [...column.keys()]));
  return rows.map((name) => ({ name, values: columns.map((column) => column.get(name)) }));
}

/** A sum only where something is known of the run. */
function withSum(rows: readonly Row[]): Row[] {
  if (rows.length < 2) return [...rows];
  const sums = [0, 1].map((i) => {
    const known = rows.flatMap(({ values }) => values[i] ?? []);
    return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
  });
  return [...rows, { name: 'Together', values: sums }];
}

const distinct = (names: readonly string[]) => [...new Set(names)];

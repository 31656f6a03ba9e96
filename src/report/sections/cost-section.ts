/** What the labels cost, how long commands and answers took, and when students are cheaper than the teacher. */

import type { StudentSpeed } from '../../price/student-speed.ts';
import { armLabel, stageLabel } from '../arms.ts';
import { html, type Markup } from '../markup.ts';
import { dollars, duration, quantity } from '../number-format.ts';
import type { ReportData, Spend, StageSpend } from '../run-data.ts';
import { breakEvenPanel } from './break-even-panel.ts';
import { scrollTable } from './scroll-table.ts';

/** Spend beside the times; each part says so where it is not known. */
export function costSection(data: ReportData): Markup {
  const total = data.times.reduce((sum, line) => sum + (line.seconds ?? 0), 0);
  return html`<section id="cost" aria-labelledby="cost-title">
  <h2 id="cost-title">Cost and time</h2>
  <div class="grid">
    <div class="panel"><h3>Teacher</h3>${data.spend ? spendTable(data.spend) : html`<p>Not known.</p>`}</div>
    <div class="panel"><h3>This machine</h3>${
      data.times.length === 0
        ? html`<p>No command has finished.</p>`
        : scrollTable(
            'Time of each command',
            html`<table><thead><tr><th scope="col">Command</th><th scope="col">Time</th><th scope="col" class="text">Speed</th></tr></thead>
      <tbody>${data.times.map(
        (line) =>
          html`<tr><th scope="row">${line.what}</th><td>${duration(line.seconds)}</td><td class="text">${line.detail}</td></tr>`,
      )}
      <tr><th scope="row">Together</th><td class="strong">${duration(total)}</td><td></td></tr></tbody></table>`,
          )
    }${data.studentSpeed && studentTimes(data.studentSpeed)}</div>
  </div>
  ${data.breakEven && breakEvenPanel(data.breakEven)}
</section>`;
}

function spendTable(spend: Spend): Markup {
  const known = spend.stages.flatMap(({ usd }) => usd ?? []);
  const total = known.length > 0 ? known.reduce((sum, usd) => sum + usd, 0) : undefined;
  const timed = spend.stages.some(({ secondsPerAnswer }) => secondsPerAnswer !== undefined);
  return html`${scrollTable(
    'Cost of the teacher',
    html`<table>
    <thead><tr><th scope="col">Stage</th><th scope="col">Answers</th><th scope="col">Tokens in</th><th scope="col">Tokens out</th>${timed && html`<th scope="col">Time an answer</th>`}<th scope="col">Price</th></tr></thead>
    <tbody>${spend.stages.map(
      (
        line,
      ) => html`<tr><th scope="row">${stageLabel(line.stage)}<small>${line.model}</small></th><td>${quantity(line.answers)}</td>
      <td>${quantity(line.promptTokens)}</td><td>${quantity(line.completionTokens)}</td>${timed && html`<td>${duration(line.secondsPerAnswer)}</td>`}<td>${dollars(line.usd)}</td></tr>`,
    )}
    <tr><th scope="row">Together</th><td class="strong">${quantity(sum(spend.stages, 'answers'))}</td><td>${quantity(sum(spend.stages, 'promptTokens'))}</td>
    <td>${quantity(sum(spend.stages, 'completionTokens'))}</td>${timed && html`<td></td>`}<td class="strong">${dollars(total)}</td></tr></tbody>
  </table>`,
  )}
  <p class="soft small">${quantity(spend.failures)} requests were given up.${total === undefined && ' The recipe states no price, or the teacher is a recording.'}</p>`;
}

function sum(lines: readonly StageSpend[], field: 'answers' | 'promptTokens' | 'completionTokens'): number {
  return lines.reduce((total, line) => total + line[field], 0);
}

function studentTimes({ arm, stages }: StudentSpeed): Markup {
  return scrollTable(
    'Time of the answers of students',
    html`<table><caption>Answers of ${armLabel(arm)} in validation, a batch side by side</caption>
    <thead><tr><th scope="col">Stage</th><th scope="col">Answers</th><th scope="col">Time an answer</th><th scope="col">Tokens a second</th></tr></thead>
    <tbody>${stages.map(
      ({ stage, outputs, secondsPerAnswer, tokensPerSecond }) =>
        html`<tr><th scope="row">${stageLabel(stage)}</th><td>${quantity(outputs)}</td><td>${duration(secondsPerAnswer)}</td><td>${quantity(Math.round(tokensPerSecond))}</td></tr>`,
    )}</tbody></table>`,
  );
}

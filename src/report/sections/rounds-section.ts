/** Round by round: what was labeled and kept, what the students could do then, and how far kept scores shrank. */

import { stageLabel } from '../arms.ts';
import { html, type Markup } from '../markup.ts';
import { percent, points, pointsInterval, quantity } from '../number-format.ts';
import { gainFigure, usableFigure } from '../rounds-figure.ts';
import type { ReportData, RoundFacts } from '../run-data.ts';
import { scrollTable } from './scroll-table.ts';

/** Left out where the run has one round. */
export function roundsSection({ rounds }: ReportData): Markup | false {
  if (rounds === undefined) return false;
  const judgedAgain = rounds.rounds.some(({ rejudged }) => rejudged.length > 0);
  return html`<section id="rounds" aria-labelledby="rounds-title">
  <h2 id="rounds-title">Rounds</h2>
  <p class="soft">Each round labels new documents, filters, trains on all rounds so far, and has the students answer for dev documents. ${
    rounds.chosen !== undefined && `The students of round ${rounds.chosen} are those of the run.`
  }</p>
  ${rounds.warnings.map((warning) => html`<p class="small"><b>Careful:</b> ${warning}</p>`)}
  ${figures(rounds.rounds)}
  <div class="panel"><h3>Funnel</h3>${scrollTable('Funnel of each round', funnelTable(rounds.rounds))}</div>
  <div class="panel"><h3>Gain</h3>${scrollTable('Usable dev outputs of each round', gainTable(rounds.rounds))}</div>
  ${judgedAgain && html`<div class="panel"><h3>Kept texts, judged again</h3>${scrollTable('Scores of kept texts at first and judged again', shrinkageTable(rounds.rounds))}</div>`}
</section>`;
}

/** One round is no course. */
function figures(rounds: readonly RoundFacts[]): Markup | false {
  if (rounds.filter(({ usable }) => usable !== undefined).length < 2) return false;
  const gained = rounds.some(({ gain }) => gain !== undefined);
  return html`<div class="grid">
    <div class="panel"><h3>Usable, by round</h3><figure>${usableFigure(rounds)}<figcaption><span class="legend arm-student"><span class="key"></span>students of the round</span> <span class="legend arm-teacher"><span class="key"></span>teacher</span></figcaption></figure></div>
    ${gained && html`<div class="panel"><h3>Gain over the round before, points</h3><figure>${gainFigure(rounds)}<figcaption>Lines: 95% intervals over documents.</figcaption></figure></div>`}
  </div>`;
}

function funnelTable(rounds: readonly RoundFacts[]): Markup {
  return html`<table>
  <thead><tr><th scope="col">Round</th><th scope="col">New documents</th><th scope="col">Failed by students</th><th scope="col" class="text">Stage</th><th scope="col">Asked of the teacher</th><th scope="col">Well formed</th><th scope="col">Kept</th><th scope="col">Trained on, all rounds</th></tr></thead>
  <tbody>${rounds.flatMap((round) =>
    round.funnel.map(
      (
        stage,
      ) => html`<tr><th scope="row">${quantity(round.round)}</th><td>${quantity(round.documents)}</td><td>${quantity(round.failed)}</td>
    <td class="text">${stageLabel(stage.stage)}</td><td>${quantity(stage.asked)}</td><td>${quantity(stage.parsed)}</td><td>${quantity(stage.kept)}</td><td>${quantity(stage.trained)}</td></tr>`,
    ),
  )}</tbody></table>`;
}

function gainTable(rounds: readonly RoundFacts[]): Markup {
  return html`<table>
  <thead><tr><th scope="col">Round</th><th scope="col" class="text">Stage</th><th scope="col">Dev outputs</th><th scope="col">Students usable</th><th scope="col">Teacher usable</th><th scope="col">Students ≥3</th><th scope="col">Teacher ≥3</th><th scope="col">Gain</th></tr></thead>
  <tbody>${rounds.flatMap((round) => [
    ...round.dev.map(
      (
        stage,
      ) => html`<tr><th scope="row">${quantity(round.round)}</th><td class="text">${stageLabel(stage.stage)}</td><td>${quantity(stage.outputs)}</td>
    <td>${percent(stage.student)}</td><td>${percent(stage.teacher)}</td><td>${percent(stage.studentRate)}</td><td>${percent(stage.teacherRate)}</td><td></td></tr>`,
    ),
    html`<tr><th scope="row">${quantity(round.round)}</th><td class="text">All outputs</td><td></td><td class="strong">${percent(round.usable)}</td><td></td><td></td><td></td>
    <td class="strong">${points(round.gain, 1)}${round.gainInterval && html`<small>${pointsInterval(round.gainInterval)}</small>`}</td></tr>`,
  ])}</tbody></table>`;
}

function shrinkageTable(rounds: readonly RoundFacts[]): Markup {
  const mean = (value: number | undefined) => value?.toFixed(2);
  return html`<table>
  <thead><tr><th scope="col">Round</th><th scope="col" class="text">Judged again by</th><th scope="col">Texts</th><th scope="col">Mean at first</th><th scope="col">Mean again</th><th scope="col">Rate(≥3) at first</th><th scope="col">Rate(≥3) again</th><th scope="col">Would not be kept</th></tr></thead>
  <tbody>${rounds.flatMap((round) =>
    round.rejudged.map(
      (
        again,
      ) => html`<tr><th scope="row">${quantity(round.round)}</th><td class="text">${again.by}</td><td>${quantity(again.texts)}</td>
    <td>${mean(again.mean)}</td><td>${mean(again.meanAgain)}</td><td>${percent(again.rate)}</td><td>${percent(again.rateAgain)}</td><td>${percent(again.lost)}</td></tr>`,
    ),
  )}</tbody></table>`;
}

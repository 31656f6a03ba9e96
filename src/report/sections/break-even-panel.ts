/** What a million documents cost by those who label now and by the students, and after how many the students are cheaper. */

import type { BreakEven } from '../../price/break-even.ts';
import { armLabel } from '../arms.ts';
import { html, type Markup } from '../markup.ts';
import { ABSENT, dollars, duration, quantity } from '../number-format.ts';
import { scrollTable } from './scroll-table.ts';

/** A sentence where the teacher costs nothing or has no price; else both prices and what was paid before the first document. */
export function breakEvenPanel(breakEven: BreakEven): Markup {
  return html`<div class="panel" id="break-even"><h3>A million documents</h3>${contents(breakEven)}</div>`;
}

function contents(breakEven: BreakEven): Markup {
  const { teacher, student, once } = breakEven;
  if (teacher === null) return html`<p>The recipe states no price of the teacher.</p>`;
  if (teacher.usd.value === 0) {
    return html`<p>The teacher costs nothing, so that no number of documents makes the students cheaper.${
      student && ` The students take ${machine(student.seconds, student.usd)} (${armLabel(student.arm)}).`
    }</p>`;
  }
  const { low, high } = teacher.usd;
  const between = low !== null && high !== null && low < high ? `95% interval ${dollars(low)} to ${dollars(high)}` : '';
  return html`<p>${sentenceOf(breakEven)}</p>
  ${scrollTable(
    'A million documents by the teacher and by the students',
    html`<table><tbody>
    <tr><th scope="row">By the teacher</th><td class="text">${teacher.atMost && 'at most '}${dollars(teacher.usd.value)}${between && html`<small>${between}</small>`}</td></tr>
    <tr><th scope="row">By the students${student && html`<small>${armLabel(student.arm)}, as validation measured it</small>`}</th><td class="text">${student === null ? 'not measured' : machine(student.seconds, student.usd)}</td></tr>
    <tr><th scope="row">Before the first: labels</th><td class="text">${once.labelsUsd === null ? ABSENT : dollars(once.labelsUsd)}</td></tr>
    <tr><th scope="row">Before the first: training</th><td class="text">${once.trainingSeconds === null ? ABSENT : duration(once.trainingSeconds)}${once.trainingUsd !== null && `, ${dollars(once.trainingUsd)}`}</td></tr>
  </tbody></table>`,
  )}`;
}

function sentenceOf({ cheaperAfter, machineUsdPerHour }: BreakEven): string {
  if (cheaperAfter === null) return 'From when on the students are cheaper is not known yet.';
  const condition =
    machineUsdPerHour === null
      ? ', if this machine costs nothing (plan.machineUsdPerHour)'
      : ` (this machine: ${dollars(machineUsdPerHour)} an hour)`;
  if (cheaperAfter === 'never') return `The students are never cheaper${condition}.`;
  return `The students are cheaper after ${quantity(cheaperAfter)} documents${condition}.`;
}

function machine(seconds: number, usd: number | null): string {
  return `${quantity(Math.round(seconds / 3600))} hours of this machine${usd === null ? '' : `, ${dollars(usd)}`}`;
}

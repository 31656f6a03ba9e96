/** Loss curves and the facts of each student's training. */

import { stageLabel } from '../arms.ts';
import { html, type Markup } from '../markup.ts';
import { quantity } from '../number-format.ts';
import { lossFigure } from '../plots.ts';
import type { JsonObject } from '../read-artifact.ts';
import type { ReportData, StudentFacts } from '../run-data.ts';

/** A panel a student. */
export function trainingSection(data: ReportData): Markup {
  return html`<section id="training" aria-labelledby="training-title">
  <h2 id="training-title">Training</h2>
  <p class="soft">Thin line: loss of each step. Thick line: running mean. Dots: loss on the dev documents, which training never sees.</p>
  <div class="grid">${data.students.map(studentPanel)}</div>
</section>`;
}

function studentPanel(student: StudentFacts): Markup {
  const drawn = student.losses.length + student.devLosses.length > 0;
  return html`<div class="panel"><h3>${student.name} <span class="soft small">${student.stages.map(stageLabel).join(', ')}</span></h3>
  ${drawn ? html`<figure>${lossFigure(student)}<figcaption>${courseOf(student)}</figcaption></figure>` : html`<p>Not trained yet.</p>`}
  ${student.facts && factList(student.facts)}</div>`;
}

/** The curve in words. */
function courseOf(student: StudentFacts): string {
  const steps = student.losses.at(-1)?.step ?? student.devLosses.at(-1)?.step ?? 0;
  const [first, last] = [student.devLosses[0], student.devLosses.at(-1)];
  if (first === undefined || last === undefined) return `${quantity(steps)} steps; no dev loss was measured.`;
  if (first === last) return `${quantity(steps)} steps; dev loss ${last.loss.toFixed(3)} at step ${last.step}.`;
  const verb = last.loss < first.loss ? 'fell' : 'rose';
  return `${quantity(steps)} steps; dev loss ${verb} from ${first.loss.toFixed(3)} to ${last.loss.toFixed(3)}.`;
}

function factList(facts: JsonObject): Markup | false {
  const known = Object.entries(facts).filter(([, value]) => typeof value === 'number' || typeof value === 'string');
  if (known.length === 0) return false;
  return html`<details><summary>Facts</summary><dl>${known.map(
    ([name, value]) =>
      html`<dt>${name.replaceAll('_', ' ')}</dt><dd>${typeof value === 'number' ? quantity(value) : String(value)}</dd>`,
  )}</dl></details>`;
}

/** Who judged, and how far to trust that. */

import { html, type Markup } from '../markup.ts';
import { ABSENT, dollars, percent, points, quantity } from '../number-format.ts';
import type { Interval, JudgeFacts, StageTable } from '../run-data.ts';
import { scrollTable } from './scroll-table.ts';

const JUDGE_NAMES: Readonly<Record<string, string>> = {
  local: 'local judge',
  teacher: 'the teacher LLM',
  student: 'a distilled judge',
  combined: 'the local and a distilled judge together',
  cascade: 'a local judge, and an LLM where that is unsure',
  recorded: 'the recorded LLM',
  validity: 'a validity check',
  labels: 'comparison with the labels of the teacher',
  unknown: 'a judge that is not known',
};

/** Bands of kappa in words (Landis and Koch 1977), so that a reader who does not know kappa is warned. */
function agreementWord(kappa: number): string {
  if (kappa >= 0.8) return 'almost perfect';
  if (kappa >= 0.6) return 'substantial';
  if (kappa >= 0.4) return 'moderate: read small differences with care';
  return 'weak: these scores are rough';
}

/** Above a table: who judged it, and the agreement that its numbers rest on. */
export function judgeLines(judge: JudgeFacts): Markup {
  const kappa = judge.kappa;
  const interval = judge.kappaInterval && kappaInterval(judge.kappaInterval);
  return html`<p class="small">Judged by: <b>${JUDGE_NAMES[judge.kind] ?? judge.kind}</b>.${judge.description && ` ${judge.description}`}
  ${
    kappa !== undefined &&
    html` Agreement${judge.cascade && ' of the local part'} with the recorded judge on held-out student-made and flawed texts: quadratic-weighted κ <b class="number">${kappa.toFixed(2)}</b>${interval && ` (95% interval ${interval})`}, ${agreementWord(kappa)}.`
  }${judge.cascade && cascadeSentence(judge.cascade)}</p>`;
}

function cascadeSentence({ asked, texts, usd, usdSaved }: NonNullable<JudgeFacts['cascade']>): string {
  const share = texts === 0 ? undefined : asked / texts;
  const saved = usdSaved === undefined ? '' : `, about ${dollars(usdSaved)} less than for all`;
  return ` The LLM scored ${quantity(asked)} of ${quantity(texts)} outputs (${percent(share)})${usd === undefined ? '' : `: ${dollars(usd)}${saved}`}.`;
}

/** How far the judge agrees with the reference judge, by kind of text and score by score; folded away. */
export function judgeDetails({ judge, confusions }: Pick<StageTable, 'judge' | 'confusions'>): Markup | false {
  const reference = judge.confusion && { first: 'reference judge', second: 'this judge', matrix: judge.confusion };
  const matrices = [...(reference ? [reference] : []), ...confusions];
  if (judge.byKind.length + matrices.length === 0) return false;
  return html`<details><summary>How far the judge can be trusted</summary><div class="grid">
  ${
    judge.byKind.length > 0 &&
    scrollTable(
      'Agreement by kind of text',
      html`<table><caption>Agreement with the reference judge on held-out texts</caption>
    <thead><tr><th scope="col">Kind of text</th><th scope="col">Texts</th><th scope="col">κ</th><th scope="col">Error of Rate(≥3), points</th></tr></thead>
    <tbody>${judge.byKind.map(
      (part) => html`<tr><th scope="row">${part.kind}</th><td>${quantity(part.texts)}</td>
      <td>${part.kappa?.toFixed(2) ?? ABSENT}${part.kappaInterval && html`<small>${kappaInterval(part.kappaInterval)}</small>`}</td><td>${points(part.rateError)}</td></tr>`,
    )}</tbody></table>`,
    )
  }
  ${matrices.map(confusionTable)}</div></details>`;
}

function confusionTable({ first, second, matrix }: StageTable['confusions'][number]): Markup {
  return scrollTable(
    `Scores: ${first} and ${second}`,
    html`<table><caption>Rows: score, ${first}; columns: score, ${second}</caption>
    <thead><tr><th scope="col">${first}</th>${matrix.map((_, i) => html`<th scope="col">${i + 1}</th>`)}</tr></thead>
    <tbody>${matrix.map((row, i) => html`<tr><th scope="row">${i + 1}</th>${row.map((count) => html`<td>${quantity(count)}</td>`)}</tr>`)}</tbody></table>`,
  );
}

function kappaInterval(interval: Interval): string {
  return interval.map((value) => value.toFixed(2)).join(' to ');
}

/** Where the texts lie: pictures of their embeddings, and what was measured before they were pressed onto a plane. */

import { armClass, armLabel } from '../arms.ts';
import { embeddingFigure, kindSign } from '../embedding-figure.ts';
import { html, type Markup } from '../markup.ts';
import { ABSENT, quantity } from '../number-format.ts';
import type { Embeddings, ReportData } from '../run-data.ts';
import { scrollTable } from './scroll-table.ts';

/** Both pictures and the table under them; nothing where the run has no embeddings. */
export function embeddingsSection({ embeddings }: ReportData): Markup | false {
  if (embeddings === undefined) return false;
  const { model, documents, documentsInAll, kinds } = embeddings;
  const legend = kinds.map(
    ({ kind }) =>
      html`<span class="legend ${armClass(kind)}"><span class="sign" aria-hidden="true">${kindSign(kind, kinds)}</span> ${armLabel(kind)}</span> `,
  );
  return html`<section id="embeddings" aria-labelledby="embeddings-title">
  <h2 id="embeddings-title">Where the texts lie</h2>
  <p class="soft">Each point is a text (embedded by ${model}); what lies close together says alike things. Distances between clouds, and their sizes, mean little in these pictures: the table has them.${
    documents < documentsInAll && ` Drawn: ${quantity(documents)} of ${quantity(documentsInAll)} documents.`
  }</p>
  <p class="small">${legend}</p>
  <div class="grid">
    ${(['tsne', 'umap'] as const).map(
      (method) =>
        html`<div class="panel"><h3>${method === 'tsne' ? 't-SNE' : 'UMAP'}</h3><figure>${embeddingFigure(embeddings, method)}</figure></div>`,
    )}
  </div>
  <div class="panel">${kindTable(kinds)}</div>
</section>`;
}

function kindTable(kinds: Embeddings['kinds']): Markup {
  const cell = (value: Embeddings['kinds'][number]['spread']) =>
    html`<td>${value?.mean.toFixed(3) ?? ABSENT}${value?.interval && html`<small>${value.interval.map((bound) => bound.toFixed(3)).join(' to ')}</small>`}</td>`;
  return scrollTable(
    'Embeddings by kind of text',
    html`<table><caption>Cosine with the embedding of its own source, and 1 − cosine with the centre of its kind: means, with 95% intervals over documents</caption>
    <thead><tr><th scope="col">Texts</th><th scope="col">Number</th><th scope="col">Similarity to source</th><th scope="col">Spread</th></tr></thead>
    <tbody>${kinds.map(
      ({ kind, texts, similarity, spread }) =>
        html`<tr><th scope="row">${armLabel(kind)}</th><td>${quantity(texts)}</td>${cell(similarity)}${cell(spread)}</tr>`,
    )}</tbody></table>`,
  );
}

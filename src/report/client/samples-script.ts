/** Browser script of the report: what one sample looks like (a SamplePayload's), and which ones are wanted. */

export const SAMPLES_SCRIPT = String.raw`
function samplePanel(payload, sample, compare) {
  const source = payload.documents.find((document) => document.id === sample.docId);
  const reference = compare === 'source' ? source : sample.outputs[payload.arms.findIndex((arm) => arm.id === compare)];
  const texts = element('div', { class: 'texts' });
  const spacer = () => element('p', { class: 'facts' }, source.text.split(/\s+/).length + ' words');
  if (source) texts.append(textPanel('Source', '', { text: source.text, facts: spacer() }, null));
  payload.arms.forEach((arm, i) => {
    const output = sample.outputs[i];
    if (!output) return;
    const before = reference && reference !== output ? reference.text : null;
    texts.append(textPanel(arm.label, arm.className, { ...output, facts: facts(output) }, before));
  });
  const pair = sample.genre && element('p', { class: 'pair' }, element('b', {}, 'Genre: '), sample.genre, ' ', element('b', {}, 'Audience: '), sample.audience || '');
  return element('article', { class: 'panel sample' },
    element('header', {}, element('h3', {}, source ? source.title : sample.docId),
      element('span', { class: 'soft small' }, payload.stages[sample.stage] + ' · ' + sample.item)),
    pair || null, texts);
}

function matches(payload, sample, wanted) {
  if (wanted.stage && sample.stage !== wanted.stage) return false;
  if (wanted.document && sample.docId !== wanted.document) return false;
  if (!wanted.arm && !wanted.score && !wanted.usable) return true;
  return sample.outputs.some((output, i) => output
    && (!wanted.arm || payload.arms[i].id === wanted.arm)
    && (!wanted.score || String(output.score ?? 'none') === wanted.score)
    && (!wanted.usable || output.usable === (wanted.usable === 'yes')));
}

const sampleData = document.getElementById('sample-data');
if (sampleData) startSamples(sampleData, matches, samplePanel);
`;

/** Browser script of the page of two runs: what both answered to one input (a ComparePayload's sample), and which ones are wanted. */

export const COMPARE_SCRIPT = `
function comparePanel(payload, sample, compare) {
  const source = payload.documents.find((document) => document.id === sample.docId);
  const [first, second] = sample.outputs;
  const arm = payload.arms[sample.arm];
  const before = compare === 'first' ? first.text : compare === 'source' && source ? source.text : null;
  const texts = element('div', { class: 'texts' });
  if (source) texts.append(textPanel('Source', '', { text: source.text, facts: element('p', { class: 'facts' }) }, null));
  texts.append(textPanel(payload.names[0], 'run-first', { ...first, facts: facts(first) }, compare === 'source' ? before : null));
  texts.append(textPanel(payload.names[1], 'run-second', { ...second, facts: facts(second) }, before));
  const pair = sample.genre && element('p', { class: 'pair' }, element('b', {}, 'Genre: '), sample.genre, ' ', element('b', {}, 'Audience: '), sample.audience || '');
  return element('article', { class: 'panel sample' },
    element('header', {}, element('h3', {}, source ? source.title : sample.docId),
      element('span', { class: 'soft small' }, element('span', { class: 'key ' + arm.className }), arm.label + ' · ' + payload.stages[sample.stage] + ' · ' + sample.item)),
    pair || null, texts);
}

const CHANGES = {
  better: (first, second) => first.score !== null && second.score !== null && second.score > first.score,
  worse: (first, second) => first.score !== null && second.score !== null && second.score < first.score,
  same: (first, second) => first.score === second.score,
  gained: (first, second) => second.usable === true && first.usable !== true,
  lost: (first, second) => first.usable === true && second.usable !== true,
};

function matches(payload, sample, wanted) {
  return (!wanted.stage || sample.stage === wanted.stage)
    && (!wanted.document || sample.docId === wanted.document)
    && (!wanted.arm || sample.arm === wanted.arm)
    && (!wanted.change || CHANGES[wanted.change](...sample.outputs));
}

const sampleData = document.getElementById('sample-data');
if (sampleData) startSamples(sampleData, matches, comparePanel);
`;

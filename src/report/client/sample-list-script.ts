/** Browser script of every page with samples: unpacks them, filters and pages a list. Texts only ever go in as text nodes. */

export const SAMPLE_LIST_SCRIPT = `
const PAGE_SIZE = 8;

// An element with attributes and children; strings become text nodes.
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

async function unpack(base64) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return JSON.parse(await new Response(stream).text());
}

function marked(before, text) {
  if (before === null) return [text];
  return wordDiff(before, text).map(([mark, part]) =>
    mark === '=' ? part : element(mark === '+' ? 'ins' : 'del', {}, part));
}

function facts(output) {
  const line = element('p', { class: 'facts' });
  line.append(output.score === null ? 'no score' : element('b', {}, 'Score ' + output.score));
  if (output.usable !== undefined)
    line.append(' · ', element('span', { class: output.usable ? 'good' : 'bad' }, output.usable ? 'usable' : 'not usable'));
  if (output.copied) line.append(' · copied');
  if (output.complete === false) line.append(' · unfinished');
  return line;
}

function textPanel(label, className, output, before) {
  const name = label + ', text';
  return element('div', { class: 'output ' + className }, element('h4', {}, label), output.facts,
    element('div', { class: 'body', tabindex: '0', role: 'region', 'aria-label': name }, ...marked(before, output.text)),
    output.reason ? element('p', { class: 'reason' }, output.reason) : null);
}

// The list of samples under its form: 'matches(payload, sample, wanted)' filters, 'panel(payload, sample, compare)' draws.
async function startSamples(data, matches, panel) {
  const payload = await unpack(data.textContent.trim());
  const form = document.getElementById('filters');
  const count = document.getElementById('sample-count');
  const [previous, next] = ['previous', 'next'].map((id) => document.getElementById(id));
  let page = 0;
  function show() {
    const wanted = Object.fromEntries(new FormData(form));
    const found = payload.samples.filter((sample) => matches(payload, sample, wanted));
    const pages = Math.max(1, Math.ceil(found.length / PAGE_SIZE));
    page = Math.min(page, pages - 1);
    const drawn = found.slice(page * PAGE_SIZE, (page + 1) * PAGE_SIZE);
    count.textContent = found.length === payload.samples.length
      ? found.length + (found.length === 1 ? ' sample' : ' samples')
      : found.length + ' of ' + payload.samples.length + ' samples';
    document.getElementById('sample-list').replaceChildren(...drawn.map((sample) => panel(payload, sample, wanted.compare)));
    document.getElementById('pager').hidden = pages === 1;
    document.getElementById('page-number').textContent = 'Page ' + (page + 1) + ' of ' + pages;
    previous.disabled = page === 0;
    next.disabled = page === pages - 1;
  }
  function turn(by) {
    page += by;
    show();
    count.focus({ preventScroll: true });
    count.scrollIntoView({ block: 'start' });
  }
  // "Mark differences" redraws the same page; every other filter starts again at the first.
  form.addEventListener('change', (event) => { if (event.target.name !== 'compare') page = 0; show(); });
  // The fields have their first values only after this event.
  form.addEventListener('reset', () => setTimeout(() => { page = 0; show(); }));
  form.addEventListener('submit', (event) => event.preventDefault());
  previous.addEventListener('click', () => turn(-1));
  next.addEventListener('click', () => turn(1));
  show();
}
`;

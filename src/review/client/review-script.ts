/** Browser script of the review page: shows screens, takes ratings by key or button, and sends each one at once. */

export const REVIEW_SCRIPT = `
const token = new URLSearchParams(location.search).get('token');
const byId = (id) => document.getElementById(id);
const nameOf = (index) => byId('texts').dataset.texts === '1' ? 'The text' : ['Left text', 'Right text'][index];

let review;
let answers = new Map();
// Place in review.screens, and which of its texts the keys rate.
let screen = 0;
let active = 0;

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

async function ask(path, body) {
  const headers = { 'x-review-token': token };
  if (body) headers['content-type'] = 'application/json';
  const response = await fetch(path, { method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body) });
  const value = await response.json();
  if (!response.ok) throw new Error(value.error);
  return value;
}

function fail(error, what) {
  byId('failure').hidden = false;
  byId('failure').textContent = what + ' (' + error.message + '). If mga review has ended, start it again and open the address it prints: all ratings counted above are kept.';
}

function take(state) {
  answers = new Map(state.answers);
  byId('failure').hidden = true;
}

const firstOpen = (texts) => texts.findIndex((text) => !answers.has(text.id));

// The nearest screen from here on, around the end, with a text that waits for an answer; -1 where none does.
function nextOpen(from) {
  for (let i = 0; i < review.screens.length; i++) {
    const at = (from + i) % review.screens.length;
    if (firstOpen(review.screens[at].texts) >= 0) return at;
  }
  return -1;
}

function panel(text, index) {
  const name = nameOf(index);
  const answer = answers.get(text.id);
  const said = answer === undefined ? '' : answer === 'skip' ? 'skipped' : 'rated ' + answer;
  const heading = element('h2', { id: 'side-' + index }, name, ' ', element('span', { class: 'soft small' }, said));
  const body = element('div', { class: 'body', id: 'text-' + index, tabindex: '0', role: 'region', 'aria-label': name }, text.text);
  const scale = element('div', { class: 'scale', role: 'group', 'aria-label': 'Score of ' + name });
  for (let score = 1; score <= 5; score++) {
    const button = element('button', { type: 'button', 'aria-pressed': String(answer === score), 'aria-label': name + ', score ' + score }, String(score));
    button.addEventListener('click', () => give(index, score));
    scale.append(button);
  }
  const made = element('section', { class: 'panel rated-text', 'aria-labelledby': 'side-' + index }, heading, body, scale);
  made.addEventListener('focusin', () => activate(index));
  made.addEventListener('pointerdown', () => activate(index));
  return made;
}

function activate(index) {
  active = index;
  [...byId('texts').children].forEach((part, i) => part.classList.toggle('active', i === index));
}

function draw(focus) {
  const { document: id, genre, audience, texts } = review.screens[screen];
  const source = review.documents[id];
  byId('source-title').textContent = source.title;
  if (byId('source').dataset.document !== id) {
    byId('source').textContent = source.text;
    byId('source').dataset.document = id;
    byId('source').scrollTop = 0;
  }
  byId('genre').textContent = genre;
  byId('audience').textContent = audience;
  byId('pair').hidden = !genre && !audience;
  byId('texts').dataset.texts = texts.length;
  byId('texts').replaceChildren(...texts.map(panel));
  activate(Math.max(0, Math.min(active, texts.length - 1)));
  byId('place').textContent = 'Screen ' + (screen + 1) + ' of ' + review.screens.length;
  byId('previous').disabled = screen === 0;
  byId('next').disabled = screen === review.screens.length - 1;
  progress();
  if (focus) byId('text-' + active).focus({ preventScroll: true });
}

function progress() {
  const skipped = [...answers.values()].filter((answer) => answer === 'skip').length;
  byId('progress').max = review.total;
  byId('progress').value = answers.size;
  byId('count').textContent = (answers.size - skipped) + ' of ' + review.total + ' rated' + (skipped ? ', ' + skipped + ' skipped' : '');
  byId('undo').disabled = answers.size === 0;
  byId('done').hidden = answers.size < review.total;
}

function goTo(at, index, focus) {
  screen = at;
  active = index;
  draw(focus);
  scrollTo({ top: 0 });
}

async function give(index, answer) {
  const text = review.screens[screen].texts[index];
  try {
    take(await ask('/ratings', { id: text.id, answer }));
  } catch (error) {
    fail(error, 'This rating was not saved');
    return;
  }
  byId('rubric').open = false;
  byId('said').textContent = nameOf(index) + (answer === 'skip' ? ' skipped' : ' rated ' + answer) + '.';
  const open = firstOpen(review.screens[screen].texts);
  const next = nextOpen(screen + 1);
  if (open >= 0) goTo(screen, open, true);
  else if (next >= 0) goTo(next, firstOpen(review.screens[next].texts), true);
  else draw(true);
}

async function undo() {
  const last = [...answers.keys()].pop();
  if (last === undefined) return;
  try {
    take(await ask('/ratings', { id: last, answer: null }));
  } catch (error) {
    fail(error, 'The rating still stands');
    return;
  }
  const at = review.screens.findIndex(({ texts }) => texts.some(({ id }) => id === last));
  byId('said').textContent = 'Rating taken back.';
  goTo(at, review.screens[at].texts.findIndex(({ id }) => id === last), true);
}

const turn = (by) => {
  const at = screen + by;
  if (at >= 0 && at < review.screens.length) goTo(at, Math.max(0, firstOpen(review.screens[at].texts)), true);
};

const KEYS = {
  u: undo, Backspace: undo,
  s: () => give(active, 'skip'),
  l: () => focusText(0), r: () => focusText(1),
  ArrowLeft: () => turn(-1), ArrowRight: () => turn(1),
};

function focusText(index) {
  const body = byId('text-' + index);
  if (body) body.focus();
}

document.addEventListener('keydown', (event) => {
  if (!review || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const act = /^[1-5]$/.test(event.key) ? () => give(active, Number(event.key)) : KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

// Another tab may have rated meanwhile.
document.addEventListener('visibilitychange', async () => {
  if (document.hidden || !review) return;
  try {
    take(await ask('/state'));
    draw(false);
  } catch (error) {
    fail(error, 'The ratings could not be read again');
  }
});

byId('undo').addEventListener('click', undo);
byId('skip').addEventListener('click', () => give(active, 'skip'));
byId('previous').addEventListener('click', () => turn(-1));
byId('next').addEventListener('click', () => turn(1));

(async () => {
  try {
    review = await ask('/review');
    take(review);
  } catch (error) {
    fail(error, 'The texts could not be read');
    return;
  }
  const open = nextOpen(0);
  byId('rubric').open = answers.size === 0;
  byId('review').hidden = false;
  goTo(Math.max(0, open), open < 0 ? 0 : firstOpen(review.screens[open].texts), true);
})();
`;

/** What `mga explain` prints. */

import type { Explanation } from '../store/explain.ts';
import { count, printable } from '../ui/format.ts';

/** Longer texts are cut; `full` keeps them whole. */
const CUT_AT = 1200;

/** An explanation for people: document, calls in order, scores, decisions, price. */
export function renderExplanation(explanation: Explanation, full: boolean): string {
  const { id, document, calls, scores, samples, ratings, usd, note } = explanation;
  const cut = (text: string) => indent(full || text.length <= CUT_AT ? text : `${text.slice(0, CUT_AT)} […]`);
  const parts = [
    `${id}${document ? `: document ${document.id}, split ${document.split ?? 'none'}` : ''}`,
    document && section(['Document', document.title, document.domain].filter(Boolean).join(', '), cut(document.text)),
    ...calls.map((call) => renderCall(call, cut)),
    ...samples.map((sample) => {
      const decision = sample.kept === null ? 'undecided' : sample.kept ? 'kept' : 'dropped';
      const why = sample.reason ? `: ${sample.reason}${sample.rule ? ` (rule ${sample.rule})` : ''}` : '';
      const facts = [`round ${sample.round}`, sample.split, sample.score === null ? '' : `score ${sample.score}`];
      return `Sample ${sample.id} of ${sample.stage} (${facts.filter(Boolean).join(', ')}): ${decision}${why}`;
    }),
    ...scores.map(({ text_id, score, analysis }) => section(`Judged ${text_id}: score ${score}`, cut(analysis))),
    ratings.length > 0
      ? `Rated by people\n${ratings.map((rating) => `  ${ratingLine(rating)}`).join('\n')}`
      : undefined,
    usd > 0 ? `Price of all of it: $${usd.toFixed(4)}${byModel(calls)}` : undefined,
    note ?? undefined,
  ];
  return `${parts.filter((part) => part !== undefined && part !== null).join('\n\n')}\n`;
}

function ratingLine({ stage, item, arm, model, rater, score, at }: Explanation['ratings'][number]): string {
  const said = score === null ? 'skipped' : `score ${score}`;
  return printable(`${stage} ${item} of ${arm} (${model}): ${said} by ${rater}, ${at.slice(0, 10)}`);
}

function renderCall(call: Explanation['calls'][number], cut: (text: string) => string): string {
  const sent = call.sent > 1 ? `, sent ${call.sent} times` : '';
  const tokens =
    call.prompt_tokens === null ? '' : `, ${count(call.prompt_tokens)} + ${count(call.completion_tokens ?? 0)} tokens`;
  const price = call.usd === null ? '' : `, $${call.usd.toFixed(4)}`;
  const head = `${call.stage} ${call.item} to ${askedName(call)}: ${call.state}${sent}${tokens}${price}`;
  const messages = (call.messages ?? []).map((message) => section(`${message.role}:`, cut(message.content)));
  const answer = call.text === null ? undefined : section('answer:', cut(call.text));
  const failure = call.failure === null ? undefined : `failure: ${call.failure}`;
  return [head, ...messages, answer, failure].filter((part) => part !== undefined).join('\n');
}

function askedName({ model, provider }: Explanation['calls'][number]): string {
  return `${model ?? 'unknown'}${provider ? ` at ${provider}` : ''}`;
}

/** The price by who was paid, where there are several. */
function byModel(calls: Explanation['calls']): string {
  const paid = new Map<string, number>();
  for (const call of calls) if (call.usd) paid.set(askedName(call), (paid.get(askedName(call)) ?? 0) + call.usd);
  const parts = [...paid].map(([name, usd]) => `${name} $${usd.toFixed(4)}`);
  return parts.length > 1 ? ` (${parts.join(', ')})` : '';
}

function section(heading: string, body: string): string {
  return `${heading}\n${body}`;
}

function indent(text: string): string {
  return printable(text)
    .split('\n')
    .map((line) => `  ${line}`.trimEnd())
    .join('\n');
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseReformulation, reformulateStage } from './reformulate.ts';

describe('parseReformulation()', () => {
  it.each([
    ['a plain text', 'Bees dance.\n\nThey do.', 'Bees dance.\n\nThey do.'],
    ['thinking', '<think>\nshort\n</think>\n\nBees dance.', 'Bees dance.'],
    ['an announcing line', "Here's the rewritten document:\n\nBees dance.", 'Bees dance.'],
    ['a fence', '```markdown\nBees dance.\n```', 'Bees dance.'],
    ['both', 'Sure! Here is the text:\n\n```\nBees dance.\n```', 'Bees dance.'],
    ['a text that begins with Here', 'Here are bees.\n\nThey dance: often.', 'Here are bees.\n\nThey dance: often.'],
  ])('takes the text out of %s', (_name, response, text) => {
    expect(parseReformulation(response)).toEqual({ ok: true, value: text });
  });

  it.each([
    ['nothing', '  \n'],
    ['thinking alone', '<think>Bees dance.</think>'],
    ['punctuation', '...'],
    ['a refusal', "I'm sorry, but I can't help with that."],
  ])('refuses %s', (_name, response) => {
    expect(parseReformulation(response).ok).toBe(false);
  });

  it('reads its own output back unchanged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (response) => {
        const once = parseReformulation(response);
        if (once.ok && !/```|think/i.test(response)) expect(parseReformulation(once.value)).toEqual(once);
      }),
    );
  });
});

describe('reformulateStage', () => {
  it('gives students the document, then genre and audience', () => {
    const [message] = reformulateStage.studentPrompt({
      document: { id: 'a', text: 'Bees dance.' },
      pair: { genre: 'Ode.', audience: 'Bears.' },
    });
    expect(message!.content).toBe(
      'Document:\nBees dance.\n\nRewrite the document for this genre and audience, keeping its information.\nGenre: Ode.\nAudience: Bears.',
    );
  });
});

import fc from 'fast-check';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { escapeHtml, html, trusted } from './markup.ts';

describe('html', () => {
  it('gives any text back as the text and the attribute it was', () => {
    const printable = fc.string({ unit: 'grapheme-ascii' });
    fc.assert(
      fc.property(printable, (text) => {
        const { document } = parseHTML(html`<body><p title="${text}">${text}</p></body>`.markup);
        const paragraph = document.querySelector('p')!;
        expect(paragraph.textContent).toBe(text);
        expect(paragraph.getAttribute('title')).toBe(text);
        expect(document.querySelectorAll('body *').length).toBe(1);
      }),
    );
  });

  it('inserts markup and lists as they are and leaves out what is absent', () => {
    const rows = ['a', '<b>'].map((text) => html`<li>${text}</li>`);
    expect(html`<ul>${rows}${undefined}${null}${false}${0}${trusted('<hr>')}</ul>`.markup).toBe(
      '<ul><li>a</li><li>&lt;b&gt;</li>0<hr></ul>',
    );
  });
});

describe('escapeHtml()', () => {
  it('drops control characters that HTML forbids and keeps tabs and line ends', () => {
    expect(escapeHtml('a\u0000b\u001bc\td\n')).toBe('abc\td\n');
  });
});

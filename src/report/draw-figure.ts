/** Plots as inline SVG, rendered without a browser. Colours are custom properties of the style sheet. */

import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { type Markup, trusted } from './markup.ts';

/** Drawn width in CSS pixels: narrow enough that text is still readable when a phone shrinks the figure. */
const WIDTH = 440;

const { document } = parseHTML('<!doctype html><html><body></body></html>');

/**
 * One figure as markup. The page's policy forbids inline styles, so the plot's own style element goes (the style sheet
 * replaces it), and labels inside go too: the figure is one image to a screen reader, described by `label`.
 */
export function drawFigure(label: string, options: Plot.PlotOptions): Markup {
  const svg = Plot.plot({ width: WIDTH, ...options, document: document as never }) as unknown as Element;
  for (const style of [...svg.querySelectorAll('style')]) style.remove();
  for (const part of [svg, ...svg.querySelectorAll('*')]) {
    for (const name of ['style', 'class', 'aria-label', 'aria-description']) part.removeAttribute(name);
  }
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  svg.setAttribute('class', 'plot');
  return trusted(svg.outerHTML);
}

/** The parts of a DOM element that `drawFigure` needs (this project compiles without DOM types). */
interface Element {
  readonly outerHTML: string;
  querySelectorAll(selector: string): Iterable<Element>;
  remove(): void;
  removeAttribute(name: string): void;
  setAttribute(name: string, value: string): void;
}

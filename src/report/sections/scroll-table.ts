/** A wide table in a box that scrolls sideways, reachable by keyboard and named for screen readers. */

import { html, type Markup } from '../markup.ts';

/** @param label what the table holds, for those who do not see it */
export function scrollTable(label: string, table: Markup): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}">${table}</div>`;
}

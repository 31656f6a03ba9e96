/** Every further part of a report in a real browser: rounds, prompt variants, learning curve, collapse, abstention, embeddings, break-even. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeReport } from '../../src/report/report.ts';
import { makeFullRun } from '../golden/report/make-full-run.ts';
import { type Browser, openBrowser, type Page, seriousViolations } from './report-browser.ts';

const SHOTS = new URL('../../.cache/report-sections/', import.meta.url).pathname;
const WIDE = { width: 1360, height: 900 };
/** About 80 columns of this page's text. */
const MIDDLE = { width: 720, height: 900 };
const NARROW = { width: 400, height: 850 };
/** On a machine that may be busy with other tests. */
const SHOT_MS = 120_000;
const SECTIONS = ['verdict', 'table', 'learning-curve', 'embeddings', 'collapse', 'rounds', 'cost'];

const root = mkdtempSync(join(tmpdir(), 'mga-report-sections-'));
let browser: Browser;
let report: string;

beforeAll(async () => {
  mkdirSync(SHOTS, { recursive: true });
  browser = await openBrowser();
  const { recipe, folder } = await makeFullRun(root);
  await writeReport(recipe, folder, { emit: () => {}, signal: new AbortController().signal });
  report = folder.report;
});

afterAll(async () => {
  await browser.close();
  rmSync(root, { recursive: true });
});

async function open(settings: { bypassCSP?: boolean } = {}) {
  const page = await browser.newPage({ viewport: WIDE, ...settings });
  const url = pathToFileURL(report).href;
  const noise: string[] = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && noise.push(message.text()));
  page.on('pageerror', (error) => noise.push(error.message));
  page.on('dialog', () => noise.push('dialog'));
  page.on('request', (request) => !request.url().startsWith(url) && noise.push(request.url()));
  await page.goto(url);
  await page.locator('.sample').first().waitFor();
  return { page, noise };
}

const OPEN_DETAILS = 'document.querySelectorAll("details").forEach((part) => { part.open = true; })';

async function shoot(page: Page, name: string) {
  // It would lie over whatever is scrolled below it.
  await page.evaluate('document.querySelector(".bar").style.position = "static"');
  for (const section of SECTIONS) {
    await page.locator(`#${section}`).screenshot({ path: join(SHOTS, `${name}-${section}.png`), timeout: SHOT_MS });
  }
}

describe('report.html of a run with everything', () => {
  it('is silent, holds every part, and its filters work', async () => {
    const { page, noise } = await open();
    for (const section of SECTIONS) expect(await page.locator(`#${section}`).count()).toBe(1);
    expect(await page.locator('#table [aria-label="Table 2, Reformulation"] tbody tr').count()).toBe(5);
    expect(await page.locator('#table details figure, #table h5').count()).toBe(2);
    expect(await page.locator('#rounds svg').count()).toBe(2);
    expect(await page.locator('#break-even').first().textContent()).toMatch(/cheaper after [\d,]+ documents/);
    const all = Number.parseInt((await page.locator('#sample-count').textContent()) ?? '', 10);
    await page.locator('select[name=arm]').selectOption('student-w8a8');
    await page.locator('select[name=score]').selectOption('3');
    const found = Number.parseInt((await page.locator('#sample-count').textContent()) ?? '', 10);
    expect(found).toBeGreaterThan(0);
    expect(found).toBeLessThan(all);
    expect(noise).toEqual([]);
  });

  it('keeps every table inside its panel', async () => {
    const { page } = await open();
    await page.evaluate(OPEN_DETAILS);
    for (const size of [WIDE, MIDDLE, NARROW]) {
      await page.setViewportSize(size);
      // A wide one scrolls in a box of its own.
      const outside = await page.evaluate<string[]>(`[...document.querySelectorAll('.panel table')].filter((table) => {
        const box = table.closest('.scroll') || table;
        return box.getBoundingClientRect().right > table.closest('.panel').getBoundingClientRect().right + 1;
      }).map((table) => table.closest('section').id + ': ' + table.textContent.trim().slice(0, 40))`);
      expect(outside).toEqual([]);
    }
  });

  it('draws every picture inside its own frame', async () => {
    const { page } = await open();
    await page.evaluate(OPEN_DETAILS);
    // Texts of a figure may stand beyond its viewBox (overflow is visible), but never beyond the panel around it.
    const outside = await page.evaluate<string[]>(`[...document.querySelectorAll('svg.plot')].flatMap((svg) => {
      const frame = svg.closest('.panel').getBoundingClientRect();
      return [...svg.querySelectorAll('text')].filter((text) => {
        const { left, right } = text.getBoundingClientRect();
        return text.textContent && (left < frame.left - 1 || right > frame.right + 1);
      }).map((text) => svg.getAttribute('aria-label').slice(0, 40) + ': ' + text.textContent);
    })`);
    expect(outside).toEqual([]);
  });

  it.each(['light', 'dark'] as const)('has no serious accessibility fault in %s', async (colorScheme) => {
    const { page } = await open({ bypassCSP: true });
    await page.emulateMedia({ colorScheme });
    await page.evaluate(OPEN_DETAILS);
    expect(await seriousViolations(page)).toEqual([]);
    await shoot(page, colorScheme);
  });

  it.each([MIDDLE, NARROW])('fits $width pixels', async (size) => {
    const { page } = await open();
    await page.setViewportSize(size);
    await page.evaluate(OPEN_DETAILS);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(size.width);
    await shoot(page, String(size.width));
  });

  it('prints: no control, no table cut off at the edge of the paper', async () => {
    const { page } = await open();
    await page.emulateMedia({ media: 'print' });
    // A4 on its side less its margins, at 96 pixels an inch.
    await page.setViewportSize({ width: 1032, height: 700 });
    expect(await page.locator('#filters').isVisible()).toBe(false);
    const wide = await page.evaluate<string[]>(
      `[...document.querySelectorAll('table')].filter((table) => table.getClientRects().length && table.getBoundingClientRect().right > innerWidth + 1)
        .map((table) => table.closest('section').id + ': ' + (table.querySelector('th') || table).textContent)`,
    );
    expect(wide).toEqual([]);
    await shoot(page, 'print');
    await page.pdf({ path: join(SHOTS, 'print.pdf'), preferCSSPageSize: true });
  });
});

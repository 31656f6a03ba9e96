/** Opens report files in headless Chromium. Typed by hand: the main package type-checks without this folder's node_modules. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** Debian's, unless the environment names another. */
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

export interface Locator {
  click(): Promise<void>;
  count(): Promise<number>;
  first(): Locator;
  isVisible(): Promise<boolean>;
  locator(selector: string): Locator;
  screenshot(options: { path: string; timeout?: number }): Promise<unknown>;
  selectOption(value: string): Promise<unknown>;
  textContent(): Promise<string | null>;
  allTextContents(): Promise<string[]>;
  waitFor(): Promise<void>;
}

export interface Page {
  emulateMedia(options: { media?: 'screen' | 'print'; colorScheme?: 'light' | 'dark' }): Promise<void>;
  evaluate<T>(expression: string): Promise<T>;
  goto(url: string): Promise<unknown>;
  keyboard: { press(key: string): Promise<void> };
  locator(selector: string): Locator;
  on(
    event: string,
    listener: (event: { type(): string; text(): string; url(): string; message: string }) => void,
  ): void;
  pdf(options: { path: string; preferCSSPageSize: boolean }): Promise<unknown>;
  screenshot(options: { path: string; fullPage?: boolean }): Promise<unknown>;
  setViewportSize(size: { width: number; height: number }): Promise<void>;
}

export interface Browser {
  close(): Promise<void>;
  newPage(options: { bypassCSP?: boolean; viewport?: { width: number; height: number } }): Promise<Page>;
}

interface AxeResult {
  violations: { id: string; impact: string; nodes: { target: string[] }[] }[];
}

const resolve = createRequire(import.meta.url);

/** A browser that calls nobody: no updates, no sync, no start page. */
export async function openBrowser(): Promise<Browser> {
  const { chromium } = resolve('playwright-core') as { chromium: { launch(options: object): Promise<Browser> } };
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-quic'];
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', ...quiet],
  });
}

/** The page's axe-core violations of impact `serious` or `critical`. The page must have been opened with `bypassCSP`. */
export async function seriousViolations(page: Page): Promise<string[]> {
  await page.evaluate(readFileSync(resolve.resolve('axe-core/axe.min.js'), 'utf8'));
  const { violations } = await page.evaluate<AxeResult>('axe.run()');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}

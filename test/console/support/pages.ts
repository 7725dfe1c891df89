/** A browser at the console: what breaks its policy or throws is a fault, and axe looks at each page. */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';
import { REPOSITORY } from '../../support/risk.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SHOTS = process.env['RISK_SCREENSHOTS'] ?? join(REPOSITORY, 'bench', 'results', 'console');

export const WIDE = { width: 1280, height: 800 };
export const NARROW = { width: 390, height: 844 };

/** Widths and themes in which each page is looked at. */
export const LOOKS = [
  ['1280', WIDE, 'light'],
  ['1280', WIDE, 'dark'],
  ['390', NARROW, 'light'],
  ['390', NARROW, 'dark'],
] as const;

/** A page in a context of its own, which is closed with it. */
export type Tab = Page & {
  /** Errors of scripts, and reports of the policy: a tab that is closed with a fault fails its test. */
  readonly faults: readonly string[];
};

/** Writes what the policy refuses where `faults` sees it. */
const REPORT = `document.addEventListener('securitypolicyviolation', (event) =>
  console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI))`;

/** Sums by how much content moved that nobody touched, as Chromium scores it. */
const WATCH = `window.shifted = 0;
new PerformanceObserver((list) => {
  for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) shifted += value;
}).observe({ type: 'layout-shift', buffered: true });`;

export async function openTab(browser: Browser, options: BrowserContextOptions = {}): Promise<Tab> {
  const context = await browser.newContext({
    viewport: WIDE,
    timezoneId: 'Asia/Tokyo',
    ...options,
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    // A refused request is the page's to show; the browser writes it down as well.
    const isRefusal = /Failed to load resource/.test(message.text());
    if (message.type() === 'error' && !isRefusal) faults.push(message.text());
  });
  await page.addInitScript(REPORT);
  await page.addInitScript(WATCH);
  const close = async () => {
    await context.close();
    expect(faults).toEqual([]);
  };
  return Object.assign(page, { faults, [Symbol.asyncDispose]: close });
}

type Violation = {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
};

/** Violations of WCAG 2.2 AA that axe finds, a line for each node. */
export async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const found = await page.evaluate(
    `axe.run({ runOnly: ${JSON.stringify(tags)} }).then(({ violations }) => violations)`,
  );
  return (found as Violation[]).flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`),
  );
}

export async function shoot(
  page: Page,
  name: string,
  { isWhole = false }: { readonly isWhole?: boolean } = {},
): Promise<void> {
  mkdirSync(SHOTS, { recursive: true });
  const path = join(SHOTS, `${name}.png`);
  await page.screenshot({ path, animations: 'disabled', fullPage: isWhole });
}

/** The latency on Overview, current or old, which is complete once the API has read it. */
export const OVERVIEW_COMPLETE = /^p50 \d|^\d.* ago$/;

/** Waits for a text, and until nothing of the page is loading or waits for a second figure. */
export async function settle(page: Page, text: string | RegExp): Promise<void> {
  // Options of a closed list have texts, too.
  await page.getByText(text, { exact: false }).filter({ visible: true }).first().waitFor();
  const loading = () =>
    page.locator('[aria-busy="true"]').or(page.getByText('measuring …')).count();
  await expect.poll(loading, { timeout: 20_000 }).toBe(0);
}

/** Layout shift since the page was opened; below 0.1 is good by Web Vitals. */
export const shiftOf = async (page: Page) => Number(await page.evaluate('window.shifted'));

/** Whether the page scrolls sideways. */
export async function isWider(page: Page): Promise<boolean> {
  const { scrollWidth, clientWidth } = await page
    .locator('html')
    .evaluate(({ scrollWidth, clientWidth }) => ({ scrollWidth, clientWidth }));
  return scrollWidth > clientWidth;
}

/** Texts of names that are cut, and names of tables that scroll sideways. */
export const cutOf = (page: Page): Promise<string[]> =>
  page
    .locator('.table, .table .person')
    .evaluateAll((elements) =>
      elements
        .filter(
          ({ scrollWidth, clientWidth, scrollHeight, clientHeight, classList }) =>
            scrollWidth > clientWidth ||
            (classList.contains('person') && scrollHeight > clientHeight),
        )
        .map((element) => element.getAttribute('aria-label') ?? element.textContent ?? ''),
    );

/** Photographs the page as it stands, whole; @returns what is wrong with it */
export async function inspect(page: Page, name: string): Promise<string[]> {
  await shoot(page, name);
  const found = (await violationsOf(page)).map((violation) => `${name}: ${violation}`);
  if (await isWider(page)) found.push(`${name}: wider than the screen`);
  return found;
}

/**
 * How quick is the console, and does it grow? Chromium opens pages of it while the tables are full, again and again, and then shows
 * the live overview while transactions arrive at a steady rate.
 */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { findChromium, launchChromium, MISSING } from '../test/console/support/chromium.ts';
import type { Bench, BenchContext, BenchReport } from './support/bench.ts';
import { LIVE_LOAD, type Load } from './support/load.ts';
import { MEBIBYTE, memoryBreaches, memoryTable, readMemory, runLoad } from './support/load-run.ts';
import { putModelInForce } from './support/model-in-force.ts';
import { readOptions, TEXT } from './support/options.ts';
import { percentiles } from './support/percentiles.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';
import { fillSearched, RARE } from './support/searched-rows.ts';

const USAGE = `--rows N           transactions in 12 months (5000000)
--times N          times that each page is opened (20)
--minutes N        of the live overview (10)
--rate N           transactions a second meanwhile (2000)
--data FOLDER      holds the rows, and is kept for the next run`;

/** Goals: rows of a page of the open console and first paint of a new tab, 95th percentiles, and how much the heap may grow. */
const [FIRST_ROWS_MS_MAX, FIRST_PAINT_MS_MAX, HEAP_MEBIBYTES_MAX] = [300, 1000, 5];
const WAIT_MS = 60_000;
const VIEWPORT = { width: 1280, height: 800 };
/** A minute in which the page fills what it keeps. */
const [SETTLE_SECONDS, BATCH] = [60, 100];

/** Pages with rows: what is asked of the API, and what shows that the first ones are there. */
const PAGES = [
  { name: 'newest', path: 'transactions?order=desc' },
  { name: 'riskiest', path: 'transactions?sort=score' },
  { name: 'of a device', path: `transactions?device_id=${RARE.device}` },
  { name: 'declined', path: 'transactions?verdict=decline' },
] as const;

/** Notes from the first script on how long each task of the page held its thread. */
const WATCH = `window.longTasks = [];
new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) window.longTasks.push(duration) })
  .observe({ type: 'longtask', buffered: true });`;

async function logIn({ api, apiKey }: Pipeline, browser: Browser): Promise<BrowserContext> {
  const response = await fetch(new URL('/v1/sessions/links', api.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}` },
  });
  const { token } = (await response.json()) as { token: string };
  const context = await browser.newContext({ viewport: VIEWPORT });
  context.setDefaultTimeout(WAIT_MS);
  await context.addInitScript(WATCH);
  const page = await context.newPage();
  await page.goto(new URL(`/console#login=${token}`, api.url).href);
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  await page.close();
  return context;
}

type Opened = { readonly paintMs: number; readonly rowsMs: number; readonly longMs: number };

/** In the page: resolves to the browser's clock once an element is there. */
const whenThere = (selector: string) => `new Promise((resolve) => {
  const look = () => document.querySelector(${JSON.stringify(selector)}) ? resolve(performance.now()) : requestAnimationFrame(look);
  look();
})`;
const ROWS = 'tbody a[href*="/transactions/"]';

/** Opens a page in a new tab, all of it anew; times from the beginning of the navigation, by the browser's clock. */
async function open({ api }: Pipeline, context: BrowserContext, path: string): Promise<Opened> {
  const page = await context.newPage();
  try {
    await page.goto(new URL(`/console/${path}`, api.url).href, { waitUntil: 'commit' });
    const rowsMs = await page.evaluate<number>(whenThere(ROWS));
    const paintMs = await page.evaluate<number>(
      `performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0`,
    );
    const longMs = await page.evaluate<number>(`Math.max(0, ...window.longTasks)`);
    return { paintMs, rowsMs, longMs };
  } finally {
    await page.close();
  }
}

/**
 * Goes to a page from the overview of an open console, as by a click; times from the step until its first rows. `to` differs each
 * time, so that nothing is shown from memory.
 */
async function step(page: Page, path: string): Promise<number> {
  const go = (to: string) => page.evaluate(`history.pushState(null, '', ${JSON.stringify(to)})`);
  await go('/console/');
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  const to = encodeURIComponent(new Date().toISOString());
  return await page.evaluate<number>(`(() => {
    const beganMs = performance.now();
    history.pushState(null, '', ${JSON.stringify(`/console/${path}&to=${to}`)});
    return ${whenThere(ROWS)}.then((ms) => ms - beganMs);
  })()`);
}

async function openAgain(pipeline: Pipeline, context: BrowserContext, times: number) {
  const rows = [];
  const inside = await context.newPage();
  await inside.goto(new URL('/console/', pipeline.api.url).href);
  for (const { name, path } of PAGES) {
    const opened: Opened[] = [];
    const stepped: number[] = [];
    for (let one = 0; one < times; one++) {
      opened.push(await open(pipeline, context, path));
      stepped.push(await step(inside, path));
    }
    const rounded = (value: number) => Number(value.toFixed(0));
    const p95 = (values: readonly number[]) => rounded(percentiles(values).p95);
    rows.push({
      ...{ transactions: name, rows_p50_ms: rounded(percentiles(stepped).p50) },
      ...{ rows_p95_ms: p95(stepped), new_tab_rows_p95_ms: p95(opened.map((one) => one.rowsMs)) },
      new_tab_first_paint_p95_ms: p95(opened.map((one) => one.paintMs)),
      longest_task_ms: rounded(Math.max(...opened.map((one) => one.longMs))),
    });
  }
  await inside.close();
  return rows;
}

/** Bytes of the page's scripts that are alive. */
async function heapMebibytes(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return usedSize / MEBIBYTE;
}

async function watchLive(
  pipeline: Pipeline,
  context: BrowserContext,
  { rate, minutes }: { rate: number; minutes: number },
  bench: BenchContext,
) {
  const page = await context.newPage();
  await page.goto(new URL('/console/', pipeline.api.url).href);
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  const load = (seconds: number, seed: string): Load => ({
    ...LIVE_LOAD,
    ...{ rate, seed, connections: 16, batch: BATCH, transactions: rate * seconds },
  });
  // A kept folder has the transactions of earlier runs.
  const run = new Date().toISOString();
  await runLoad(pipeline, load(SETTLE_SECONDS, `${run}-settle`), bench);
  const before = await heapMebibytes(page);
  const { posted } = await runLoad(pipeline, load(minutes * 60, `${run}-live`), bench);
  const after = await heapMebibytes(page);
  const longest = await page.evaluate<number>(`Math.max(0, ...window.longTasks)`);
  return {
    ...{ heap_before_mebibytes: before, heap_after_mebibytes: after },
    heap_grown_mebibytes: after - before,
    ...{ live_longest_task_ms: longest, http_p99_ms: posted.latencyMs.p99 },
  };
}

async function measure(
  pipeline: Pipeline,
  browser: Browser,
  asked: { rows: number; times: number; rate: number; minutes: number },
  bench: BenchContext,
): Promise<BenchReport> {
  const context = await logIn(pipeline, browser);
  const pages = await openAgain(pipeline, context, asked.times);
  const live = asked.minutes === 0 ? undefined : await watchLive(pipeline, context, asked, bench);
  const memory = await readMemory(pipeline);
  const slow = pages.flatMap((page) => {
    const { transactions, rows_p95_ms: rowsMs, new_tab_first_paint_p95_ms: paintMs } = page;
    return [
      ...(rowsMs > FIRST_ROWS_MS_MAX ? [`${transactions}: rows after ${rowsMs} ms`] : []),
      ...(paintMs > FIRST_PAINT_MS_MAX ? [`${transactions}: first paint after ${paintMs} ms`] : []),
    ];
  });
  const grown = live?.heap_grown_mebibytes ?? 0;
  return {
    caseName: `${asked.rows.toLocaleString('en-US')} rows`,
    inputs: { ...asked, ...pipeline.services.settings },
    ...{ settings: {}, versions: { ...pipeline.services.versions, chromium: browser.version() } },
    perSecond: 1000 / Math.max(...pages.map((one) => one.rows_p95_ms)),
    figures: live ?? {},
    ceilings: [],
    tables: [{ title: 'pages', rows: pages }, memoryTable(memory)],
    breaches: [
      ...slow,
      ...(grown > HEAP_MEBIBYTES_MAX ? [`the page grew by ${grown.toFixed(1)} MiB`] : []),
      ...memoryBreaches(memory),
    ],
  };
}

export const bench: Bench = {
  name: 'console',
  question: 'How quick is the console, and does its heap grow?',
  onlyByName: 'it needs Chromium, and stores five million rows',
  usage: USAGE,
  run: async function* (args, context) {
    const wholes = {
      rows: { or: 5_000_000, max: 100_000_000 },
      times: { or: 20, max: 1000 },
      minutes: { or: 10, min: 0, max: 600 },
      rate: { or: 2000, max: 10_000 },
    };
    const { values, numbers: asked } = readOptions(args, wholes, { data: TEXT });
    if (findChromium() === undefined) throw new Error(MISSING);
    await using pipeline = await startPipeline(
      {
        ...{ workers: 1, settings: {}, keptFolder: values.data },
        prepare: async (services) => {
          const model = () => putModelInForce(services.databaseUrl);
          const note = (line: string) => context.output.note(line);
          await fillSearched(services, { rows: asked.rows, model }, note);
        },
      },
      context,
    );
    const browser = await launchChromium();
    try {
      yield await measure(pipeline, browser, asked, context);
    } finally {
      await browser.close();
    }
  },
};

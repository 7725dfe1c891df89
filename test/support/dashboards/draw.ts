/**
 * `npm run dashboards:pictures -- URL MINUTES [NAME…]`: draws deploy/grafana from what a Prometheus has of the last minutes, as
 * docs/pictures/dashboard-NAME.jpg, and names panels without a value. No Grafana can be installed here.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findChromium, launchChromium, MISSING } from '../../console/support/chromium.ts';
import { REPOSITORY } from '../risk.ts';
import { DASHBOARDS } from './dashboards.ts';
import { type Drawn, drawPanels } from './draw-panels.ts';
import { withVariables } from './promql.ts';

type PanelJson = {
  readonly type: string;
  readonly title: string;
  readonly gridPos: Drawn['at'];
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit: string;
      readonly thresholds: { readonly steps: Drawn['steps'] };
      readonly custom?: { readonly stacking?: { readonly mode: string } };
    };
  };
};
type DashboardJson = {
  readonly title: string;
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly type: string;
      readonly query: string;
    }[];
  };
  readonly panels: readonly PanelJson[];
};
type Answer = {
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly values: readonly (readonly [number, string])[];
    }[];
  };
};

const USAGE = 'Usage: npm run dashboards:pictures -- http://127.0.0.1:9090 15 [NAME…]';
const POINTS = 120;
const SCRAPES_MIN_SECONDS = 20;
const WIDTH_PX = 1200;
const SCALE = 0.7;
/** JPEG, of 100. */
const QUALITY = 60;

const [url, minutes, ...asked] = process.argv.slice(2);
if (url === undefined || !(Number(minutes) > 0)) throw new Error(USAGE);
const end = Math.floor(Date.now() / 1000);
const start = end - Number(minutes) * 60;
const step = Math.max(1, Math.round((end - start) / POINTS));
const interval = `${Math.max(SCRAPES_MIN_SECONDS, 2 * step)}s`;

async function askPrometheus(query: string): Promise<Answer['data']['result']> {
  const parameters = { query, start: String(start), end: String(end), step: String(step) };
  const answer = await fetch(`${url}/api/v1/query_range?${new URLSearchParams(parameters)}`);
  if (!answer.ok) throw new Error(`${query}: ${await answer.text()}`);
  return ((await answer.json()) as Answer).data.result;
}

/** Values at each step, null where the series has none. */
function valuesOf(values: readonly (readonly [number, string])[]): (number | null)[] {
  const byTime = new Map(values.map(([at, text]) => [at, Number(text)]));
  return Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, nth) => {
    const value = byTime.get(start + nth * step);
    return value === undefined || !Number.isFinite(value) ? null : value;
  });
}

async function readPanel(
  panel: PanelJson,
  values: Readonly<Record<string, string>>,
): Promise<Drawn> {
  const { type, title, gridPos: at, targets = [], fieldConfig } = panel;
  const found = await Promise.all(
    targets.map(async ({ expr, legendFormat }) => {
      const results = await askPrometheus(withVariables(expr, values, interval));
      return results.map((one) => ({
        name: legendFormat.replace(/\{\{(\w+)\}\}/g, (_, label: string) => one.metric[label] ?? ''),
        values: valuesOf(one.values),
      }));
    }),
  );
  const { unit = '', thresholds, custom } = fieldConfig?.defaults ?? {};
  const isStacked = custom?.stacking?.mode === 'normal';
  return { type, title, at, unit, isStacked, steps: thresholds?.steps ?? [], lines: found.flat() };
}

const executablePath = findChromium();
if (executablePath === undefined) throw new Error(MISSING);
await using browser = await launchChromium(executablePath);
for (const { name } of DASHBOARDS) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const file = join(REPOSITORY, 'deploy/grafana', `${name}.json`);
  const { title, templating, panels }: DashboardJson = JSON.parse(await readFile(file, 'utf8'));
  const values = Object.fromEntries(
    templating.list.map((one) => [one.name, one.type === 'textbox' ? one.query : '.*']),
  );
  const drawn = await Promise.all(panels.map((panel) => readPanel(panel, values)));
  const empty = drawn.filter(
    ({ type, lines }) =>
      type !== 'row' && lines.every((one) => one.values.every((value) => value === null)),
  );
  process.stdout.write(
    `${name}: ${drawn.length} panels; without a value: ${empty.map((one) => one.title).join(', ') || 'none'}\n`,
  );
  const page = await browser.newPage({
    viewport: { width: WIDTH_PX, height: 300 },
    deviceScaleFactor: SCALE,
  });
  await page.addStyleTag({ path: join(REPOSITORY, 'node_modules/uplot/dist/uPlot.min.css') });
  await page.addScriptTag({ path: join(REPOSITORY, 'node_modules/uplot/dist/uPlot.iife.min.js') });
  await page.evaluate(drawPanels, { title, start, step, panels: drawn });
  const path = join(REPOSITORY, 'docs/pictures', `dashboard-${name}.jpg`);
  await page.screenshot({ path, type: 'jpeg', quality: QUALITY, fullPage: true });
  await page.close();
}

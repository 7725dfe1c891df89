/**
 * `npm run console:pictures`: makes the pictures of docs/console.md from the screenshots of the last `npm run console:test`. A
 * picture has a page at both widths, light above dark, each cut at the same height. Arguments name the pages; none: all.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REPOSITORY } from '../support/risk.ts';
import { launchChromium } from './support/chromium.ts';

const PAGES = [
  'overview',
  'transactions',
  'transaction',
  'graph',
  'account',
  'merchant',
  'device',
  'review-queue',
  'review-mine',
  'workload',
  'dead-letters',
  'dead-letter',
  'corridors',
  'controls',
  'webhooks',
  'webhook',
  'rules',
  'editor',
  'models',
  'model',
  'audit',
  'keys',
  'login',
];
const LOOKS = ['1280-light', '390-light', '1280-dark', '390-dark'];
const FROM = process.env['RISK_SCREENSHOTS'] ?? join(REPOSITORY, 'bench/results/console');
const TO = join(REPOSITORY, 'docs/pictures');
const [WIDTHS_PX, HEIGHT_PX, GAP_PX] = [[1280, 390], 800, 24];
const SCALE = 0.6;
/** JPEG, of 100. */
const QUALITY = 55;

const STYLE = `body { margin: 0; display: grid; grid-template-columns: ${WIDTHS_PX.join('px ')}px; gap: ${GAP_PX}px }
img { width: 100%; height: ${HEIGHT_PX}px; object-fit: cover; object-position: top }`;

await mkdir(TO, { recursive: true });
await using browser = await launchChromium();
const width = WIDTHS_PX.reduce((sum, px) => sum + px, GAP_PX);
const page = await browser.newPage({
  viewport: { width, height: 2 * HEIGHT_PX + GAP_PX },
  deviceScaleFactor: SCALE,
});
const asked = process.argv.slice(2);
for (const name of asked.length === 0 ? PAGES : asked) {
  const images = await Promise.all(
    LOOKS.map(async (look) => {
      const file = await readFile(join(FROM, `${name}-${look}.png`));
      return `<img src="data:image/png;base64,${file.toString('base64')}">`;
    }),
  );
  await page.setContent(`<style>${STYLE}</style>${images.join('')}`);
  await page.screenshot({ path: join(TO, `${name}.jpg`), type: 'jpeg', quality: QUALITY });
}

/** Traffic while somebody looks, so that the plots of the last hour have a course: the API keeps points while there are listeners. */
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { input, postBatch } from '../../support/submit.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { Engine } from './engine.ts';

/** Transactions between two points. */
const COURSE = [12, 30, 18, 45, 66, 52, 80, 61, 34, 48, 22, 9];

const WITHIN_MS = 20_000;

/** @param page shows the overview */
export async function makeTraffic({ api }: Engine, page: Page): Promise<void> {
  const accepted = async () =>
    Number((await page.locator('.tiles strong').first().textContent())?.replaceAll(',', ''));
  await page.getByText('Live', { exact: true }).waitFor();
  for (const [round, count] of COURSE.entries()) {
    const before = await accepted();
    const transactions = Array.from({ length: count }, (_, n) =>
      input({ account_id: `account_${round * 100 + n}`, merchant_id: `merchant_${n % 50}` }),
    );
    expect((await postBatch(api, transactions)).status).toBe(200);
    await waitUntil(
      async () => (await accepted()) === before + count,
      WITHIN_MS,
      'the next figures',
    );
  }
}

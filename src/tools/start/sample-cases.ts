/** The cases of the sample that a person decides, by the labels of the sample. */
import { setTimeout as delay } from 'node:timers/promises';
import type { AskApi } from '../../kit/client/api-client.ts';

/** Decisions of high amounts, which wait for a second person. */
const HIGH = 2;
/** A median of handling needs ten of a person. */
export const DECIDED = 18;
const LISTED = 200;
const TRIES_MAX = 10;
const TRY_AGAIN_MS = 500;

/** Claims open cases, of which a few have high amounts. @returns their ids */
export async function claimCases(ask: AskApi, count: number): Promise<string[]> {
  if (count <= 0) return [];
  const list = () => ask('GET /v1/reviews', { query: { state: 'open', limit: LISTED } });
  let { items: open } = await list();
  // A worker makes cases within a second of the scores, or later on a busy machine.
  for (let tries = 1; open.length === 0 && tries < TRIES_MAX; tries++) {
    await delay(TRY_AGAIN_MS);
    open = (await list()).items;
  }
  const [high = [], usual = []] = [true, false].map((needed) =>
    open.filter((found) => found.needs_second_person === needed),
  );
  const claimed = [...high.slice(0, HIGH), ...usual].slice(0, count);
  for (const { transaction_id: id } of claimed)
    await ask('POST /v1/reviews/{id}/claim', { path: { id } });
  return claimed.map(({ transaction_id: id }) => id);
}

/** Decides by the labels of the sample. */
export async function decideCases(ask: AskApi, claimed: readonly string[]): Promise<void> {
  const query = { verdict: 'review', label: 'fraud', limit: LISTED } as const;
  const { items } = await ask('GET /v1/transactions', { query });
  const frauds = new Set(items.map(({ transaction_id: id }) => id));
  for (const id of claimed) {
    const [disposition, knows] = frauds.has(id)
      ? (['fraud', 'did not make it'] as const)
      : (['legitimate', 'knows the payment'] as const);
    const body = { disposition, reason: `Sample: the cardholder ${knows}` };
    await ask('POST /v1/reviews/{id}/decide', { path: { id }, body });
  }
}

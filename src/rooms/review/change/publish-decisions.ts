/**
 * Publishes final decisions as events. The newest event of the stream says where to go on, and a page is appended only behind
 * the event that was read, so every decision that Redis loses, even meanwhile, is published again from Postgres.
 */
import { withReleases } from '../../../core/domain/switch.ts';
import type { SwitchWatch } from '../../../core/store/switches/watch-switches.ts';
import type { Database } from '../../../kit/database/pool.ts';
import type { RedisClient } from '../../../kit/redis/connection.ts';
import { appendDecisions, newestDecision } from '../store/decision-stream.ts';
import { findDecisionBefore, listDecisions } from '../store/decisions.ts';

const PAGE = 500;
/** An empty stream gets the decisions of the last days. */
const PUBLISHED_DAYS = 7;

type Parts = Pick<Database, 'query'> & {
  readonly redis: RedisClient;
  readonly switches: Pick<SwitchWatch, 'current'>;
};

/** @returns how many events were appended */
export async function publishDecisions(
  { query, redis, switches }: Parts,
  market: string,
  signal: AbortSignal,
): Promise<number> {
  let published = 0;
  let newest = await newestDecision(redis, market);
  const before = newest === '0' ? await findDecisionBefore(query, PUBLISHED_DAYS) : undefined;
  let after = before?.afterId ?? newest;
  while (!signal.aborted) {
    const page = await listDecisions(query, after, PAGE);
    const last = page.at(-1);
    if (last === undefined) break;
    const told = page.map((one) => withReleases(switches.current(), one));
    if ((await appendDecisions(redis, market, newest, told)) !== newest) break;
    published += page.length;
    if (page.length < PAGE) break;
    newest = last.decision_id;
    after = newest;
  }
  return published;
}

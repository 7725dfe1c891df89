/**
 * Publishes final decisions as events. Where to go on is read from the stream itself: whatever Redis has lost is behind its
 * newest event, and is published again from Postgres. A page is appended only behind the event that was read, so that what
 * Redis loses meanwhile is behind the newest event, too.
 */
import type { Query } from '../../../kit/database/pool.ts';
import type { RedisClient } from '../../../kit/redis/connection.ts';
import { appendDecisions, newestDecision } from '../store/decision-stream.ts';
import { findDecisionBefore, listDecisions } from '../store/decisions.ts';

const PAGE = 500;
/** A stream that is empty gets the decisions of these days. */
const PUBLISHED_DAYS = 7;

/** @returns how many events were appended */
export async function publishDecisions(
  query: Query,
  redis: RedisClient,
  market: string,
  signal: AbortSignal,
): Promise<number> {
  let published = 0;
  let newest = await newestDecision(redis, market);
  let after = newest === '0' ? await findDecisionBefore(query, PUBLISHED_DAYS) : newest;
  while (!signal.aborted) {
    const page = await listDecisions(query, after, PAGE);
    const last = page.at(-1);
    if (last === undefined) break;
    if ((await appendDecisions(redis, market, newest, page)) !== newest) break;
    published += page.length;
    if (page.length < PAGE) break;
    newest = last.decision_id;
    after = newest;
  }
  return published;
}

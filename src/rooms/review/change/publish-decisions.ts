/**
 * Publishes final decisions as events. Where to go on is read from the stream itself: whatever Redis has lost is behind its
 * newest event, and is published again from Postgres. A page is appended only behind the event that was read, so that what
 * Redis loses meanwhile is behind the newest event, too.
 */
import type { Database } from '../../../kit/database/pool.ts';
import type { DecisionEvent, DecisionStream } from '../decisions.ts';
import { toDecisionJson } from '../queries/cases.ts';
import { type FinalDecision, findDecisionBefore, listDecisions } from '../store/final-decisions.ts';

const PAGE = 500;
/** A stream that is empty gets the decisions of these days. */
const PUBLISHED_DAYS = 7;

/** @returns how many events were appended */
export async function publishDecisions(
  database: Pick<Database, 'query'>,
  stream: DecisionStream,
  signal: AbortSignal,
): Promise<number> {
  let published = 0;
  let newest = await stream.newest();
  let after = newest === '0' ? await findDecisionBefore(database, PUBLISHED_DAYS) : newest;
  while (!signal.aborted) {
    const page = await listDecisions(database, after, PAGE);
    const last = page.at(-1);
    if (last === undefined || !(await stream.append(newest, page.map(toEvent)))) break;
    published += page.length;
    if (page.length < PAGE) break;
    newest = last.decisionId;
    after = newest;
  }
  return published;
}

const toEvent = (one: FinalDecision): DecisionEvent => ({
  ...{ decisionId: one.decisionId, corridor: one.corridor },
  json: JSON.stringify(toDecisionJson(one)),
});

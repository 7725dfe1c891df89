/**
 * Publishes final decisions as events. Where to go on is read from the stream itself: whatever Redis has lost is behind its
 * newest event, and is published again from Postgres.
 */
import { toDecisionJson } from '../../query/cases/read-cases.ts';
import { findDecisionBefore, listDecisions } from '../../store/cases/final-decisions.ts';
import type { Database } from '../../store/database/pool.ts';
import type { DecisionStream } from '../../stream/decisions.ts';

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
  let after = await stream.newest();
  if (after === '0') after = await findDecisionBefore(database, PUBLISHED_DAYS);
  while (!signal.aborted) {
    const page = await listDecisions(database, after, PAGE);
    await stream.append(
      page.map((one) => ({
        ...{ decisionId: one.decisionId, corridor: one.corridor },
        json: JSON.stringify(toDecisionJson(one)),
      })),
    );
    published += page.length;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) break;
    after = last.decisionId;
  }
  return published;
}

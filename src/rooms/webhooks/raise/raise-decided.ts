/** Makes deliveries of `transaction.decided` from what the statements that stored scores have named. */
import { toScoreJson } from '../../../core/domain/score-record.ts';
import { type LocatedScore, locateDecided } from '../../../core/store/scores/decided-scores.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { insertDeliveries } from '../store/deliveries.ts';
import { listTakers } from '../store/endpoints.ts';
import { takeHooked } from '../store/webhook-intake.ts';
import { type Decision, toLists } from './match-events.ts';

/** Rows of one step; each names transactions of a batch. */
const STEP_ROWS = 500;
/** Transactions of one step, and as many as its last row names beyond. */
const STEP_TRANSACTIONS = 500;

export type Raised = { readonly deliveries: number; readonly mayHaveMore: boolean };

/** Makes the deliveries that the oldest rows of the intake ask for, and deletes these rows, in one database transaction. */
export async function raiseDecided(
  database: Pick<Database, 'transaction'>,
  transactionsMax: number = STEP_TRANSACTIONS,
): Promise<Raised> {
  return await database.transaction(async (query) => {
    const taken = await takeHooked(query, STEP_ROWS, transactionsMax);
    const ids = taken.flat();
    const mayHaveMore = taken.length === STEP_ROWS || ids.length >= transactionsMax;
    const endpoints = taken.length === 0 ? [] : await listTakers(query);
    if (endpoints.length === 0) return { deliveries: 0, mayHaveMore };
    const located = await locateDecided(query, ids);
    const lists = toLists(endpoints, 'transaction.decided', located.map(toDecision));
    const made = await insertDeliveries(query, lists);
    return { deliveries: made.length, mayHaveMore };
  });
}

function toDecision({ score, client, merchantId, amount, currency }: LocatedScore): Decision {
  const { scoredAtMs, corridor, verdict } = score;
  const data = { ...toScoreJson(score), merchant_id: merchantId, amount, currency };
  return { client, corridor, verdict, atMs: scoredAtMs, json: JSON.stringify(data) };
}

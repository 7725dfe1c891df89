/** Makes deliveries of `transaction.final_decision`: the position moves in the commit that makes them. */
import { findClients } from '../../../core/store/transactions/clients.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { toDecisionJson } from '../../review/queries/read-cases.ts';
import { type FinalDecision, listDecisions } from '../../review/store/final-decisions.ts';
import { insertDeliveries } from '../store/deliveries.ts';
import { listTakers } from '../store/endpoints.ts';
import { lockPosition, movePosition } from '../store/event-sources.ts';
import { type Decision, toLists } from './match-events.ts';
import type { Raised } from './raise-decided.ts';

/** Decisions of one step. */
const STEP_ROWS = 500;

export async function raiseFinal(
  database: Pick<Database, 'transaction'>,
  rowsMax: number = STEP_ROWS,
): Promise<Raised> {
  return await database.transaction(async (query) => {
    const page = await listDecisions({ query }, await lockPosition(query), rowsMax);
    const last = page.at(-1);
    if (last === undefined) return { deliveries: 0, mayHaveMore: false };
    const endpoints = await listTakers(query);
    const needsClients = endpoints.some(({ client }) => client !== null);
    const clients = needsClients
      ? await findClients(
          query,
          page.map(({ transactionId }) => transactionId),
        )
      : new Map<string, string>();
    const decisions = page.map((one) => toDecision(one, clients.get(one.transactionId) ?? null));
    const lists = toLists(endpoints, 'transaction.final_decision', decisions);
    const made = await insertDeliveries(query, lists);
    await movePosition(query, last.decisionId);
    return { deliveries: made.length, mayHaveMore: page.length === rowsMax };
  });
}

function toDecision(one: FinalDecision, client: string | null): Decision {
  const data = toDecisionJson(one);
  // A client learns what `GET /v1/transactions/{id}` tells it, and nothing of who decided why.
  const { decision_id, transaction_id, created_at, account_id, merchant_id, corridor } = data;
  const { score, verdict, disposition, final_at } = data;
  return {
    ...{ client, corridor, atMs: one.finalAt.getTime(), json: JSON.stringify(data) },
    clientJson: JSON.stringify({
      ...{ decision_id, transaction_id, created_at, account_id, merchant_id, corridor },
      ...{ score, verdict, disposition, final_at },
    }),
  };
}

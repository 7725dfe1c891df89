/** Review cases as steps read and write them: a step locks the row, and writes all that a step may change. */
import type { Query, Statement } from '../../../kit/database/pool.ts';
import type { CaseProgress, StoredCase } from '../case.ts';

const ms = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`;
// Whole milliseconds, as columns keep: what a step answers is what is read afterwards.
const NOW = ms(`date_trunc('milliseconds', clock_timestamp())`);

export const CASE_COLUMNS = `c.transaction_id as "transactionId", ${ms('c.created_at')} as "createdAtMs", c.account_id as "accountId",
  c.merchant_id as "merchantId", c.device_id as "deviceId", c.corridor, c.amount::text, c.currency,
  c.market_amount::text as "marketAmount", c.market_currency as "marketCurrency", c.rate_day::text as "rateDay", c.score, c.verdict,
  c.reasons, c.source, c.priority, c.policy,
  (select p.policy ->> 'four_eyes_amount' from market.review_policies p where p.version = c.policy) as "fourEyesAmount",
  ${ms('c.opened_at')} as "openedAtMs", c.opened_by as "openedBy", ${ms('c.due_at')} as "dueAtMs", c.state,
  c.assignee, c.locked_by as "lockedBy", ${ms('c.locked_until')} as "lockedUntilMs", ${ms('c.claimed_at')} as "claimedAtMs",
  c.escalated_by as "escalatedBy", ${ms('c.escalated_at')} as "escalatedAtMs", c.disposition,
  c.decision_reason as "decisionReason", c.decided_by as "decidedBy", c.decided_by_key as "decidedByKey",
  ${ms('c.decided_at')} as "decidedAtMs", c.confirmed_by as "confirmedBy", c.confirmed_by_key as "confirmedByKey",
  ${ms('c.final_at')} as "finalAtMs", ${ms('c.closed_at')} as "closedAtMs", ${NOW} as "nowMs"`;

const readStatement: Statement = {
  name: 'read-review-case',
  text: `select ${CASE_COLUMNS} from market.review_cases c where c.transaction_id = $1`,
};
const lockStatement: Statement = {
  name: 'lock-review-case',
  text: `${readStatement.text} for update`,
};

export async function readCase(query: Query, id: string): Promise<StoredCase | undefined> {
  return (await query<StoredCase>(readStatement, [id]))[0];
}

/** Reads a case and keeps others from changing it until the database transaction ends. */
export async function lockCase(query: Query, id: string): Promise<StoredCase | undefined> {
  return (await query<StoredCase>(lockStatement, [id]))[0];
}

const lockManyStatement: Statement = {
  name: 'lock-review-cases',
  text: `select ${CASE_COLUMNS} from market.review_cases c where c.transaction_id = any ($1::uuid[])
          order by c.transaction_id for update`,
};

/** Locks the cases of transactions, of those that have one. */
export async function lockCases(query: Query, ids: readonly string[]): Promise<StoredCase[]> {
  return await query<StoredCase>(lockManyStatement, [ids]);
}

const IS_FREE = '(c.locked_until is null or c.locked_until <= now())';
/** An open case that is not left to others: $1 is the name, $2 whether a risk officer. */
const IS_OPEN_TO = `c.state = 'open' and (c.assignee is null or c.assignee = $1)
            and (c.escalated_by is null or c.escalated_by = 'engine' or $2::boolean or c.assignee = $1)`;

/** A statement for each set of filters: one for all of them would read the queue from its beginning. */
function lockNextStatement({ corridor, priority }: NextFilter): Statement {
  const filters = [corridor, priority].filter((value) => value !== undefined);
  const corridorIs = corridor === undefined ? '' : 'and c.corridor = $3';
  const priorityIs = priority === undefined ? '' : `and c.priority = $${2 + filters.length}`;
  const of = [corridor && '-of-corridor', priorityIs && '-of-priority'].join('');
  return {
    name: `lock-next-review-case${of}`,
    text: `select ${CASE_COLUMNS} from market.review_cases c
            where ${IS_OPEN_TO} and ${IS_FREE} ${corridorIs} ${priorityIs}
            order by c.priority, c.due_at, c.transaction_id limit 1 for update skip locked`,
  };
}

export type NextFilter = {
  readonly corridor?: string | undefined;
  readonly priority?: number | undefined;
};

/** Locks the most urgent case that the reviewer may claim, and waits for nobody. */
export async function lockNextCase(
  query: Query,
  by: { readonly name: string; readonly isOfficer: boolean },
  filter: NextFilter,
): Promise<StoredCase | undefined> {
  const filters = [filter.corridor, filter.priority].filter((value) => value !== undefined);
  const values = [by.name, by.isOfficer, ...filters];
  return (await query<StoredCase>(lockNextStatement(filter), values))[0];
}

const PARTY_COLUMNS = {
  account: 'account_id',
  merchant: 'merchant_id',
  device: 'device_id',
} as const;
export type RingParty = keyof typeof PARTY_COLUMNS;

const lockRingStatement = (party: RingParty): Statement => ({
  name: `lock-ring-of-${party}`,
  text: `select ${CASE_COLUMNS} from market.review_cases c
          where c.${PARTY_COLUMNS[party]} = $3 and c.closed_at is null and ${IS_OPEN_TO} and (${IS_FREE} or c.locked_by = $1)
          order by c.transaction_id limit $4 for update skip locked`,
});

/** Locks open cases of a party that the reviewer has claimed or may claim. */
export async function lockRing(
  query: Query,
  by: { readonly name: string; readonly isOfficer: boolean },
  party: RingParty,
  id: string,
  rowsMax: number,
): Promise<StoredCase[]> {
  return await query<StoredCase>(lockRingStatement(party), [by.name, by.isOfficer, id, rowsMax]);
}

const at = (field: string) => `to_timestamp(n."${field}" / 1000)`;
const writeStatement: Statement = {
  name: 'write-review-cases',
  text: `update market.review_cases c
            set state = n.state, assignee = n.assignee, locked_by = n."lockedBy", locked_until = ${at('lockedUntilMs')},
                claimed_at = ${at('claimedAtMs')}, escalated_by = n."escalatedBy", escalated_at = ${at('escalatedAtMs')},
                disposition = n.disposition, decision_reason = n."decisionReason", decided_by = n."decidedBy",
                decided_by_key = n."decidedByKey", decided_at = ${at('decidedAtMs')}, confirmed_by = n."confirmedBy",
                confirmed_by_key = n."confirmedByKey", final_at = ${at('finalAtMs')}
           from jsonb_to_recordset($1::jsonb) as n ("transactionId" uuid, state text, assignee text, "lockedBy" text,
                "lockedUntilMs" float8, "claimedAtMs" float8, "escalatedBy" text, "escalatedAtMs" float8, disposition text,
                "decisionReason" text, "decidedBy" text, "decidedByKey" text, "decidedAtMs" float8, "confirmedBy" text,
                "confirmedByKey" text, "finalAtMs" float8)
          where c.transaction_id = n."transactionId"`,
};

/** Writes what steps changed. @param query of the database transaction that locked the rows */
export async function writeCases(
  query: Query,
  cases: readonly (CaseProgress & { readonly transactionId: string })[],
): Promise<void> {
  await query(writeStatement, [JSON.stringify(cases)]);
}

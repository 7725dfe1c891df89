/** Opens cases: one a transaction, however often it is named. */
import {
  float8Array,
  int2Array,
  textArray,
  timestampArray,
  uuidArray,
} from '../../../kit/database/binary-array.ts';
import type { Query, Statement } from '../../../kit/database/pool.ts';
import type { StoredState } from '../case.ts';
import type { CaseSource, StoredPolicy } from '../policy.ts';
import type { Located } from './intake.ts';

/** An open case that somebody has left to a risk officer. */
const IS_LEFT = `c.state = 'open' and c.escalated_by <> 'engine'`;

export type NewCase = Located & {
  readonly source: CaseSource;
  readonly priority: number;
  readonly dueAtMs: number;
};

// A dispute makes an older case urgent, and opens one again that is decided or ended otherwise than as fraud. Any other source
// changes nothing where there is a case. Reasons are codes without commas.
const openStatement: Statement = {
  name: 'open-review-cases',
  text: `
    insert into market.review_cases as c (transaction_id, created_at, account_id, merchant_id, device_id, corridor, amount,
             currency, market_amount, market_currency, rate_day, score, verdict, reasons, source, priority, due_at, policy, opened_by)
    select transaction_id, created_at, account_id, merchant_id, device_id, corridor, amount::numeric, currency,
           market_amount::numeric, $19::text, rate_day::date, score::smallint, verdict, string_to_array(reasons, ','), source,
           priority, due_at, $17::int4, $18::text
      from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                  $9::text[], $10::text[], $11::float8[], $12::text[], $13::text[], $14::text[], $15::smallint[],
                  $16::timestamptz[])
           as u (transaction_id, created_at, account_id, merchant_id, device_id, corridor, amount, currency, market_amount,
                 rate_day, score, verdict, reasons, source, priority, due_at)
     order by transaction_id
    on conflict (transaction_id) do update
       set source = excluded.source, priority = excluded.priority, due_at = excluded.due_at, policy = excluded.policy,
           opened_at = now(), opened_by = excluded.opened_by, score = excluded.score, verdict = excluded.verdict,
           reasons = excluded.reasons, market_amount = excluded.market_amount, market_currency = excluded.market_currency,
           rate_day = excluded.rate_day, state = 'open',
           claimed_at = case when c.state = 'open' then c.claimed_at end, escalated_by = case when ${IS_LEFT} then c.escalated_by end,
           escalated_at = case when ${IS_LEFT} then c.escalated_at end, disposition = null,
           decision_reason = null, decided_by = null, decided_by_key = null, decided_at = null, confirmed_by = null, confirmed_by_key = null, final_at = null, closed_at = null
     where excluded.source = 'dispute' and (c.source <> 'dispute' or c.state <> 'open')
       and c.disposition is distinct from 'fraud'
    returning transaction_id as "transactionId", priority, source, state, market_amount is null as "isUnrated"`,
};

// A decision that says fraud stands, unless it is undone or given back before it is final: the case is urgent then.
const urgeStatement: Statement = {
  name: 'urge-decided-cases',
  text: `
    update market.review_cases c
       set source = 'dispute', priority = u.priority, due_at = u.due_at, policy = $4::int4, market_currency = $5::text,
           market_amount = u.market_amount::numeric, rate_day = u.rate_day::date
      from unnest($1::uuid[], $2::smallint[], $3::timestamptz[], $6::text[], $7::text[])
           as u (transaction_id, priority, due_at, market_amount, rate_day)
     where c.transaction_id = u.transaction_id and c.state in ('confirming', 'decided')
       and c.disposition = 'fraud' and c.source <> 'dispute'
    returning c.transaction_id as "transactionId", c.priority, c.source, c.state, c.market_amount is null as "isUnrated"`,
};

export type Opened = {
  readonly transactionId: string;
  readonly priority: number;
  readonly source: CaseSource;
  readonly state: StoredState;
  readonly isUnrated: boolean;
};

/**
 * @param cases at most one a transaction, rated in the currency of the policy
 * @param policy the one that placed them
 * @param by the person who asked for it, or the engine
 * @returns those that are opened, opened again or urgent now
 */
export async function openCases(
  query: Query,
  cases: readonly NewCase[],
  { version, policy }: Pick<StoredPolicy, 'version' | 'policy'>,
  by: string,
): Promise<Opened[]> {
  if (cases.length === 0) return [];
  const opened = await query<Opened>(openStatement, [
    uuidArray(cases.map((one) => one.transactionId)),
    timestampArray(cases.map((one) => one.createdAt.getTime())),
    textArray(cases.map((one) => one.accountId)),
    textArray(cases.map((one) => one.merchantId)),
    textArray(cases.map((one) => one.deviceId)),
    textArray(cases.map((one) => one.corridor)),
    textArray(cases.map((one) => one.amount)),
    textArray(cases.map((one) => one.currency)),
    textArray(cases.map((one) => one.marketAmount)),
    textArray(cases.map((one) => one.rateDay)),
    float8Array(cases.map((one) => one.score)),
    textArray(cases.map((one) => one.verdict)),
    textArray(cases.map((one) => one.reasons.join(','))),
    textArray(cases.map((one) => one.source)),
    int2Array(cases.map((one) => one.priority)),
    timestampArray(cases.map((one) => one.dueAtMs)),
    ...[version, by, policy.currency],
  ]);
  const disputes = cases.filter(({ source }) => source === 'dispute');
  if (disputes.length === 0) return opened;
  const urged = await query<Opened>(urgeStatement, [
    uuidArray(disputes.map((one) => one.transactionId)),
    int2Array(disputes.map((one) => one.priority)),
    timestampArray(disputes.map((one) => one.dueAtMs)),
    ...[version, policy.currency],
    textArray(disputes.map((one) => one.marketAmount)),
    textArray(disputes.map((one) => one.rateDay)),
  ]);
  return [...opened, ...urged];
}

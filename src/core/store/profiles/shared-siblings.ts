/** Siblings of a transaction at its device, or its network of addresses, in sums that Postgres makes: every committed row counts. */
import {
  textArray,
  timestampArray,
  unsized,
  uuidArray,
} from '../../../kit/database/binary-array.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { epochMs } from '../../../kit/database/statement.ts';
import { DAY_MS, HOUR_MS } from '../../../kit/words/range.ts';
import { SHARED_ENTRIES, SHARED_HISTORY_DAYS, SHARED_WINDOWS_MS } from '../../domain/history.ts';
import type { Transaction } from '../../domain/transaction.ts';
import { ofMonths } from '../within-months.ts';
import { isOf, SHARED } from './past-queries.ts';

export type SharedSiblings = {
  /** Distinct accounts, that of the transaction included. */
  readonly accounts: number;
  /** When the first sibling was created; null without siblings. */
  readonly firstMs: number | null;
  /** Whether the party has later transactions. */
  readonly isLate: boolean;
};

/** `0 * p.point` as in past-queries.ts: the reading stops after the wanted rows. */
const statementOf = (kind: keyof typeof SHARED) => {
  const { party } = SHARED[kind];
  return ofMonths(`siblings-of-${kind}`, (within) => {
    const siblings = `from market.transactions t where ${isOf(party)} and t.created_at <= p.at and ${within('t')}
            and (t.created_at, t.transaction_id) < (p.at, p.id)`;
    return `
    select n.accounts, ${epochMs('f.created_at')} as "firstMs",
           exists (select from market.transactions t where ${isOf(party)} and t.created_at > p.at and ${within('t')}) as "isLate"
      from unnest(${unsized('$1::text[]')}, $2::timestamptz[], $3::uuid[], $4::text[])
           with ordinality as p (party, at, id, account, point)
     cross join lateral (
       select 1 + count(distinct account_id) filter (where account_id <> p.account)::int as accounts from (
         select * from (
           select t.account_id, t.created_at, t.transaction_id ${siblings}
              and t.created_at > p.at - interval '${SHARED_WINDOWS_MS[kind] / HOUR_MS} hours'
            order by t.created_at desc fetch first (${SHARED_ENTRIES} + 0 * p.point) rows with ties) ties
          order by created_at desc, transaction_id desc limit ${SHARED_ENTRIES}) newest) n
      left join lateral (
       select t.created_at ${siblings} and t.created_at > p.at - interval '${SHARED_HISTORY_DAYS * 24} hours'
        order by t.created_at limit (1 + 0 * p.point)) f on true
     order by p.point`;
  });
};
const STATEMENTS = { device: statementOf('device'), address: statementOf('address') } as const;

/** The siblings of each transaction, in the order of the transactions. */
export async function readSharedSiblings(
  query: Query,
  kind: keyof typeof SHARED,
  points: readonly Transaction[],
): Promise<readonly SharedSiblings[]> {
  const times = points.map(({ createdAtMs }) => createdAtMs);
  const fromMs = Math.min(...times) - SHARED_HISTORY_DAYS * DAY_MS;
  const toMs = Math.max(...times, Date.now());
  return await query<SharedSiblings>(STATEMENTS[kind]({ fromMs, toMs }), [
    textArray(points.map(SHARED[kind].partyOf)),
    timestampArray(times),
    uuidArray(points.map(({ transactionId }) => transactionId)),
    textArray(points.map(({ accountId }) => accountId)),
  ]);
}

/**
 * Legal holds, which keep their subjects from being dropped, purged or erased: each database transaction that removes something
 * calls `refuseOnHold` first.
 */
import type { Query } from '../../../kit/database/pool.ts';
import { anyOf, firstOf, rowsOf } from '../../../kit/database/statement.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { type Month, monthText, parseMonth } from '../../../kit/words/month.ts';
import { findMonthTables, type PartitionState, partitionName } from './partitions.ts';

export const HOLD_KINDS = ['market', 'month', 'account'] as const;
type HoldKind = (typeof HOLD_KINDS)[number];

export type LegalHold = {
  readonly holdId: string;
  readonly kind: HoldKind;
  /** A month (2026-03) or an account, which is a token where accounts are tokens; null: the whole market. */
  readonly subject: string | null;
  readonly reason: string;
  readonly setBy: string;
};

/** The subject of a removal. */
export type Removed =
  | { readonly kind: 'market' }
  | { readonly kind: 'month'; readonly month: Month }
  | { readonly kind: 'account'; readonly account: string };

export const HELD = 'HELD';

const inForce = `select hold_id::text as "holdId", kind, subject, reason, set_by as "setBy"
                   from market.legal_holds h where lifted_at is null`;

const findAny = firstOf<LegalHold>('find-any-hold', `${inForce} order by hold_id limit 1`);

/** Whether a hold on the market stops all purges. */
export const isMarketOnHold = anyOf(
  'is-market-held',
  "from market.legal_holds where lifted_at is null and kind = 'market'",
);

const findSubject = firstOf<LegalHold, [kind: HoldKind, subject: string]>(
  'find-hold',
  `${inForce} and (kind = 'market' or (kind = $1 and subject = $2)) order by hold_id limit 1`,
);

const listMonthsOnHold = rowsOf<LegalHold>(
  'list-held-months',
  `${inForce} and kind = 'month' order by hold_id`,
);

/**
 * The oldest hold in force that forbids a removal. Any hold forbids that of the market; a hold on an account forbids that of each
 * month with its transactions, and a hold on a month that of each account in the month, or of any account where the month is cold.
 */
export async function holdOf(query: Query, removed: Removed): Promise<LegalHold | undefined> {
  switch (removed.kind) {
    case 'market':
      return await findAny(query);
    case 'month':
      return (
        (await findSubject(query, 'month', monthText(removed.month))) ??
        (await findAccountIn(query, removed.month))
      );
    case 'account':
      return (
        (await findSubject(query, 'account', removed.account)) ??
        (await findMonthOf(query, removed.account))
      );
  }
}

/** Locks holds until the end of the database transaction. @throws Failure HELD that names the hold on the subject */
export async function refuseOnHold(query: Query, removed: Removed): Promise<void> {
  await query({ name: 'lock-holds', text: 'lock table market.legal_holds in share mode' });
  const hold = await holdOf(query, removed);
  if (hold !== undefined) throw new Failure('conflict', HELD, sayHold(hold));
}

function sayHold({ holdId, kind, subject, reason, setBy }: LegalHold): string {
  const what = subject === null ? 'the market' : `${kind} ${subject}`;
  return `legal hold ${holdId} of ${setBy} keeps ${what}: ${reason}`;
}

async function stateOf(query: Query, month: Month): Promise<PartitionState | undefined> {
  return (await findMonthTables(query, [month])).get(month)?.get('transactions');
}

const rowsIn = (month: Month, account: string) =>
  `exists (select from market.${partitionName('transactions', month)} t where t.account_id = ${account})`;

async function findAccountIn(query: Query, month: Month): Promise<LegalHold | undefined> {
  const state = await stateOf(query, month);
  if (state === undefined || state === 'cold') return undefined;
  const text = `${inForce} and kind = 'account' and ${rowsIn(month, 'h.subject')} order by hold_id limit 1`;
  const [found] = await query<LegalHold>({ text });
  return found;
}

async function findMonthOf(query: Query, account: string): Promise<LegalHold | undefined> {
  for (const hold of await listMonthsOnHold(query)) {
    const month = parseMonth(hold.subject ?? '');
    const state = month === undefined ? undefined : await stateOf(query, month);
    if (month === undefined || state === undefined) continue;
    // The account may be in the files of a cold month, which nobody searches.
    if (state === 'cold') return hold;
    const [found] = await query<{ has: boolean }>(
      { text: `select ${rowsIn(month, '$1')} as has` },
      [account],
    );
    if (found?.has === true) return hold;
  }
  return undefined;
}

/**
 * Takes a month off with all its rows, puts it back, or drops it. The tables of a month go together, one after the
 * other; a month of which one is off counts as detached, so an interrupted command is finished by giving it again.
 *
 * Transactions go first and come back last: no transaction is accepted whose score would have no place.
 * A detach is concurrent: it waits for open database transactions without a lock that anybody queues behind, and
 * what needs one is tried again after LOCK_WAIT_MS.
 */
import { requireConfirmed, withdrawWaiting } from '../../../kit/approvals/approvals.ts';
import { recordChange } from '../../../kit/audit/audit-log.ts';
import type { Database, Query, Statement } from '../../../kit/database/pool.ts';
import { onlyOf, timeText } from '../../../kit/database/statement.ts';
import { lowestIdAt } from '../../../kit/words/cursor.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { type Month, monthOf, monthStartMs, monthText } from '../../../kit/words/month.ts';
import type { Actor } from '../../../kit/words/principal.ts';
import { countOpenBetween, takeTimeOut } from '../open-rows/open-rows.ts';
import { voidSnapshots } from '../profiles/profile-snapshots.ts';
import { countMonthTallies, deleteMonthTallies } from '../tallies/month-tallies.ts';
import { refuseOnHold } from './legal-holds.ts';
import {
  lockPartitions,
  monthBounds,
  type PartitionedTable,
  type PartitionState,
  partitionName,
  requireMonth,
} from './partitions.ts';

/**
 * Lock timeout of the connection of these statements: how long a reader or writer may queue behind one of them.
 */
export const LOCK_WAIT_MS = 800;
const DETACH_ORDER: readonly PartitionedTable[] = ['transactions', 'labels', 'scores'];

type StateOf = (table: PartitionedTable) => PartitionState | undefined;

async function readStates({ query }: Pick<Database, 'query'>, month: Month): Promise<StateOf> {
  const tables = await requireMonth(query, month);
  return (table) => tables.get(table);
}

/**
 * Records a detach before it begins, as a concurrent detach cannot run in a transaction: every detach has its row, while a
 * row may belong to a detach that never finished.
 */
export async function recordDetach(database: Database, month: Month, by: Actor): Promise<void> {
  const stateOf = await readStates(database, month);
  if (leftOf(stateOf).length === 0) return;
  const text = monthText(month);
  if (month >= monthOf(Date.now()))
    throw new Failure('conflict', 'MONTH_NOT_OVER', `${text} is not over`);
  await database.transaction(async (query) => {
    await refuseUnsealed(query, month);
    const state = statesOf(stateOf);
    const change = { subject: text, before: { state }, after: { asked: true } };
    await recordChange(query, by, { action: 'month.detach', ...change });
  });
}

const countUnsealed = onlyOf<{ count: number }, [from: string, to: string]>(
  'count-unsealed-scores',
  `select count(*)::float8 as count from market.outbox_evidence cross join unnest(transaction_ids) id where id >= $1 and id < $2`,
);

/** The log of evidence gets no leaf for a score whose row is away. @throws Failure where scores of the month wait for a leaf */
async function refuseUnsealed(query: Query, month: Month): Promise<void> {
  const [fromMs, toMs] = timesOf(month);
  const { count } = await countUnsealed(query, lowestIdAt(fromMs), lowestIdAt(toMs));
  if (count === 0) return;
  const why = `${count} scores of ${monthText(month)} wait to be sealed: a worker with RISK_EVIDENCE_KEYS seals them`;
  throw new Failure('conflict', 'MONTH_UNSEALED', why);
}

/** Tables that are still attached, or half detached. */
const leftOf = (stateOf: StateOf) =>
  DETACH_ORDER.filter((table) => ['attached', 'detaching'].includes(stateOf(table) ?? ''));

/** State of the month's partition in each table; null where there is none. */
const statesOf = (stateOf: StateOf) =>
  Object.fromEntries(DETACH_ORDER.map((table) => [table, stateOf(table) ?? null]));

/**
 * Makes one attempt. Throws Failure `unavailable` where an open database transaction blocks it; the next call
 * resumes there.
 * @returns whether anything was to be done
 */
export async function detachMonth(database: Database, month: Month): Promise<boolean> {
  const stateOf = await readStates(database, month);
  const left = leftOf(stateOf);
  for (const table of left) {
    // Written before the last table, so that a repeated command still finds it.
    if (table === 'scores') {
      await database.transaction(async (query) => {
        // Scores may have come since the command began.
        await refuseUnsealed(query, month);
        await deleteMonthTallies(query, month);
        await voidSnapshots(query);
      });
    }
    const how = stateOf(table) === 'attached' ? 'concurrently' : 'finalize';
    const name = partitionName(table, month);
    const text = `alter table market.${table} detach partition market.${name} ${how}`;
    await database.query({ text, outsideTransaction: how === 'concurrently' });
  }
  return left.length > 0;
}

/**
 * Puts the tables back. What was accepted and never scored has waited in its open rows.
 * @returns transactions without a score
 */
export async function attachMonth(database: Database, month: Month, by: Actor): Promise<number> {
  const stateOf = await readStates(database, month);
  refuseCold(stateOf, month);
  for (const table of DETACH_ORDER.toReversed()) {
    const state = stateOf(table);
    const name = partitionName(table, month);
    if (state === 'detaching') {
      const text = `alter table market.${table} detach partition market.${name} finalize`;
      await database.query({ text });
    }
    if (state === 'detaching' || state === 'detached')
      await attachTable(database, table, month, by);
  }
  return await countOpenBetween(database.query, ...timesOf(month));
}

/** Applies only to a month that is detached completely. */
export async function dropMonth(database: Database, month: Month, by: Actor): Promise<void> {
  await database.transaction(async (query) => {
    const state = await dropDetached(query, month);
    await takeTimeOut(query, ...timesOf(month));
    const change = { subject: monthText(month), before: state, after: null };
    await recordChange(query, by, { action: 'month.drop', ...change });
  });
}

/** The last change of a month voids an earlier agreement of two people. */
const findLastChange = onlyOf<{ at: string | null }, [month: string]>(
  'find-last-change-of-month',
  `select ${timeText('max(changed_at)')} as at from market.audit_log
    where subject = $1 and action in ('month.attach', 'month.drop', 'month.restore')`,
);

/**
 * Drops the tables of a month in the caller's database transaction. Open rows stay: the month may be restored from files.
 * @returns the states of the tables, and the two people who have agreed
 * @throws Failure where the month is not detached, a legal hold keeps the month, or no two people have agreed
 */
export async function dropDetached(query: Query, month: Month): Promise<object> {
  await lockPartitions(query);
  const stateOf = await readStates({ query }, month);
  refuseCold(stateOf, month);
  const existing = DETACH_ORDER.filter((table) => stateOf(table) !== undefined);
  if (existing.some((table) => stateOf(table) !== 'detached')) {
    const detail = `${monthText(month)} is not detached: bin/risk partitions detach ${monthText(month)}`;
    throw new Failure('conflict', 'MONTH_ATTACHED', detail);
  }
  await refuseOnHold(query, { kind: 'month', month });
  const subject = monthText(month);
  const { at } = await findLastChange(query, subject);
  const ask = `risk archive request-drop ${subject} --reason …`;
  const people = await requireConfirmed(query, ['month-drop', subject], at, ask);
  const names = existing.map((table) => `market.${partitionName(table, month)}`);
  await query({ text: `drop table ${names.join(', ')}` });
  return { state: statesOf(stateOf), ...people };
}

/** @throws Failure where the rows of the month are in files alone */
function refuseCold(stateOf: StateOf, month: Month): void {
  if (stateOf('transactions') !== 'cold') return;
  const text = monthText(month);
  const detail = `${text} is cold, which is an archive: bin/risk archive restore ${text} makes its tables again`;
  throw new Failure('conflict', 'MONTH_COLD', detail);
}

/**
 * A check of the bounds, validated while nobody uses the table, spares the attach a scan under the parent's
 * lock. A concurrent detach leaves one too; checks that the parent does not have are dropped afterwards.
 */
async function attachTable(
  database: Database,
  table: PartitionedTable,
  month: Month,
  by: Actor,
): Promise<void> {
  const name = partitionName(table, month);
  const { from, to } = monthBounds(month);
  const missed = await database.query<{ change: string }>(missedChanges, [table, name]);
  const range = `check (created_at >= ${from} and created_at < ${to})`;
  const changes = [
    ...missed.map(({ change }) => change),
    `drop constraint if exists ${name}_range`,
    `add constraint ${name}_range ${range} not valid`,
    `validate constraint ${name}_range`,
  ];
  for (const change of changes) {
    await database.query({ text: `alter table market.${name} ${change}` });
  }
  await database.transaction(async (query) => {
    await lockPartitions(query);
    const attach = `attach partition market.${name} for values from (${from}) to (${to})`;
    await query({ text: `alter table market.${table} ${attach}` });
    for (const { constraint } of await query<{ constraint: string }>(ownChecks, [name])) {
      await query({ text: `alter table market.${name} drop constraint ${constraint}` });
    }
    if (table === 'transactions') {
      await countMonthTallies(query, month);
      await voidSnapshots(query);
    }
    const states = { before: { [table]: 'detached' }, after: { [table]: 'attached' } };
    await withdrawWaiting(query, 'month-drop', monthText(month), by);
    await recordChange(query, by, { action: 'month.attach', subject: monthText(month), ...states });
  });
}

/** Columns and checks that migrations added to the parent meanwhile. The attach itself makes indexes. */
const missedChanges: Statement = {
  text: `
    select format('add column %I %s', a.attname, format_type(a.atttypid, a.atttypmod))
             || case when a.attnotnull then format(' default %s not null', pg_get_expr(d.adbin, d.adrelid)) else '' end as change
      from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     where a.attrelid = to_regclass('market.' || $1) and a.attnum > 0 and not a.attisdropped
       and not exists (select from pg_attribute c where c.attrelid = to_regclass('market.' || $2) and c.attname = a.attname)
    union all
    select format('add constraint %I %s', p.conname, pg_get_constraintdef(p.oid))
      from pg_constraint p
     where p.conrelid = to_regclass('market.' || $1) and p.contype = 'c'
       and not exists (select from pg_constraint c where c.conrelid = to_regclass('market.' || $2) and c.conname = p.conname)`,
};

const ownChecks: Statement = {
  text: `select quote_ident(conname) as constraint from pg_constraint
          where conrelid = to_regclass('market.' || $1) and contype = 'c' and coninhcount = 0`,
};

const timesOf = (month: Month) => [monthStartMs(month), monthStartMs(month + 1)] as const;

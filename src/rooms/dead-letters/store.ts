/**
 * Dead letters as operators handle them: listed, shown, grouped, marked as replayed or purged. Marking takes active rows alone and
 * skips rows that another operator is marking, so that two commands at once never replay one letter twice.
 */
import { isoTime } from '../../core/store/partitions/month-slice.ts';
import { STAMP } from '../../kit/database/moment.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import type {
  DeadLetterGroupJson,
  DeadLetterListParameters,
  DeadLetterRow,
} from './dead-letter.ts';

/** Which active dead letters to mark: by id, or by common properties. */
export type DeadLetterSelection =
  | { readonly ids: readonly string[] }
  | {
      readonly corridor?: string | undefined;
      readonly errorCode?: string | undefined;
      /** Bounds the work: a letter that fails again while its selection is replayed is not part of it. */
      readonly failedBeforeMs: number;
    };

const COLUMNS = `dead_letter_id, stream, corridor, error, error_code, failed_at, replayed_at, purged_at,
  json_build_object('transaction_id', transaction_id, 'account_id', account_id, 'retry_count', attempts) as message`;

const listStatement = {
  name: 'list-dead-letters',
  text: `select ${COLUMNS} from market.dead_letters
          where (failed_at, dead_letter_id) < ($1, $2)
            and ($3::text is null or corridor = $3)
            and ($4::text is null or error_code = $4)
            and ($5::boolean is null or (replayed_at is null and purged_at is null) = $5)
          order by failed_at desc, dead_letter_id desc limit $6`,
};

/** Newest failure first. */
export async function listDeadLetters(
  { query }: Pick<Database, 'query'>,
  { corridor, error_code, active, cursor: before }: DeadLetterListParameters,
  rows: number,
): Promise<DeadLetterRow[]> {
  return await query<DeadLetterRow>(listStatement, [
    before === undefined ? 'infinity' : isoTime(before.atMs),
    before?.id ?? '00000000-0000-0000-0000-000000000000',
    corridor,
    error_code,
    active,
    rows,
  ]);
}

const readStatement = {
  name: 'read-dead-letter',
  text: `select ${COLUMNS}, entry from market.dead_letters where dead_letter_id = $1`,
};

export async function readDeadLetter(
  { query }: Pick<Database, 'query'>,
  deadLetterId: string,
): Promise<(DeadLetterRow & { readonly entry: string }) | undefined> {
  const [row] = await query<DeadLetterRow & { entry: string }>(readStatement, [deadLetterId]);
  return row;
}

const groupStatement = {
  name: 'group-dead-letters',
  text: `select error_code, corridor, count(*)::int4 as dead_letters, (count(*) - count(transaction_id))::int4 as unreadable,
                min(failed_at) as first_failed_at, max(failed_at) as last_failed_at,
                (array_agg(dead_letter_id::text order by failed_at desc, dead_letter_id desc))[1:3] as sample_ids
           from market.dead_letters where replayed_at is null and purged_at is null
          group by error_code, corridor order by count(*) desc, error_code, corridor`,
};

type GroupRow = Omit<DeadLetterGroupJson, 'first_failed_at' | 'last_failed_at'> & {
  readonly first_failed_at: Date;
  readonly last_failed_at: Date;
};

/** The active ones by error, largest group first. */
export async function groupDeadLetters({
  query,
}: Pick<Database, 'query'>): Promise<DeadLetterGroupJson[]> {
  return (await query<GroupRow>(groupStatement)).map((group) => ({
    ...group,
    first_failed_at: group.first_failed_at.toISOString(),
    last_failed_at: group.last_failed_at.toISOString(),
  }));
}

const SELECTED = `replayed_at is null and purged_at is null
  and ($1::uuid[] is null or dead_letter_id = any ($1))
  and ($2::text is null or corridor = $2)
  and ($3::text is null or error_code = $3)
  and failed_at < $4`;

/** A letter that can be replayed: its entry could be read, and its transaction is stored. */
const REPLAYABLE = `exists (select from market.transactions t where t.transaction_id = dead_letters.transaction_id
    and t.created_at = dead_letters.created_at)`;

const markReplayedStatement = {
  name: 'mark-dead-letters-replayed',
  text: `with picked as (
           select dead_letter_id from market.dead_letters
            where ${SELECTED} and ${REPLAYABLE}
            order by dead_letter_id limit $5 for update skip locked
         )
         update market.dead_letters d set replayed_at = ${STAMP} from picked
          where d.dead_letter_id = picked.dead_letter_id
         returning d.dead_letter_id as "deadLetterId", d.transaction_id as "transactionId",
                   pg_current_xact_id()::text as xid`,
};

const markPurgedStatement = {
  name: 'mark-dead-letters-purged',
  text: `with picked as (
           select dead_letter_id from market.dead_letters
            where ${SELECTED}
            order by dead_letter_id limit $6 for update skip locked
         )
         update market.dead_letters d set purged_at = $5 from picked
          where d.dead_letter_id = picked.dead_letter_id
         returning d.dead_letter_id as "deadLetterId"`,
};

function selectionValues(selection: DeadLetterSelection): unknown[] {
  return 'ids' in selection
    ? [[...selection.ids], null, null, 'infinity']
    : [null, selection.corridor, selection.errorCode, isoTime(selection.failedBeforeMs)];
}

type MarkedLetter = {
  readonly deadLetterId: string;
  readonly transactionId: string;
  /** Number of the database transaction that marked it. */
  readonly xid: string;
};

/** Marks at most `rowsMax` active ones that can be replayed. */
export async function markReplayed(
  query: Query,
  selection: DeadLetterSelection,
  rowsMax: number,
): Promise<MarkedLetter[]> {
  return await query(markReplayedStatement, [...selectionValues(selection), rowsMax]);
}

export async function markPurged(
  query: Query,
  selection: DeadLetterSelection,
  atMs: number,
  rowsMax: number,
): Promise<{ deadLetterId: string }[]> {
  return await query(markPurgedStatement, [...selectionValues(selection), isoTime(atMs), rowsMax]);
}

const countStatement = {
  name: 'count-selected-dead-letters',
  text: `select count(*)::int4 as "all", (count(*) filter (where ${REPLAYABLE}))::int4 as replayable
           from market.dead_letters where ${SELECTED}`,
};

/** How many letters a selection still has: all of them, and those that can be replayed. */
export async function countSelected(
  { query }: Pick<Database, 'query'>,
  selection: DeadLetterSelection,
): Promise<{ all: number; replayable: number }> {
  const [row] = await query<{ all: number; replayable: number }>(
    countStatement,
    selectionValues(selection),
  );
  return row ?? { all: 0, replayable: 0 };
}

const loadStatement = {
  name: 'list-dead-letters-by-id',
  text: `select ${COLUMNS} from market.dead_letters where dead_letter_id = any ($1::uuid[])`,
};

export async function readDeadLettersById(
  { query }: Pick<Database, 'query'>,
  ids: readonly string[],
): Promise<DeadLetterRow[]> {
  return await query<DeadLetterRow>(loadStatement, [[...ids]]);
}

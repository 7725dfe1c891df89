/**
 * Dead letters as operators handle them: listed, shown, grouped, marked as replayed or purged. Marking takes active rows only
 * and skips rows that another operator is marking, so two operators at once never replay a letter twice.
 */
import { isoTime } from '../../core/store/partitions/month-slice.ts';
import { STAMP } from '../../kit/database/moment.ts';
import type { Query } from '../../kit/database/pool.ts';
import { firstOf, onlyOf, rowsOf } from '../../kit/database/statement.ts';
import { timeColumns, timeText } from '../../kit/database/time-text.ts';
import { encodeCursor } from '../../kit/words/cursor.ts';
import type { PageJson } from '../../kit/words/page.ts';
import type { DeadLetter, DeadLetterGroup, DeadLetterListParameters } from './dead-letter.ts';

/** The active dead letters to mark: by id, or by common properties. */
export type DeadLetterSelection = {
  readonly ids?: readonly string[] | undefined;
  readonly corridor?: string | undefined;
  readonly errorCode?: string | undefined;
  /** Bounds the work: a letter that fails again while its selection is replayed is not part of it. */
  readonly failedBeforeMs?: number | undefined;
};

const COLUMNS = `d.dead_letter_id, d.stream, d.corridor, d.error, d.error_code, ${timeColumns('d', 'failed_at', 'replayed_at', 'purged_at')},
  json_build_object('transaction_id', d.transaction_id, 'account_id', d.account_id, 'retry_count', d.attempts) as message`;

const list = rowsOf<DeadLetter, readonly unknown[]>(
  'list-dead-letters',
  `select ${COLUMNS} from market.dead_letters d
          where (failed_at, dead_letter_id) < ($1, $2)
            and ($3::text is null or corridor = $3)
            and ($4::text is null or error_code = $4)
            and ($5::boolean is null or (replayed_at is null and purged_at is null) = $5)
          order by failed_at desc, dead_letter_id desc limit $6`,
);

/** Newest failure first. */
export async function listDeadLetters(
  query: Query,
  { corridor, error_code, active, cursor, limit }: DeadLetterListParameters,
): Promise<PageJson<DeadLetter>> {
  const at = cursor === undefined ? 'infinity' : isoTime(cursor.atMs);
  const id = cursor?.id ?? '00000000-0000-0000-0000-000000000000';
  const rows = await list(query, at, id, corridor, error_code, active, limit + 1);
  const items = rows.slice(0, limit);
  const last = rows.length > limit ? items.at(-1) : undefined;
  const next = last && encodeCursor({ atMs: Date.parse(last.failed_at), id: last.dead_letter_id });
  return { items, next_cursor: next ?? null };
}

export const readDeadLetter = firstOf<
  DeadLetter & { readonly entry: string },
  [deadLetterId: string]
>(
  'read-dead-letter',
  `select ${COLUMNS}, d.entry from market.dead_letters d where d.dead_letter_id = $1`,
);

/** The active ones by error, largest group first. */
export const groupDeadLetters = rowsOf<Omit<DeadLetterGroup, 'cure'>>(
  'group-dead-letters',
  `select error_code, corridor, count(*)::int4 as dead_letters, (count(*) - count(transaction_id))::int4 as unreadable,
                ${timeText('min(failed_at)')} as first_failed_at, ${timeText('max(failed_at)')} as last_failed_at,
                (array_agg(dead_letter_id::text order by failed_at desc, dead_letter_id desc))[1:3] as sample_ids
           from market.dead_letters where replayed_at is null and purged_at is null
          group by error_code, corridor order by count(*) desc, error_code, corridor`,
);

const SELECTED = `replayed_at is null and purged_at is null
  and ($1::uuid[] is null or dead_letter_id = any ($1))
  and ($2::text is null or corridor = $2)
  and ($3::text is null or error_code = $3)
  and failed_at < $4`;

/** A letter that can be replayed: its entry could be read, and its transaction is stored. */
const REPLAYABLE = `exists (select from market.transactions t where t.transaction_id = dead_letters.transaction_id
    and t.created_at = dead_letters.created_at)`;

const replay = rowsOf<{ deadLetterId: string; transactionId: string }, readonly unknown[]>(
  'mark-dead-letters-replayed',
  `with picked as (
           select dead_letter_id from market.dead_letters
            where ${SELECTED} and ${REPLAYABLE}
            order by dead_letter_id limit $5 for update skip locked
         )
         update market.dead_letters d set replayed_at = ${STAMP} from picked
          where d.dead_letter_id = picked.dead_letter_id
         returning d.dead_letter_id as "deadLetterId", d.transaction_id as "transactionId"`,
);

const purge = rowsOf<{ deadLetterId: string }, readonly unknown[]>(
  'mark-dead-letters-purged',
  `with picked as (
           select dead_letter_id from market.dead_letters
            where ${SELECTED}
            order by dead_letter_id limit $6 for update skip locked
         )
         update market.dead_letters d set purged_at = $5 from picked
          where d.dead_letter_id = picked.dead_letter_id
         returning d.dead_letter_id as "deadLetterId"`,
);

function selectionValues({ ids, corridor, errorCode, failedBeforeMs }: DeadLetterSelection) {
  return [
    ids,
    corridor,
    errorCode,
    failedBeforeMs === undefined ? 'infinity' : isoTime(failedBeforeMs),
  ];
}

/** Marks at most `rowsMax` active ones that can be replayed. */
export const markReplayed = (query: Query, selection: DeadLetterSelection, rowsMax: number) =>
  replay(query, ...selectionValues(selection), rowsMax);

export const markPurged = (
  query: Query,
  selection: DeadLetterSelection,
  atMs: number,
  rowsMax: number,
) => purge(query, ...selectionValues(selection), isoTime(atMs), rowsMax);

const count = onlyOf<{ all: number; replayable: number }, readonly unknown[]>(
  'count-selected-dead-letters',
  `select count(*)::int4 as "all", (count(*) filter (where ${REPLAYABLE}))::int4 as replayable
           from market.dead_letters where ${SELECTED}`,
);

/** How many letters a selection still has: all of them, and those that can be replayed. */
export const countSelected = (query: Query, selection: DeadLetterSelection) =>
  count(query, ...selectionValues(selection));

export const readDeadLettersById = rowsOf<DeadLetter, [ids: readonly string[]]>(
  'list-dead-letters-by-id',
  `select ${COLUMNS} from market.dead_letters d where d.dead_letter_id = any ($1::uuid[])`,
);

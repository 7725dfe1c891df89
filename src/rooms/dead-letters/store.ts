/**
 * Dead letters as operators handle them: listed, shown, grouped, marked as replayed or purged. Marking takes active rows only
 * and skips rows that another operator is marking, so two operators at once never replay a letter twice.
 */

import { z } from 'zod';
import { isoTime } from '../../core/store/partitions/month-slice.ts';
import { STAMP } from '../../kit/database/moment.ts';
import type { Query } from '../../kit/database/pool.ts';
import { firstOf, onlyOf, rowsOf, timeColumns, timeText } from '../../kit/database/statement.ts';
import { FIRST_ID } from '../../kit/words/cursor.ts';
import {
  corridorFilter,
  flagParameter,
  pageParameters,
  shown,
} from '../../kit/words/list-parameters.ts';

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

export const CURES = {
  ENTRY_MALFORMED:
    'If it names no transaction, wait: within seconds the reconciler appends the transactions of the entry and marks the dead letter as replayed.',
  CRASHES_WORKER: 'Report it, then replay.',
  MONTH_DETACHED: 'Attach the month, then replay.',
  other: 'Correct the cause, then replay.',
} as const;

export const DEAD_LETTER_ID = '01a1f8a1-8f60-7000-8000-000000000007';

export const errorCodeParameter = z
  .string()
  .regex(/^[A-Z0-9_]{1,64}$/, 'must be an error code, as SCORING_FAILED');

export const deadLetterListParameters = z.strictObject({
  corridor: corridorFilter,
  error_code: errorCodeParameter.optional().meta(shown('SCORING_FAILED', 'Only this error code.')),
  active: flagParameter.optional().meta({
    description: 'True: only those neither replayed nor purged; false: only those that are.',
  }),
  ...pageParameters,
});

const fields = {
  dead_letter_id: z.uuid(),
  stream: z.string(),
  message: z
    .object({
      transaction_id: z.uuid().nullable(),
      account_id: z.string().nullable(),
      retry_count: z.int(),
    })
    .meta({ description: 'transaction_id is null where the entry did not tell all of them.' }),
  corridor: z.string(),
  error: z.string().meta({ example: 'scoring failed four times' }),
  error_code: z.string(),
  failed_at: z.iso.datetime(),
  replayed_at: z.iso.datetime().nullable(),
  purged_at: z.iso.datetime().nullable(),
};
export const deadLetterSchema = z.object(fields).meta({ id: 'DeadLetter' });
export type DeadLetter = z.infer<typeof deadLetterSchema>;

const cure = z.string().meta({ description: 'What to do about this error code.' });

export const deadLetterWithEntrySchema = z
  .object({
    ...fields,
    cure,
    entry: z.string().meta({
      description:
        'The transaction as its entry carried it, as JSON; where it could not be read, the packed value in base64, once an entry.',
    }),
  })
  .meta({ id: 'DeadLetterWithEntry' });

export const deadLetterGroupSchema = z
  .object({
    error_code: z.string(),
    corridor: z.string(),
    dead_letters: z.int(),
    unreadable: z.int().meta({
      description:
        'Of them, those without a transaction: the reconciler looks for what their entries held.',
    }),
    first_failed_at: z.iso.datetime(),
    last_failed_at: z.iso.datetime(),
    cure,
    sample_ids: z.array(z.uuid()),
  })
  .meta({ id: 'DeadLetterGroup' });
type DeadLetterGroup = z.infer<typeof deadLetterGroupSchema>;

/** Newest failure first. */
export const listDeadLetters = (
  query: Query,
  { corridor, error_code, active, cursor, limit }: z.output<typeof deadLetterListParameters>,
) => {
  const at = cursor === undefined ? 'infinity' : isoTime(cursor.atMs);
  return list(query, at, cursor?.id ?? FIRST_ID, corridor, error_code, active, limit);
};

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
    and t.created_at = dead_letters.created_at and t.created_at between $5 and $6)`;
const readTimes = onlyOf<{ least: string | null; greatest: string | null }, readonly unknown[]>(
  'times-of-selected-dead-letters',
  `select ${timeText('min(created_at)')} as least, ${timeText('max(created_at)')} as greatest
     from market.dead_letters where ${SELECTED}`,
);

const replay = rowsOf<{ deadLetterId: string; transactionId: string }, readonly unknown[]>(
  'mark-dead-letters-replayed',
  `with picked as (
           select dead_letter_id from market.dead_letters
            where ${SELECTED} and ${REPLAYABLE}
            order by dead_letter_id limit $7 for update skip locked
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

/** With the times between which the selected letters' transactions were created. */
async function timedValues(query: Query, selection: DeadLetterSelection) {
  const values = selectionValues(selection);
  const { least, greatest } = await readTimes(query, ...values);
  return [...values, least, greatest];
}

/** Marks at most `rowsMax` active ones that can be replayed. */
export const markReplayed = async (query: Query, selection: DeadLetterSelection, rowsMax: number) =>
  await replay(query, ...(await timedValues(query, selection)), rowsMax);

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
export const countSelected = async (query: Query, selection: DeadLetterSelection) =>
  await count(query, ...(await timedValues(query, selection)));

export const readDeadLettersById = rowsOf<DeadLetter, [ids: readonly string[]]>(
  'list-dead-letters-by-id',
  `select ${COLUMNS} from market.dead_letters d where d.dead_letter_id = any ($1::uuid[])`,
);

/**
 * Dead letters in the form of the API: one, one with its entry, groups by error, and what a list is asked for.
 * Actions of an operator on a dead letter, by its error code; docs/dead-letters.md has the same sentences.
 */
export function cureOf(errorCode: string): string {
  const found = Object.entries(CURES).find(([code]) => code === errorCode);
  return (found ?? ['', CURES.other])[1];
}

export const withCures = <Row extends { readonly error_code: string }>(rows: readonly Row[]) =>
  rows.map((row) => ({ ...row, cure: cureOf(row.error_code) }));

/**
 * Dead letters, write side: rows are committed before their entries are acknowledged. The room dead-letters
 * reads and replays them.
 */

import { v7 as uuidv7 } from 'uuid';
import { recordChange } from '../../../kit/audit/audit-log.ts';
import {
  int2Array,
  textArray,
  timestampArray,
  uuidArray,
} from '../../../kit/database/binary-array.ts';
import type { Database, Statement } from '../../../kit/database/pool.ts';
import { rowsOf } from '../../../kit/database/statement.ts';
import { FIRST_ID } from '../../../kit/words/cursor.ts';
import { type Month, monthStartMs } from '../../../kit/words/month.ts';
import { engineOf } from '../../../kit/words/principal.ts';
import {
  DEAD_LETTER_ENTRY_CHARS_MAX,
  DEAD_LETTER_ERROR_CHARS_MAX,
  type DeadLetter,
} from '../../domain/dead-letter.ts';
import { createdAtMsOf } from '../../domain/transaction.ts';
import { finalValues, takeOut } from '../open-rows/open-rows.ts';
import { readStoredScores } from '../scores/stored-scores.ts';
import { timeValues } from '../within-months.ts';

// Transactions that become final leave their open row. A transaction that has a score is not dead, whatever became of one of its
// deliveries. The ids in an unreadable entry (which has no account) count only where they are stored.
const insertStatement: Statement = {
  name: 'insert-dead-letters',
  text: `with ${takeOut(15)}
         insert into market.dead_letters (dead_letter_id, transaction_id, created_at, account_id, corridor, stream,
             entry_id, attempts, error_code, error, entry, failed_at)
         select l.dead_letter_id,
                case when l.account_id is not null or t.account_id is not null then l.transaction_id::uuid end,
                to_timestamp(l.created_at_ms::float8 / 1000),
                coalesce(l.account_id, t.account_id), l.corridor, l.stream, l.entry_id, l.attempts, l.error_code, l.error, l.entry,
                l.failed_at
           from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                       $8::smallint[], $9::text[], $10::text[], $11::text[], $12::timestamptz[])
                as l (dead_letter_id, transaction_id, created_at_ms, account_id, corridor, stream, entry_id,
                      attempts, error_code, error, entry, failed_at)
           left join lateral (select account_id from market.transactions
                               where l.account_id is null and transaction_id = l.transaction_id::uuid
                                 and created_at = to_timestamp(l.created_at_ms::float8 / 1000)
                                 and created_at between $13 and $14 limit 1) t on true
          where not exists (select from market.scores s where s.transaction_id = l.transaction_id::uuid
                               and s.created_at = to_timestamp(l.created_at_ms::float8 / 1000)
                               and s.created_at between $13 and $14)
         on conflict do nothing
         returning coalesce(transaction_id::text, entry_id) as name`,
};

/**
 * Returns the transactions of new rows, or their entries where unreadable; the others are dead letters already,
 * or have a score.
 */
export async function insertDeadLetters(
  database: Pick<Database, 'query'>,
  letters: readonly DeadLetter[],
): Promise<Set<string>> {
  if (letters.length === 0) return new Set();
  const text = (value: (letter: DeadLetter) => string | null) => textArray(letters.map(value));
  const [, least, greatest] = timeValues(letters.map(({ createdAtMs }) => createdAtMs ?? 0));
  const rows = await database.query<{ name: string }>(insertStatement, [
    uuidArray(letters.map((letter) => uuidv7({ msecs: letter.failedAtMs }))),
    text((letter) => letter.transactionId),
    text(({ createdAtMs }) => (createdAtMs === null ? null : String(createdAtMs))),
    text(({ accountId }) => (accountId === null ? null : storable(accountId, 256))),
    text((letter) => letter.corridor),
    text((letter) => letter.stream),
    text((letter) => letter.entryId),
    int2Array(letters.map((letter) => letter.attempts)),
    text((letter) => letter.errorCode),
    text((letter) => storable(letter.error, DEAD_LETTER_ERROR_CHARS_MAX)),
    text((letter) => storable(letter.entry, DEAD_LETTER_ENTRY_CHARS_MAX)),
    timestampArray(letters.map((letter) => letter.failedAtMs)),
    least,
    greatest,
    // A letter that is not new has one already, or a score: its transaction is final in any case.
    ...finalValues(
      letters.flatMap(({ rowId, transactionId }) =>
        transactionId === null ? [] : { rowId, id: transactionId },
      ),
    ),
  ]);
  return new Set(rows.map((row) => row.name));
}

/**
 * Text that is bounded and that Postgres accepts: the raw value may hold the bytes that made the entry
 * malformed.
 */
function storable(text: string, charsMax: number): string {
  return text.slice(0, charsMax).toWellFormed().replaceAll('\0', '\ufffd');
}

/** Open dead letters that one statement examines. */
export const OPEN_LETTERS_PAGE_ROWS = 1000;

/** Transactions of a page of open dead letters that have a score. */
export type ScoredLettersPage = {
  readonly transactionIds: readonly string[];
  /** Start of the next page; null after the last. */
  readonly next: string | null;
};

const readPage = rowsOf<{ id: string }, [after: string, rowsMax: number]>(
  'list-open-dead-letters',
  `select transaction_id as id from market.dead_letters
    where replayed_at is null and purged_at is null and transaction_id > $1
    order by transaction_id limit $2`,
);

/** @param after where the page starts; from the first one on where absent */
export async function listDeadLettersOfScored(
  database: Pick<Database, 'query'>,
  after: string = FIRST_ID,
  rowsMax: number = OPEN_LETTERS_PAGE_ROWS,
): Promise<ScoredLettersPage> {
  const ids = (await readPage(database.query, after, rowsMax)).map(({ id }) => id);
  const asked = ids.map((id) => ({ transactionId: id, createdAtMs: createdAtMsOf(id) ?? 0 }));
  const scored = await readStoredScores(database, asked);
  return { transactionIds: [...scored.keys()], next: ids[rowsMax - 1] ?? null };
}

const close = rowsOf<{ id: string }, [transactionIds: Buffer]>(
  'close-dead-letters-of-scored',
  `update market.dead_letters set replayed_at = now()
          where transaction_id = any ($1::uuid[]) and replayed_at is null and purged_at is null
         returning dead_letter_id::text as id`,
);
const CLOSER = engineOf('close-dead-letters');

/** Closes the dead letters of transactions that have a score. */
export async function closeDeadLettersOfScored(
  database: Pick<Database, 'transaction'>,
  transactionIds: readonly string[],
): Promise<void> {
  if (transactionIds.length === 0) return;
  await database.transaction(async (query) => {
    const closed = await close(query, uuidArray(transactionIds));
    if (closed.length === 0) return;
    await recordChange(query, CLOSER, {
      action: 'dead-letters.close',
      subject: 'scored',
      before: null,
      after: { deadLetterIds: closed.map(({ id }) => id) },
    });
  });
}

const countBetween = rowsOf<{ error_code: string; dead_letters: number }, [from: Date, to: Date]>(
  'count-dead-letters-of-month',
  `select error_code, count(*)::int4 as dead_letters from market.dead_letters
          where replayed_at is null and purged_at is null and created_at >= $1 and created_at < $2
          group by error_code order by error_code`,
);

/** Dead letters of a month's transactions that are neither replayed nor purged, by error. */
export const countDeadLetters = ({ query }: Pick<Database, 'query'>, month: Month) =>
  countBetween(query, new Date(monthStartMs(month)), new Date(monthStartMs(month + 1)));

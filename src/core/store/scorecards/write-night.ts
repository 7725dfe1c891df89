/** Stores what a night has made in one commit, so that a night that ends early leaves nothing. */
import { recordChange } from '../../../kit/audit/audit-log.ts';
import {
  byteaArray,
  float8Array,
  int4Array,
  textArray,
  timestampArray,
  uuidArray,
} from '../../../kit/database/binary-array.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { rowsOf } from '../../../kit/database/statement.ts';
import type { Actor } from '../../../kit/words/principal.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import { createdAtMsOf } from '../../domain/transaction.ts';
import { textOfDay } from '../../score/scorecard/day-table.ts';
import type { LogOdds } from '../../score/scorecard/measures.ts';
import { hashTable } from '../../score/scorecard/table-bytes.ts';
import { isoTime } from '../partitions/month-slice.ts';
import { notOnDays } from './read-payments.ts';
import { insertTable, type NewTable } from './scorecards.ts';

export type NewDay = {
  readonly day: number;
  readonly payments: number;
  readonly reading: string;
  readonly counts: Uint8Array;
  readonly sample: Buffer;
};

export type NewRow = LogOdds & {
  readonly id: string;
  /** Null: the cuts of the new table made the buckets. */
  readonly scorecard: number | null;
  readonly share: number | null;
  readonly buckets: Uint8Array;
  readonly fired: readonly string[];
};

export type Night = NewTable & {
  /** The newest policy in force, which the next night asks the audit log for. */
  readonly policy: string | null;
  readonly days: readonly NewDay[];
  readonly rows: {
    readonly ids: readonly string[];
    /** Reads the rows, page by page, as all of them take more memory than a night may. */
    readonly read: (query: Query) => AsyncIterable<readonly NewRow[]>;
  };
  /** Days before the table whose rows stay. */
  readonly present: readonly number[];
  /** Days before the table whose counts stay; the counts of older days are emptied. */
  readonly counted: readonly number[];
};

const insertDays = rowsOf<object, readonly Buffer[]>(
  'insert-scorecard-days',
  `insert into market.scorecard_days as d (day, payments, reading, counts, sample)
   select date '1970-01-01' + unnest($1::int4[]), unnest($2::float8[]), unnest($3::text[]), unnest($4::bytea[]), unnest($5::bytea[])
   on conflict (day) do update
      set payments = excluded.payments, reading = excluded.reading, counts = excluded.counts, sample = excluded.sample`,
);

const insertRows = rowsOf<object, readonly Buffer[]>(
  'insert-scorecard-rows',
  `insert into market.scorecard_rows (transaction_id, created_at, scorecard, share, log_odds, label_log_odds, buckets, fired)
   select unnest($1::uuid[]), unnest($2::timestamptz[]), unnest($3::int4[]), unnest($4::float8[]), unnest($5::float8[]),
          unnest($6::float8[]), unnest($7::bytea[]), string_to_array(unnest($8::text[]), ' ')
   on conflict (transaction_id) do nothing`,
);

const endDays = rowsOf<object, [before: number, present: Buffer]>(
  'end-scorecard-days',
  `delete from market.scorecard_days
    where day < date '1970-01-01' + $1::int4 and day - date '1970-01-01' <> all ($2::int4[])`,
);

const endCounts = rowsOf<object, [before: number, counted: Buffer]>(
  'end-scorecard-counts',
  `update market.scorecard_days set reading = '', counts = '', sample = ''
    where day < date '1970-01-01' + $1::int4 and day - date '1970-01-01' <> all ($2::int4[]) and reading <> ''`,
);

/** Ends rows that are too old, of months that are gone, and of days that were chosen again. */
async function endRows(query: Query, { table, present, days }: Night): Promise<void> {
  const chosen = new Set(days.map(({ day }) => day));
  const stay = present.filter((day) => !chosen.has(day));
  const before = isoTime(table.day * DAY_MS);
  const text = `delete from market.scorecard_rows r where r.created_at < '${before}' and ${notOnDays(stay)}`;
  await query({ text });
}

/** Returns the serial of the table. @throws Failure where the day has a table */
export async function storeNight(
  database: Pick<Database, 'transaction'>,
  night: Night,
  by: Actor,
): Promise<number> {
  const { table, bytes, days, rows, payments, differs, isTaken, policy } = night;
  return await database.transaction(async (query) => {
    // Nights store one after the other: serials have no gaps.
    await query({ text: 'lock table market.scorecards in share row exclusive mode' });
    const serial = await insertTable(query, night);
    await endDays(query, table.day, int4Array(night.present));
    await endCounts(query, table.day, int4Array(night.counted));
    await insertDays(
      query,
      int4Array(days.map(({ day }) => day)),
      float8Array(days.map((day) => day.payments)),
      textArray(days.map(({ reading }) => reading)),
      byteaArray(days.map(({ counts }) => counts)),
      byteaArray(days.map(({ sample }) => sample)),
    );
    await endRows(query, night);
    for await (const page of rows.read(query)) {
      await insertRows(
        query,
        uuidArray(page.map(({ id }) => id)),
        timestampArray(page.map(({ id }) => createdAtMsOf(id) ?? 0)),
        int4Array(page.map(({ scorecard }) => scorecard ?? serial)),
        float8Array(page.map(({ share }) => share)),
        float8Array(page.map(({ logOdds }) => logOdds)),
        float8Array(page.map(({ labelLogOdds }) => labelLogOdds)),
        byteaArray(page.map(({ buckets }) => buckets)),
        textArray(page.map(({ fired }) => fired.join(' '))),
      );
    }
    await recordChange(query, by, {
      action: 'scorecard.build',
      subject: textOfDay(table.day),
      before: null,
      after: {
        ...{ serial, sha256: hashTable(bytes), payments, frauds: table.learnt.knownFrauds },
        ...{ differs, isTaken, policy, leftOut: table.leftOutLabels },
      },
    });
    return serial;
  });
}

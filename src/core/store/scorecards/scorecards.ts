/** Tables of the day in Postgres. A stored table never changes. */
import type { Query } from '../../../kit/database/pool.ts';
import { firstOf, rowsOf, timeText } from '../../../kit/database/statement.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { type DayTable, type StoredTable, textOfDay } from '../../score/scorecard/day-table.ts';
import { decodeTable, FORM, hashTable } from '../../score/scorecard/table-bytes.ts';
import { IN_FORCE } from '../controls/controls.ts';

/** A table that is to be stored. */
export type NewTable = {
  readonly table: DayTable;
  readonly bytes: Uint8Array;
  /** Scored payments of the 90 days. */
  readonly payments: number;
  /** The first database transaction that the table may lack, as Postgres writes an xid8. */
  readonly readTo: string;
  /** Whether the table judges without an approval by people. */
  readonly isTaken: boolean;
  /** Share of the newest payments to which this table and the table before it give different verdicts; null: they were not compared. */
  readonly differs: number | null;
};

const dayOf = (parameter: string) => `date '1970-01-01' + ${parameter}`;

const insert = firstOf<{ serial: number }, readonly unknown[]>(
  'insert-scorecard',
  `insert into market.scorecards (serial, day, sha256, bytes, measures, payments, frauds, read_to, is_taken, differs, left_out)
   select coalesce(max(serial), 0) + 1, ${dayOf('$1::int4')}, sha256($2::bytea), $2::bytea, $3, $4, $5, $6::xid8, $7, $8, $9
     from market.scorecards
   on conflict (day) do nothing returning serial`,
);

/** Returns the serial. @throws Failure where the day has a table */
export async function insertTable(
  query: Query,
  { table, bytes, payments, readTo, isTaken, differs }: NewTable,
): Promise<number> {
  const { day, measures, learnt, leftOutLabels } = table;
  const values = [day, Buffer.from(bytes), measures, payments, learnt.knownFrauds, readTo];
  const stored = await insert(query, ...values, isTaken, differs, leftOutLabels);
  if (stored === undefined) throw dayTaken(day);
  return stored.serial;
}

export const dayTaken = (day: number) =>
  new Failure(
    'conflict',
    'SCORECARD_EXISTS',
    `${textOfDay(day)} has a table, and a table never changes`,
  );

export type TableHead = {
  readonly serial: number;
  /** Days since 1970. */
  readonly day: number;
  readonly sha256: string;
  readonly payments: number;
  readonly frauds: number;
  readonly builtAt: string;
  readonly isTaken: boolean;
  readonly differs: number | null;
  /** Whether payments of the day and later are judged by the table, unless a newer one is in use. */
  readonly inUse: boolean;
};

/** Days whose tables two people have taken, and scopes of the tables that a person has refused. */
export const TAKEN = `select subject from market.approvals where kind = 'scorecard-table' and confirmed_at is not null`;
export const REFUSED = `select scope from market.controls where kind = 'stop' and scope like 'model:scorecard@%' and ${IN_FORCE}`;
/** A condition of tables: the engine has taken the table, or two people have. */
const IS_TAKEN = `(is_taken or to_char(day, 'YYYY-MM-DD') in (${TAKEN}))`;
/** A condition of tables: the table is taken, and people have not refused it. */
export const IN_USE = `(${IS_TAKEN}
  and 'model:scorecard@' || to_char(day, 'YYYY-MM-DD') not in (${REFUSED}))`;

const HEAD = `serial, day - date '1970-01-01' as day, encode(sha256, 'hex') as sha256, payments::float8 as payments, frauds, ${timeText('built_at')} as "builtAt",
  ${IS_TAKEN} as "isTaken", differs, ${IN_USE} as "inUse"`;

/** The newest first. */
export const listHeads = rowsOf<TableHead, [beforeDay: number, limit: number]>(
  'list-scorecards',
  `select ${HEAD} from market.scorecards where day < ${dayOf('$1::int4')} order by day desc limit $2`,
);

export const findHead = firstOf<TableHead, [day: number]>(
  'find-scorecard',
  `select ${HEAD} from market.scorecards where day = ${dayOf('$1::int4')}`,
);

const readBytes = firstOf<{ sha256: string; bytes: Buffer; form: number }, [serial: number]>(
  'read-scorecard',
  `select encode(sha256, 'hex') as sha256, bytes, form from market.scorecards where serial = $1`,
);

/** Undefined for a serial that no table has. @throws Failure for bytes of a newer version, or with another hash */
export async function readTable(query: Query, serial: number): Promise<StoredTable | undefined> {
  const row = await readBytes(query, serial);
  if (row === undefined) return undefined;
  const { sha256, bytes, form } = row;
  if (form > FORM) {
    const said = `the table ${serial} has form ${form} and this version reads ${FORM}: ask a newer version`;
    throw new Failure('unavailable', 'SCORECARD_NEWER', said);
  }
  const found = hashTable(bytes);
  if (found !== sha256) {
    throw new Failure(
      'permanent',
      'SCORECARD_CORRUPT',
      `the table ${serial} has the hash ${found}, not ${sha256}`,
    );
  }
  return { serial, sha256, table: decodeTable(bytes) };
}

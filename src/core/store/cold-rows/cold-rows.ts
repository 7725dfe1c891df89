/**
 * Single transactions of cold months, whose rows are in files of an archive. Postgres makes typed rows of their texts, so answers
 * equal those of an attached month.
 */
import type { Database, Query } from '../../../kit/database/pool.ts';
import type { StoredLabel } from '../../domain/label-record.ts';
import { type ScoreJson, toScoreJson } from '../../domain/score-record.ts';
import { LABEL_COLUMNS } from '../labels/label-history.ts';
import type { PartitionedTable } from '../partitions/partitions.ts';
import { SCORE_COLUMNS, type ScoreRow, toStoredScore } from '../scores/stored-scores.ts';
import {
  DECISION,
  type DecidedTransaction,
  COLUMNS as TRANSACTION_COLUMNS,
} from '../transactions/read-transactions.ts';

export type ColdRows = {
  /** The month, as 2026-03. */
  readonly month: string;
  readonly rows: number;
  /** A JSON array of rows, whose columns are texts of Postgres. */
  readonly json: string;
};

/** Reads the rows of a transaction, by the id. */
export type ColdMonths = {
  /**
   * Reads rows; undefined where the month of the transaction is not cold.
   * @throws Failure `unavailable` that names the month, where its files cannot be read
   */
  readonly read: (table: PartitionedTable, transactionId: string) => Promise<ColdRows | undefined>;
};

/** Opens the reads of a market; of one room at most. */
export type OpenCold<Parts> = (parts: Parts) => Promise<ColdMonths>;

export const NO_COLD: ColdMonths = { read: async () => undefined };

const from = (table: PartitionedTable) =>
  `json_populate_recordset(null::market.${table}, $1::json)`;

const transactionStatement = {
  name: 'read-cold-transaction',
  text: `select ${TRANSACTION_COLUMNS}, ${DECISION},
           case when $2 then 'scored'
                when exists (select from market.dead_letters d where d.transaction_id = t.transaction_id
                              and d.replayed_at is null) then 'dead_lettered'
                else 'accepted' end as status
      from ${from('transactions')} t where $3::text is null or t.client = $3`,
};
const scoreStatement = {
  name: 'read-cold-score',
  text: `select ${SCORE_COLUMNS} from ${from('scores')} s`,
};
const labelsStatement = {
  name: 'read-cold-labels',
  text: `select ${LABEL_COLUMNS} from (select * from ${from('labels')} l
                                 order by l.labelled_at desc, l.label, l.source limit $2) l
          order by l.labelled_at, l.label desc, l.source desc`,
};

/** `unknown`: the month is cold and has no such transaction of the client; undefined: the month is not cold. */
export async function readColdTransaction(
  { query }: Pick<Database, 'query'>,
  cold: ColdMonths,
  id: string,
  client: string | null,
): Promise<DecidedTransaction | 'unknown' | undefined> {
  const found = await cold.read('transactions', id);
  if (found === undefined) return undefined;
  if (found.rows === 0) return 'unknown';
  const scores = await cold.read('scores', id);
  const values = [found.json, (scores?.rows ?? 0) > 0, client];
  const [row] = await query<DecidedTransaction>(transactionStatement, values);
  return row ?? 'unknown';
}

/** The score of a transaction that the caller may read. */
export async function readColdScore(
  { query }: Pick<Database, 'query'>,
  cold: ColdMonths,
  id: string,
): Promise<ScoreJson | undefined> {
  const found = await cold.read('scores', id);
  if (found === undefined || found.rows === 0) return undefined;
  const [row] = await query<ScoreRow>(scoreStatement, [found.json]);
  return row && toScoreJson(toStoredScore(row));
}

/** As `readStoredHistory`; undefined: the month is not cold. */
export async function readColdLabels(
  query: Query,
  cold: ColdMonths,
  id: string,
  rowsMax: number,
): Promise<StoredLabel[] | undefined> {
  const found = await cold.read('labels', id);
  return found && (await query<StoredLabel>(labelsStatement, [found.json, rowsMax]));
}

/**
 * Stored scores as analysts read them: one by id, or a page of one month by account, merchant, verdict
 * or simply newest first. Every statement names created_at, so it touches one partition. An order by
 * transaction_id is an order by (created_at, transaction_id), because ids carry the time; it is used
 * where the query reads by primary key.
 */
import type { Position } from '../../domain/cursor.ts';
import type { ScoreRecord, Verdict } from '../../domain/score-record.ts';
import { lowestIdAt } from '../../domain/transaction-id.ts';
import type { Database } from '../database/pool.ts';
import {
  isoTime,
  JOINED_ROWS_EXAMINED_MAX,
  type MonthSlice,
  type PreparedSearch,
  readSlice,
  SLICE_ROWS_EXAMINED_MAX,
  type SliceResult,
  UNNAMED,
} from '../partitions/month-slice.ts';
import { type ScoreRow, type StoredScore, toStoredScore } from './scores.ts';
import { toVector } from './vector-bytes.ts';

export type ScoreFilter = {
  readonly accountId?: string | undefined;
  readonly merchantId?: string | undefined;
  readonly corridor?: string | undefined;
  readonly verdict?: Verdict | undefined;
  readonly minScore?: number | undefined;
  readonly reason?: string | undefined;
};

const COLUMNS = `s.transaction_id, s.created_at, s.scored_at, s.account_id, s.corridor, s.score,
  s.risk, s.probability, s.verdict, s.reasons, s.rule_set, s.model, s.attempts, s.degradation`;

// The client is in the row of the transaction, which is read only where a client is given.
export const selectScore = {
  name: 'select-score',
  text: `select ${COLUMNS} from market.scores s where s.transaction_id = $1 and s.created_at = $2
            and ($3::text is null or exists (
              select from market.transactions t where t.transaction_id = $1 and t.created_at = $2 and t.client = $3))`,
};

/** @param client finds only this client's scores, as if no others existed; null finds all */
export async function readStoredScore(
  database: Pick<Database, 'query'>,
  id: string,
  createdAtMs: number,
  client: string | null,
): Promise<StoredScore | undefined> {
  const [row] = await database.query<ScoreRow>(selectScore, [id, isoTime(createdAtMs), client]);
  return row && toStoredScore(row);
}

const selectScoreWithFeatures = {
  name: 'select-score-with-features',
  text: `select ${COLUMNS}, s.features, s.feature_schema
           from market.scores s where s.transaction_id = $1 and s.created_at = $2`,
};

/** The score with its logged vector, for its explanation. */
export async function readScoreRecord(
  database: Pick<Database, 'query'>,
  id: string,
  createdAtMs: number,
): Promise<ScoreRecord | undefined> {
  const [row] = await database.query<ScoreRow & { features: Buffer; feature_schema: number }>(
    selectScoreWithFeatures,
    [id, isoTime(createdAtMs)],
  );
  return (
    row && {
      ...toStoredScore(row),
      features: toVector(row.features),
      featureSchema: row.feature_schema,
    }
  );
}

/**
 * The statement of one slice, from fixed parts only; values are always parameters. The inner select uses an
 * index, newest first, bounded; the outer one applies filters without an index.
 */
export function scoreSearch(
  filter: ScoreFilter,
  slice: MonthSlice,
): { page: PreparedSearch; boundary: PreparedSearch | null } {
  const values: unknown[] = [isoTime(slice.lowerMs), isoTime(slice.upperMs)];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const way = wayIn(filter, slice, parameter);
  const examined = way.joinsScores ? JOINED_ROWS_EXAMINED_MAX : SLICE_ROWS_EXAMINED_MAX;
  const boundaryValues = [...values];
  const conditions = residualConditions(filter, parameter);
  const select = way.joinsScores
    ? `join market.scores s on s.transaction_id = slice.transaction_id and s.created_at = slice.created_at
        and s.created_at >= $1 and s.created_at < $2`
    : '';
  const page: PreparedSearch = {
    statement: {
      name: UNNAMED,
      text: `select ${COLUMNS} from (${way.text} limit ${examined}) ${way.joinsScores ? 'slice' : 's'}
             ${select}
             ${conditions.length > 0 ? `where ${conditions.join(' and ')}` : ''}
             order by ${way.order(way.joinsScores ? 'slice' : 's')} limit ${parameter(slice.rows)}`,
    },
    values,
  };
  const boundary: PreparedSearch = {
    statement: {
      name: UNNAMED,
      text: `select transaction_id, created_at from (${way.text} offset ${examined - 1} limit 1) b`,
    },
    values: boundaryValues,
  };
  // A join can drop rows (not yet scored), just as a condition can: then the page may be under-full.
  return { page, boundary: conditions.length > 0 || way.joinsScores ? boundary : null };
}

/** The predicate of scores_risky_idx, word for word, or the planner would not use the index. */
const RISKY_SCORE_MIN = 300;
const RISKY = `(verdict <> 'approve' or score >= ${RISKY_SCORE_MIN})`;

type WayIn = {
  readonly text: string;
  readonly joinsScores: boolean;
  readonly order: (alias: string) => string;
};

const byTime = (alias: string) => `${alias}.created_at desc, ${alias}.transaction_id desc`;
const byId = (alias: string) => `${alias}.transaction_id desc`;

function wayIn(
  filter: ScoreFilter,
  slice: MonthSlice,
  parameter: (value: unknown) => string,
): WayIn {
  const { accountId, merchantId, verdict, minScore = 0 } = filter;
  const range = 'created_at >= $1 and created_at < $2';
  const before = () =>
    `(created_at, transaction_id) < (${parameter(isoTime(slice.before.atMs))}, ${parameter(slice.before.id)})`;
  const indexed = (source: string, condition: string) =>
    `select ${source} where ${range} and ${condition} and ${before()}
      order by created_at desc, transaction_id desc`;
  const fromScores = `${COLUMNS} from market.scores s`;
  const fromTransactions = 'transaction_id, created_at, merchant_id from market.transactions';
  // Scores have no index by party: a row of its transactions names each of them.
  if (accountId !== undefined || merchantId !== undefined) {
    const condition =
      accountId === undefined
        ? `merchant_id = ${parameter(merchantId)}`
        : `account_id = ${parameter(accountId)}`;
    return { joinsScores: true, order: byTime, text: indexed(fromTransactions, condition) };
  }
  if (verdict === 'review' || verdict === 'decline' || minScore >= RISKY_SCORE_MIN) {
    const text = indexed(fromScores, RISKY);
    return { joinsScores: false, order: byTime, text };
  }
  const text = `select ${fromScores} where ${range}
      and transaction_id < ${parameter(slice.before.id)} and transaction_id >= ${parameter(lowestIdAt(slice.lowerMs))}
    order by transaction_id desc`;
  return { joinsScores: false, order: byId, text };
}

function residualConditions(filter: ScoreFilter, parameter: (value: unknown) => string): string[] {
  const conditions: string[] = [];
  if (filter.accountId !== undefined && filter.merchantId !== undefined) {
    conditions.push(`slice.merchant_id = ${parameter(filter.merchantId)}`);
  }
  if (filter.corridor !== undefined) conditions.push(`s.corridor = ${parameter(filter.corridor)}`);
  if (filter.verdict !== undefined) conditions.push(`s.verdict = ${parameter(filter.verdict)}`);
  if (filter.minScore !== undefined) conditions.push(`s.score >= ${parameter(filter.minScore)}`);
  if (filter.reason !== undefined) {
    const contained = JSON.stringify([{ code: filter.reason }]);
    conditions.push(`s.reasons @> ${parameter(contained)}::jsonb`);
  }
  return conditions;
}

export async function searchStoredScores(
  database: Pick<Database, 'query'>,
  filter: ScoreFilter,
  slice: MonthSlice,
): Promise<SliceResult<StoredScore>> {
  const search = scoreSearch(filter, slice);
  const { rows, reached } = await readSlice<ScoreRow>(database.query, search, slice, rowPosition);
  return { rows: rows.map(toStoredScore), reached };
}

function rowPosition(row: ScoreRow): Position {
  return { atMs: row.created_at.getTime(), id: row.transaction_id };
}

/**
 * Scores, write side: one statement a batch stores scores, counts them, and runs what rooms add. A score that was stored before
 * stays; the statement that looks for stored ones is two fifths dearer and runs after the other one has failed.
 */
import {
  float8Array,
  int2Array,
  int4Array,
  textArray,
  timestampArray,
  uuidArray,
  vectorArray,
} from '../../../kit/database/binary-array.ts';
import {
  isPartitionMissing,
  sqlStateOf,
  UNIQUE_VIOLATION,
} from '../../../kit/database/pg-failure.ts';
import type { Database, Query, Statement } from '../../../kit/database/pool.ts';
import { oneAtATime } from '../../../kit/process/one-at-a-time.ts';
import { MonthDetached } from '../../../kit/words/month.ts';
import { type CountDays, countDays } from '../../domain/day-tally.ts';
import { compareIds, type DeliveredTransaction } from '../../domain/delivered.ts';
import type { Decision, Verdict } from '../../domain/score-record.ts';
import { deliveredTextArray, deliveredUuidArray } from '../delivered-arrays.ts';
import { type Final, finalValues, takeOut, takeOutFinal } from '../open-rows/open-rows.ts';
import { createPartitionGuard, type PartitionGuard } from '../partitions/partitions.ts';
import { addIncrements, incrementValues } from '../tallies/day-tallies.ts';
import type { ScoredStatement } from './scored-statement.ts';
import { vectorChecksum } from './vector-checksum.ts';

/** One score to store. */
export type NewScore = {
  readonly transaction: DeliveredTransaction;
  readonly decision: Decision;
  readonly features: Float64Array;
  /** `name@version` of the model that decided. */
  readonly model: string | null;
  readonly attempts: number;
  readonly degradation: number;
};

/** Values that all scores of one insert share. */
export type ScoreLineage = {
  readonly scoredAtMs: number;
  readonly featureSchema: number;
  readonly ruleSet: string;
};

// A column is a binary array and a vector raw bytes, so no value is escaped or parsed as text. Arrays side by side in
// a select list are walked in step, without a tuple store a column.
const insertAll = `insert into market.scores (transaction_id, created_at, scored_at, account_id, corridor, score, risk,
             probability, verdict, reasons, features, feature_schema, rule_set, model, attempts, degradation,
             features_crc32)
         select transaction_id, created_at, to_timestamp($1::float8 / 1000), account_id, corridor, score,
                risk, probability, verdict, reasons::jsonb, features, $2::smallint, $3::text, model, attempts,
                degradation, features_crc32
           from (select unnest($4::uuid[]) as transaction_id, unnest($5::timestamptz[]) as created_at,
                        unnest($6::text[]) as account_id, unnest($7::text[]) as corridor,
                        unnest($8::smallint[]) as score, unnest($9::float8[]) as risk,
                        unnest($10::float8[]) as probability, unnest($11::text[]) as verdict,
                        unnest($12::text[]) as reasons, unnest($13::bytea[]) as features,
                        unnest($14::text[]) as model, unnest($15::smallint[]) as attempts,
                        unnest($16::smallint[]) as degradation, unnest($17::integer[]) as features_crc32) s`;

/**
 * Batches of scores are stored one at a time: with four at a time, and six large commits of the API, Postgres took a sixth
 * more processor time (2 cores). One that takes longer than this waits for a lock, and must not delay the others.
 */
const INSERT_STALL_MS = 2000;

/** The first parameter behind those of `insertAll` and of the increments. */
const ADDED_FROM = 27;

type InsertAll = {
  readonly statement: Statement;
  readonly added: readonly (ScoredStatement & { readonly alone: Statement })[];
};

function prepareInsert(added: readonly ScoredStatement[]): InsertAll {
  let next = ADDED_FROM;
  const parts = added.map(({ name, insert, toValue }) => {
    const value = toValue === null ? '' : `$${next++}`;
    return `"${name}" as (${insert({ ids: '$4', verdicts: '$11', value })})`;
  });
  return {
    statement: {
      name: 'insert-all-scores',
      text: `with ${[`tallied as (${addIncrements(18)})`, ...parts, takeOut(next)].join(', ')} ${insertAll}`,
    },
    added: added.map((one) => ({
      ...one,
      alone: {
        name: one.name,
        // A parameter without a type is refused, and a room may use none of the two.
        text: `with scored as (select $1::uuid[], $2::text[])
               ${one.insert({ ids: '$1', verdicts: '$2', value: '$3' })}`,
      },
    })),
  };
}

// Ids are returned only when some were stored before: a row each would cost more than the whole request.
const insertNewStatement: Statement = {
  name: 'insert-new-scores',
  text: `with won as (
         ${insertAll}
         on conflict (transaction_id, created_at) do nothing
         returning transaction_id)
         select case when count(*) < cardinality($4::uuid[])
                     then coalesce(array_agg(transaction_id::text), '{}') end as ids
           from won`,
};

const addIncrementsStatement: Statement = { name: 'add-increments', text: addIncrements(1) };

/** A transaction with a score, and the open row that its entry names. */
export type FinalTransaction = Final<DeliveredTransaction>;

/**
 * Inserts in one order, so that overlapping batches cannot deadlock; returns the ids that are new.
 * @param final takes all of them, stored before or not, out of their open rows
 */
export async function insertScores(
  database: Pick<Database, 'query' | 'transaction'>,
  scores: readonly NewScore[],
  lineage: ScoreLineage,
  added: readonly ScoredStatement[] = [],
  final: readonly FinalTransaction[] = [],
): Promise<Inserted> {
  return await insertEncoded(database, prepareInsert(added), encodeScores(scores, lineage, final));
}

/** Scores as parameters, and what is counted of each score. Nothing else of a score lives until the statement has ended. */
type EncodedScores = {
  readonly values: readonly unknown[];
  readonly counted: readonly Counted[];
  readonly final: readonly Buffer[];
};
type Counted = {
  readonly transaction: DeliveredTransaction;
  readonly tallied: NonNullable<Parameters<CountDays['add']>[1]> & { readonly verdict: Verdict };
};

function encodeScores(
  scores: readonly NewScore[],
  lineage: ScoreLineage,
  final: readonly FinalTransaction[],
): EncodedScores {
  const rows = scores.toSorted(compareScores);
  const { ruleSet } = lineage;
  const counted = rows.map(({ transaction, decision: { verdict, score, reasons }, model }) => ({
    transaction,
    tallied: { verdict, score, ruleSet, model, reasons },
  }));
  const values = insertValues(rows, lineage);
  return { values, counted, final: finalValues(final, deliveredUuidArray) };
}

async function insertEncoded(
  database: Pick<Database, 'query' | 'transaction'>,
  { statement, added }: InsertAll,
  encoded: EncodedScores,
): Promise<Inserted> {
  const { values, counted, final } = encoded;
  if (counted.length === 0) return 'all';
  try {
    const own = added.flatMap(({ toValue }) => (toValue === null ? [] : [toValue(counted)]));
    await database.query(statement, [...values, ...tally(counted), ...own, ...final]);
  } catch (error) {
    if (sqlStateOf(error) !== UNIQUE_VIOLATION) throw error;
    return await database.transaction((query) => insertNew(query, added, encoded));
  }
  return 'all';
}

async function insertNew(
  query: Query,
  added: InsertAll['added'],
  { values, counted, final }: EncodedScores,
): Promise<Inserted> {
  const [inserted] = await query<{ ids: string[] | null }>(insertNewStatement, values);
  if (inserted === undefined) throw new Error('an aggregate has one row');
  const ids = inserted.ids && new Set(inserted.ids);
  const won = counted.filter(
    ({ transaction: { transactionId } }) => ids?.has(transactionId) ?? true,
  );
  await query(addIncrementsStatement, tally(won));
  const wonIds = uuidArray(won.map(({ transaction: { transactionId } }) => transactionId));
  const verdicts = textArray(won.map(({ tallied: { verdict } }) => verdict));
  for (const { alone, toValue } of added) {
    await query(alone, [wonIds, verdicts, ...(toValue === null ? [] : [toValue(won)])]);
  }
  await takeOutFinal(query, final);
  return ids ?? 'all';
}

function tally(counted: readonly Counted[]): readonly Buffer[] {
  const days = countDays();
  for (const { transaction, tallied } of counted) days.add(transaction, tallied);
  return incrementValues(days.list());
}

/** In the order of (created_at, transaction_id). */
function compareScores({ transaction: one }: NewScore, { transaction: other }: NewScore): number {
  return one.createdAtMs - other.createdAtMs || compareIds(one, other);
}

function insertValues(rows: readonly NewScore[], lineage: ScoreLineage): readonly unknown[] {
  const decisions = rows.map((row) => row.decision);
  const transactions = rows.map((row) => row.transaction);
  return [
    ...[lineage.scoredAtMs, lineage.featureSchema, lineage.ruleSet],
    deliveredUuidArray(transactions),
    timestampArray(transactions.map((one) => one.createdAtMs)),
    deliveredTextArray(transactions, 'account'),
    deliveredTextArray(transactions, 'corridor'),
    int2Array(decisions.map((decision) => decision.score)),
    float8Array(decisions.map((decision) => decision.risk)),
    float8Array(decisions.map((decision) => decision.probability)),
    textArray(decisions.map((decision) => decision.verdict)),
    textArray(
      decisions.map(({ reasons }) => (reasons.length === 0 ? '[]' : JSON.stringify(reasons))),
    ),
    vectorArray(rows.map((row) => row.features)),
    textArray(rows.map((row) => row.model)),
    int2Array(rows.map((row) => row.attempts)),
    int2Array(rows.map((row) => row.degradation)),
    int4Array(rows.map((row) => vectorChecksum(row.features))),
  ];
}

/** Ids of scores that were not stored before. */
export type Inserted = 'all' | ReadonlySet<string>;
/** Where a worker stores scores. */
export type ScoreStore = {
  readonly database: Pick<Database, 'query' | 'transaction'>;
  readonly partitions: PartitionGuard;
  readonly prepared: InsertAll;
  readonly inTurn: ReturnType<typeof oneAtATime>;
};

/** @param added what rooms write with each score */
export function openScoreStore(
  database: Database,
  added: readonly ScoredStatement[],
  stallMs = INSERT_STALL_MS,
): ScoreStore {
  return {
    database,
    partitions: createPartitionGuard(database),
    prepared: prepareInsert(added),
    inTurn: oneAtATime(stallMs),
  };
}

/**
 * Makes missing partitions first; one that was dropped behind our back is made once more. Throws MonthDetached and
 * stores nothing where a score belongs to a month that takes none.
 */
export function storeScores(
  store: ScoreStore,
  scores: readonly NewScore[],
  lineage: ScoreLineage,
  final: readonly FinalTransaction[],
): Promise<Inserted> {
  // Not async: such a function keeps its parameters alive as long as it waits.
  return storeInTurn(store, encodeScores(scores, lineage, final));
}

function storeInTurn(store: ScoreStore, encoded: EncodedScores): Promise<Inserted> {
  return store.inTurn(() => storeEncoded(store, encoded));
}

async function storeEncoded(
  { database, partitions, prepared }: ScoreStore,
  encoded: EncodedScores,
): Promise<Inserted> {
  const times = encoded.counted.map(({ transaction }) => transaction.createdAtMs);
  const ensure = async () => {
    const { detached } = await partitions.ensure(times);
    if (detached.size > 0) throw new MonthDetached(detached);
  };
  await ensure();
  try {
    return await insertEncoded(database, prepared, encoded);
  } catch (error) {
    if (!isPartitionMissing(error)) throw error;
    partitions.forget();
    await ensure();
    return await insertEncoded(database, prepared, encoded);
  }
}

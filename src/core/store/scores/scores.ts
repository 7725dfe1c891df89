/**
 * Scores, write side: one statement a batch, written once, which counts them and names those that people review and those
 * that webhooks take; it also takes them out of their open rows. What was stored before, by another delivery of the same transaction, stays: the stored score is what
 * counts. That is rare, so the statement that looks for it (two fifths dearer) runs only after one that takes every score
 * for new has failed.
 */
import {
  deliveredTextArray,
  deliveredUuidArray,
  float8Array,
  int2Array,
  int4Array,
  textArray,
  timestampArray,
  vectorArray,
} from '../../../kit/database/binary-array.ts';
import {
  isPartitionMissing,
  sqlStateOf,
  UNIQUE_VIOLATION,
} from '../../../kit/database/pg-failure.ts';
import type { Database, Query, Statement } from '../../../kit/database/pool.ts';
import { MonthDetached } from '../../../kit/words/month.ts';
import {
  addIntake,
  addIntakeStatement,
  intakeValue,
} from '../../../rooms/review/store/case-intake.ts';
import { addHooked, addHookedScores } from '../../../rooms/webhooks/store/webhook-intake.ts';
import { type CountDays, countDays } from '../../domain/day-tally.ts';
import { compareIds, type DeliveredTransaction } from '../../domain/delivered.ts';
import type { Decision } from '../../domain/score-record.ts';
import { type Final, finalValues, takeOut, takeOutFinal } from '../open-rows/open-rows.ts';
import type { PartitionGuard } from '../partitions/partitions.ts';
import { addIncrements, incrementValues } from '../tallies/day-tallies.ts';
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

const insertAllStatement: Statement = {
  name: 'insert-all-scores',
  text: `with tallied as (${addIncrements(18)}), reviewed as (${addIntake('$27')}),
              hooked as (${addHooked('$4', '$11')}), ${takeOut(28)} ${insertAll}`,
};

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

/** Draws transactions that are reviewed although their verdict does not ask for it. */
export type DrawSpotCheck = (transaction: { readonly transactionId: string }) => boolean;

/**
 * Inserts in one order, so that overlapping batches cannot deadlock; returns the ids that are new.
 * @param final takes all of them, stored before or not, out of their open rows
 */
export async function insertScores(
  database: Pick<Database, 'query' | 'transaction'>,
  scores: readonly NewScore[],
  lineage: ScoreLineage,
  final: readonly FinalTransaction[] = [],
  isSpotCheck: DrawSpotCheck = () => false,
): Promise<Inserted> {
  return await insertEncoded(database, encodeScores(scores, lineage, final, isSpotCheck));
}

/** A transaction with a score, and the open row that its entry names. */
export type FinalTransaction = Final<DeliveredTransaction>;

/** Scores as parameters, and of each of them what the tallies count: nothing else of it lives until they are stored. */
type EncodedScores = {
  readonly values: readonly unknown[];
  readonly counted: readonly Counted[];
  /** Ids of those that people review. */
  readonly reviewed: readonly string[];
  readonly final: readonly Buffer[];
};
type Counted = {
  readonly transaction: DeliveredTransaction;
  readonly tallied: NonNullable<Parameters<CountDays['add']>[1]>;
};

function encodeScores(
  scores: readonly NewScore[],
  lineage: ScoreLineage,
  final: readonly FinalTransaction[],
  isSpotCheck: DrawSpotCheck,
): EncodedScores {
  const rows = scores.toSorted(compareScores);
  const { ruleSet } = lineage;
  const counted = rows.map(({ transaction, decision: { verdict, score, reasons }, model }) => ({
    transaction,
    tallied: { verdict, score, ruleSet, model, reasons },
  }));
  const reviewed = rows.flatMap(({ transaction, decision: { verdict } }) =>
    verdict === 'review' || isSpotCheck(transaction) ? transaction.transactionId : [],
  );
  return {
    ...{ values: insertValues(rows, lineage), counted, reviewed },
    final: finalValues(final, deliveredUuidArray),
  };
}

async function insertEncoded(
  database: Pick<Database, 'query' | 'transaction'>,
  encoded: EncodedScores,
): Promise<Inserted> {
  const { values, counted, reviewed, final } = encoded;
  if (counted.length === 0) return 'all';
  try {
    const all = [...values, ...tally(counted), intakeValue(reviewed), ...final];
    await database.query(insertAllStatement, all);
  } catch (error) {
    if (sqlStateOf(error) !== UNIQUE_VIOLATION) throw error;
    return await database.transaction((query) => insertNew(query, encoded));
  }
  return 'all';
}

async function insertNew(
  query: Query,
  { values, counted, reviewed, final }: EncodedScores,
): Promise<Inserted> {
  const [inserted] = await query<{ ids: string[] | null }>(insertNewStatement, values);
  if (inserted === undefined) throw new Error('an aggregate has one row');
  const ids = inserted.ids && new Set(inserted.ids);
  const isWon = (id: string) => ids === null || ids.has(id);
  const won = counted.filter(({ transaction }) => isWon(transaction.transactionId));
  await query(addIncrementsStatement, tally(won));
  await query(addIntakeStatement, [intakeValue(reviewed.filter(isWon))]);
  await addHookedScores(
    query,
    won.map(({ transaction: { transactionId }, tallied: { verdict } }) => ({
      ...{ transactionId, verdict },
    })),
  );
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
export type InsertScores = (
  scores: readonly NewScore[],
  lineage: ScoreLineage,
  final: readonly FinalTransaction[],
) => Promise<Inserted>;

/** Runs a call now or later. */
type RunInTurn = <T>(call: () => Promise<T>) => Promise<T>;

/**
 * Makes missing partitions first; one that was dropped behind our back is made once more. Throws MonthDetached and
 * stores nothing where a score belongs to a month that takes none.
 */
export function createInsertScores(
  database: Pick<Database, 'query' | 'transaction'>,
  partitions: PartitionGuard,
  isSpotCheck: DrawSpotCheck,
  inTurn: RunInTurn,
): InsertScores {
  const insert = async (encoded: EncodedScores) => {
    const times = encoded.counted.map(({ transaction }) => transaction.createdAtMs);
    const ensure = async () => {
      const { detached } = await partitions.ensure(times);
      if (detached.size > 0) throw new MonthDetached(detached);
    };
    await ensure();
    try {
      return await insertEncoded(database, encoded);
    } catch (error) {
      if (!isPartitionMissing(error)) throw error;
      partitions.forget();
      await ensure();
      return await insertEncoded(database, encoded);
    }
  };
  const insertInTurn = (encoded: EncodedScores) => inTurn(() => insert(encoded));
  // Not async: such a function keeps its parameters alive as long as it waits.
  return (scores, lineage, final) =>
    insertInTurn(encodeScores(scores, lineage, final, isSpotCheck));
}

/**
 * Scores, write side: one statement a batch stores scores, counts them, and runs what rooms add. The statement refuses a batch
 * with a stopped corridor or a stored score; a database transaction then stores the other scores, which is two fifths dearer.
 * Neither stores a score by a policy or a table that is not in force: the batch is judged anew.
 */
import { textArray, uuidArray } from '../../../kit/database/binary-array.ts';
import {
  isPartitionMissing,
  POLICY_ENDED,
  SCOPE_STOPPED,
  sqlStateOf,
  UNIQUE_VIOLATION,
} from '../../../kit/database/pg-failure.ts';
import type { Database, Query, Statement } from '../../../kit/database/pool.ts';
import { oneAtATime } from '../../../kit/process/one-at-a-time.ts';
import { Failure, toError } from '../../../kit/words/failure.ts';
import { MonthDetached } from '../../../kit/words/month.ts';
import { type CountDays, countDays } from '../../domain/day-tally.ts';
import type { Verdict } from '../../domain/score-record.ts';
import type { Transaction } from '../../domain/transaction.ts';
import { stoppedAmong } from '../controls/controls.ts';
import {
  type Final,
  finalValues,
  holdRows,
  takeOut,
  takeOutFinal,
} from '../open-rows/open-rows.ts';
import { createPartitionGuard } from '../partitions/partitions.ts';
import { addIncrements, incrementValues } from '../tallies/day-tallies.ts';
import {
  columnsOf,
  compareScores,
  insertValues,
  type NewScore,
  type ScoredStatement,
} from './score-values.ts';

// A column is a binary array and a vector bytes, so no value is escaped or parsed as text. Arrays side by side in
// a select list are walked in step, without a tuple store a column.
const insertAll = `insert into market.scores (transaction_id, created_at, scored_at, account_id, corridor, score, risk,
             probability, verdict, reasons, features, feature_schema, rule_set, model, attempts, degradation,
             features_crc32, rule_inputs, margin, scorecard, by_rules)
         select transaction_id, created_at, to_timestamp($1::float8 / 1000), account_id, corridor, score,
                risk, probability, verdict, reasons::jsonb, features, $2::smallint, rule_set, model, attempts,
                degradation, features_crc32, rule_inputs::json, margin, scorecard, by_rules
           from (select unnest($3::text[]) as rule_set, unnest($4::uuid[]) as transaction_id, unnest($5::timestamptz[]) as created_at,
                        unnest($6::text[]) as account_id, unnest($7::text[]) as corridor,
                        unnest($8::smallint[]) as score, unnest($9::float8[]) as risk,
                        unnest($10::float8[]) as probability, unnest($11::text[]) as verdict,
                        unnest($12::text[]) as reasons, unnest($13::bytea[]) as features,
                        unnest($14::text[]) as model, unnest($15::smallint[]) as attempts,
                        unnest($16::smallint[]) as degradation, unnest($17::integer[]) as features_crc32,
                        unnest($18::text[]) as rule_inputs,
                        unnest($19::float8[]) as margin, unnest($20::smallint[]) as scorecard,
                        unnest($21::smallint[]) as by_rules) s`;

/**
 * Batches of scores are stored one at a time: with four at a time, and six large commits of the API, Postgres took a sixth
 * more processor time (2 cores). One that takes longer than this waits for a lock, and must not delay the others.
 */
const INSERT_STALL_MS = 2000;

/** The first parameter behind those of `insertAll` and of the increments. */
const ADDED_FROM = 32;

type InsertAll = ReturnType<typeof prepareInsert>;

function prepareInsert(added: readonly ScoredStatement[]) {
  let next = ADDED_FROM;
  const parts = added.map(({ name, insert, toValue }) => {
    const value = toValue === null ? 'null' : `$${next++}`;
    return `"${name}" as (${insert({ ids: '$4', verdicts: '$11', scoredAtMs: '$1', value })})`;
  });
  return {
    statement: {
      name: 'insert-all-scores',
      text: `with ${[`tallied as (${addIncrements(23)})`, ...parts, takeOut(next)].join(', ')} ${insertAll}
              where (select market.refuse_stopped($7::text[])) and (select market.refuse_ended($22::text[]))`,
    },
    added: added.map((addition) => ({
      ...addition,
      alone: {
        name: addition.name,
        // A parameter without a type is refused, and a room may use none of the three.
        text: `with scored as (select $1::uuid[], $2::text[], $3::float8)
               ${addition.insert({ ids: '$1', verdicts: '$2', scoredAtMs: '$3', value: addition.toValue === null ? 'null' : '$4' })}`,
      },
    })),
  };
}

// Ids are returned only when some were stored before: a row each would cost more than the whole request.
const insertNewStatement: Statement = {
  name: 'insert-new-scores',
  text: `with won as (
         ${insertAll}
          where corridor <> all ($23::text[]) and (select market.refuse_ended($22::text[]))
         on conflict (transaction_id, created_at) do nothing
         returning transaction_id)
         select case when count(*) < cardinality($4::uuid[])
                     then coalesce(array_agg(transaction_id::text), '{}') end as ids
           from won`,
};

const addIncrementsStatement: Statement = { name: 'add-increments', text: addIncrements(1) };

/** A transaction with a score, and the open row that its entry names. */
export type FinalTransaction = Final & Pick<Transaction, 'corridor'>;

/**
 * Scores as parameters in one order, so that overlapping batches cannot deadlock, and what is counted of each score. Nothing
 * else of a score lives until the statement has ended.
 */
type EncodedScores = {
  readonly scoredAtMs: number;
  readonly values: readonly unknown[];
  readonly counted: readonly Counted[];
  /** Values of what rooms add, while all scores are new. */
  readonly own: readonly unknown[];
  /** Taken out of their open rows, stored before or not, except in stopped corridors. */
  readonly final: readonly FinalTransaction[];
};
type Counted = {
  readonly transaction: Transaction;
  readonly tallied: NonNullable<Parameters<CountDays['add']>[1]> & { readonly verdict: Verdict };
};

function encodeScores(
  { added }: InsertAll,
  scores: readonly NewScore[],
  scoredAtMs: number,
  final: readonly FinalTransaction[],
  judgedBy: readonly string[],
): EncodedScores {
  const rows = scores.toSorted(compareScores);
  const counted = rows.map(({ transaction, decision, ruleSet, model }) => {
    const { verdict, score, reasons } = decision;
    return { transaction, tallied: { verdict, score, ruleSet, model, reasons } };
  });
  const columns = columnsOf(rows, scoredAtMs);
  const own = added.flatMap(({ toValue }) =>
    toValue === null || counted.length === 0 ? [] : [toValue(counted, columns)],
  );
  const values = [...insertValues(columns), textArray(judgedBy)];
  return { scoredAtMs, values, counted, own, final };
}

async function insertEncoded(
  database: Pick<Database, 'query' | 'transaction'>,
  { statement, added }: InsertAll,
  encoded: EncodedScores,
): Promise<Inserted> {
  const { values, counted, own, final } = encoded;
  if (counted.length === 0) return 'all';
  try {
    const ended = finalValues(final);
    await database.query(statement, [...values, ...tally(counted), ...own, ...ended]);
  } catch (error) {
    const state = sqlStateOf(error);
    if (state !== UNIQUE_VIOLATION && state !== SCOPE_STOPPED) throw error;
    return await database.transaction((query) => insertOpen(query, added, encoded));
  }
  return 'all';
}

/** Stores what is new in corridors that are not stopped, and notes which rows wait for a control. */
async function insertOpen(
  query: Query,
  added: InsertAll['added'],
  { scoredAtMs, values, counted, final }: EncodedScores,
): Promise<Inserted> {
  const corridors = new Set(counted.map(({ transaction: { corridor } }) => corridor));
  const stopped = new Set(await stoppedAmong(query, [...corridors]));
  const isOpen = ({ corridor }: Pick<Transaction, 'corridor'>) => !stopped.has(corridor);
  const [inserted] = await query<{ ids: string[] | null }>(insertNewStatement, [
    ...values,
    textArray([...stopped]),
  ]);
  if (inserted === undefined) throw new Error('an aggregate has one row');
  const ids = inserted.ids && new Set(inserted.ids);
  const won = counted.filter(
    ({ transaction: { transactionId } }) => ids?.has(transactionId) ?? true,
  );
  await query(addIncrementsStatement, tally(won));
  const wonIds = uuidArray(won.map(({ transaction: { transactionId } }) => transactionId));
  const verdicts = textArray(won.map(({ tallied: { verdict } }) => verdict));
  for (const { alone, toValue } of added) {
    const own = toValue === null ? [] : [toValue(won, null)];
    await query(alone, [wonIds, verdicts, scoredAtMs, ...own]);
  }
  const { open = [], stopped: onHold = [] } = Object.groupBy(final, (addition) =>
    isOpen(addition) ? 'open' : 'stopped',
  );
  await takeOutFinal(query, open);
  await holdRows(
    query,
    onHold.flatMap(({ rowId }) => rowId ?? []),
  );
  return ids === null ? 'all' : { ids, stopped };
}

function tally(counted: readonly Counted[]): readonly Buffer[] {
  const days = countDays();
  for (const { transaction, tallied } of counted) days.add(transaction, tallied);
  return incrementValues(days.list());
}

/** Outcome of a batch: all scores are new, or `ids` are, and new scores in the corridors `stopped` were held back. */
export type Inserted =
  | 'all'
  | { readonly ids: ReadonlySet<string>; readonly stopped: ReadonlySet<string> };
/** Where a worker stores scores. */
export type ScoreStore = ReturnType<typeof openScoreStore>;

/** @param added what rooms write with each score */
export function openScoreStore(
  database: Pick<Database, 'query' | 'transaction'>,
  added: readonly ScoredStatement[],
  stallMs = INSERT_STALL_MS,
) {
  return {
    database,
    partitions: createPartitionGuard(database),
    prepared: prepareInsert(added),
    inTurn: oneAtATime(stallMs),
  };
}

/**
 * Makes missing partitions first, and makes a partition that was dropped behind our back once more. Throws MonthDetached and
 * stores nothing where a score belongs to a month that takes no scores.
 * @param judgedBy names of the policies and the tables of the scores; while any is not in force, nothing is stored
 */
export function storeScores(
  store: ScoreStore,
  scores: readonly NewScore[],
  scoredAtMs: number,
  final: readonly FinalTransaction[],
  judgedBy: readonly string[],
): Promise<Inserted> {
  // Not async: such a function keeps its parameters alive as long as it waits.
  return storeInTurn(store, encodeScores(store.prepared, scores, scoredAtMs, final, judgedBy));
}

function storeInTurn(store: ScoreStore, encoded: EncodedScores): Promise<Inserted> {
  return store.inTurn(() => storeEncoded(store, encoded).catch(throwEnded));
}

/** A policy or a table has ended meanwhile, so the batch is judged anew. */
function throwEnded(error: unknown): never {
  if (sqlStateOf(error) !== POLICY_ENDED) throw error;
  const { message } = toError(error);
  throw new Failure('unavailable', 'POLICY_ENDED', message, { cause: error });
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

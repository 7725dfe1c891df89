/**
 * Outcomes of a known set of transactions, counted in SQL: the ids are inserted into a temporary table and
 * joined. Their time part is `created_at`, so both joins keep to the partitions of the ids.
 */
import type { Database, Query } from '../../kit/database/pool.ts';
import type { Settled } from './wait-until-settled.ts';

export const ID_BYTES = 16;
/** Buffers of ids in one insert: those of 64 requests, a MiB at most. */
const BUFFERS = 64;

type LedgerQuery = {
  /** Buffers of whole ids. */
  readonly accepted: readonly Buffer[];
  /** Ids that count as accepted only if they were received at or after `receivedFromMs`. */
  readonly repeated: readonly Buffer[];
  readonly receivedFromMs: number;
};

/** How far from its transaction a misplaced score is still found. */
const DOUBLE_WITHIN_MS = 86_400_000;
const CREATE_TABLE = `
  create temporary table ledger_ids (
    transaction_id uuid not null,
    created_at timestamptz(3) not null
  ) on commit drop`;
/** A UUIDv7 begins with 48 bits of epoch milliseconds. */
const INSERT_IDS = `
  insert into ledger_ids
  select id::uuid, to_timestamp(('x' || left(id, 12))::bit(48)::bigint / 1000.0)
  from (
    select encode(substr($1::bytea, 1 + 16 * at, 16), 'hex') as id
    from generate_series(0, length($1::bytea) / 16 - 1) at
  ) ids`;

/** Repeated ids that an earlier run stored do not count. */
const DROP_EARLIER = `
  with dropped as (delete from ledger_ids i
  where not exists (
    select from market.transactions t
    where t.transaction_id = i.transaction_id and t.created_at = i.created_at
      and t.received_at >= $1 and t.created_at >= $2 and t.created_at <= $3
  ) returning 1)
  select count(*)::int as ids from dropped`;

type IdsRange = {
  readonly ids: number;
  readonly first: Date | null;
  readonly last: Date | null;
};
const IDS_RANGE = `
  select count(*)::int as ids, min(created_at) as first, max(created_at) as last from ledger_ids`;

/**
 * Joined on the id alone: the primary key forbids a second score only under the same created_at, and
 * a score under another one would be the double we look for. DOUBLE_WITHIN_MS bounds the search.
 */
const COUNT_SCORES = `
  select count(*)::int as rows, count(distinct s.transaction_id)::int as ids
  from ledger_ids i join market.scores s on s.transaction_id = i.transaction_id
  where s.created_at >= $1 and s.created_at <= $2`;

const COUNT_DEAD_LETTERS = `
  select count(distinct d.transaction_id)::int as ids
  from ledger_ids i join market.dead_letters d on d.transaction_id = i.transaction_id
  where d.replayed_at is null
    and not exists (
      select from market.scores s
      where s.transaction_id = i.transaction_id and s.created_at = i.created_at
        and s.created_at >= $1 and s.created_at <= $2
    )`;

const LATENCY = `
  select percentile_cont(array[0.5, 0.99]) within group (
    order by extract(epoch from s.scored_at - t.received_at) * 1000
  ) as percentiles
  from ledger_ids i
  join market.scores s on s.transaction_id = i.transaction_id and s.created_at = i.created_at
  join market.transactions t on t.transaction_id = i.transaction_id and t.created_at = i.created_at
  where s.created_at >= $1 and s.created_at <= $2 and t.created_at >= $1 and t.created_at <= $2`;

/** Counts within one database transaction, as a transaction-pooling proxy needs it. */
export function countLedger(
  database: Pick<Database, 'session'>,
  asked: LedgerQuery,
): Promise<Settled> {
  return database.session(async (client, begin, query) => {
    await begin();
    try {
      await client.query("set local work_mem = '64MB'");
      await client.query(CREATE_TABLE);
      const repeatedAccepted = await insertRepeated(query, asked);
      await insertIds(query, asked.accepted);
      await client.query('analyze ledger_ids');
      return { ...(await countFates(query)), repeatedAccepted };
    } finally {
      // The temporary table is rolled back; nothing else was written.
      await client.query('rollback').catch(() => undefined);
    }
  });
}

/** Inserts those of the repeated ids that count as accepted; returns their number. */
async function insertRepeated(query: Query, asked: LedgerQuery): Promise<number> {
  await insertIds(query, asked.repeated);
  const { ids, first, last } = await readRow<IdsRange>(query, IDS_RANGE);
  if (ids === 0) return 0;
  const range = [new Date(asked.receivedFromMs), first, last];
  const earlier = await readRow<{ ids: number }>(query, DROP_EARLIER, range);
  return ids - earlier.ids;
}

async function countFates(query: Query): Promise<Omit<Settled, 'repeatedAccepted'>> {
  const { ids, first, last } = await readRow<IdsRange>(query, IDS_RANGE);
  if (ids === 0 || first === null || last === null) {
    return { scored: 0, deadLettered: 0, doubled: 0, latencyP50Ms: 0, latencyP99Ms: 0 };
  }
  // Parameters, not expressions: the planner prunes by them before it locks a partition.
  const range = [first, last];
  const around = [
    new Date(first.getTime() - DOUBLE_WITHIN_MS),
    new Date(last.getTime() + DOUBLE_WITHIN_MS),
  ];
  const scores = await readRow<{ rows: number; ids: number }>(query, COUNT_SCORES, around);
  const deadLetters = await readRow<{ ids: number }>(query, COUNT_DEAD_LETTERS, range);
  const { percentiles } = await readRow<{ percentiles: number[] | null }>(query, LATENCY, range);
  return {
    scored: scores.ids,
    deadLettered: deadLetters.ids,
    doubled: scores.rows - scores.ids,
    latencyP50Ms: percentiles?.[0] ?? 0,
    latencyP99Ms: percentiles?.[1] ?? 0,
  };
}

async function readRow<Row extends object>(
  query: Query,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row> {
  const [row] = await query<Row>({ text }, values);
  if (row === undefined) throw new Error('an aggregate returned no row');
  return row;
}

async function insertIds(query: Query, ids: readonly Buffer[]): Promise<void> {
  for (let at = 0; at < ids.length; at += BUFFERS)
    await query({ text: INSERT_IDS }, [Buffer.concat(ids.slice(at, at + BUFFERS))]);
}

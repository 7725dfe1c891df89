/**
 * Outcomes of a known set of transactions, counted in SQL: the ids are copied into a temporary table and
 * joined. Their time part is `created_at`, so both joins keep to the partitions of the ids.
 */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { writeTimestamp } from '../../kit/database/binary-array.ts';
import type { Database, Query } from '../../kit/database/pool.ts';

type LedgerQuery = {
  /** Buffers of whole ids, 16 bytes each. */
  readonly accepted: Iterable<Buffer>;
  /** Ids that count as accepted only if they were received at or after `receivedFromMs`. */
  readonly repeated: Iterable<Buffer>;
  readonly receivedFromMs: number;
};

export type LedgerCounts = {
  readonly scored: number;
  readonly deadLettered: number;
  /** Score rows beyond one a transaction. */
  readonly doubled: number;
  /** Those of the `repeated` ids that count as accepted. */
  readonly repeatedAccepted: number;
  /** Received to scored. */
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
};

const ID_BYTES = 16;
/** How far from its transaction a misplaced score is still found. */
const DOUBLE_WITHIN_MS = 86_400_000;
/** COPY's binary format: signature, flags, no header extension; the trailer is field count -1. */
const COPY_HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const COPY_TRAILER = Buffer.from([0xff, 0xff]);
/** Field count i16, then the id and its created_at, each with its length i32. */
const TUPLE_BYTES = 2 + 4 + ID_BYTES + 4 + 8;

const CREATE_TABLE = `
  create temporary table ledger_ids (
    transaction_id uuid not null,
    created_at timestamptz(3) not null
  ) on commit drop`;
const COPY_IDS = 'copy ledger_ids (transaction_id, created_at) from stdin (format binary)';

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
): Promise<LedgerCounts> {
  return database.session(async (client, begin, query) => {
    await begin();
    try {
      await client.query("set local work_mem = '64MB'");
      await client.query(CREATE_TABLE);
      const repeatedAccepted = await copyRepeated(client, query, asked);
      await copyIds(client, asked.accepted);
      await client.query('analyze ledger_ids');
      return { ...(await countFates(query)), repeatedAccepted };
    } finally {
      // The temporary table is rolled back; nothing else was written.
      await client.query('rollback').catch(() => undefined);
    }
  });
}

/** Copies those of the repeated ids that count as accepted; returns their number. */
async function copyRepeated(
  client: pg.PoolClient,
  query: Query,
  asked: LedgerQuery,
): Promise<number> {
  await copyIds(client, asked.repeated);
  const { ids, first, last } = await one<IdsRange>(query, IDS_RANGE);
  if (ids === 0) return 0;
  const range = [new Date(asked.receivedFromMs), first, last];
  const earlier = await one<{ ids: number }>(query, DROP_EARLIER, range);
  return ids - earlier.ids;
}

async function countFates(query: Query): Promise<Omit<LedgerCounts, 'repeatedAccepted'>> {
  const { ids, first, last } = await one<IdsRange>(query, IDS_RANGE);
  if (ids === 0 || first === null || last === null) {
    return { scored: 0, deadLettered: 0, doubled: 0, latencyP50Ms: 0, latencyP99Ms: 0 };
  }
  // Parameters, not expressions: the planner prunes by them before it locks a partition.
  const range = [first, last];
  const around = [
    new Date(first.getTime() - DOUBLE_WITHIN_MS),
    new Date(last.getTime() + DOUBLE_WITHIN_MS),
  ];
  const scores = await one<{ rows: number; ids: number }>(query, COUNT_SCORES, around);
  const deadLetters = await one<{ ids: number }>(query, COUNT_DEAD_LETTERS, range);
  const { percentiles } = await one<{ percentiles: number[] | null }>(query, LATENCY, range);
  return {
    scored: scores.ids,
    deadLettered: deadLetters.ids,
    doubled: scores.rows - scores.ids,
    latencyP50Ms: percentiles?.[0] ?? 0,
    latencyP99Ms: percentiles?.[1] ?? 0,
  };
}

async function one<Row extends object>(
  query: Query,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row> {
  const [row] = await query<Row>({ name: '', text }, values);
  if (row === undefined) throw new Error('an aggregate returned no row');
  return row;
}

async function copyIds(client: pg.PoolClient, ids: Iterable<Buffer>): Promise<void> {
  await pipeline(Readable.from(copyData(ids)), client.query(copyFrom(COPY_IDS)));
}

function* copyData(ids: Iterable<Buffer>): Generator<Buffer, void> {
  yield COPY_HEADER;
  for (const chunk of ids) yield tuples(chunk);
  yield COPY_TRAILER;
}

function tuples(ids: Buffer): Buffer {
  const count = ids.length / ID_BYTES;
  const data = Buffer.allocUnsafe(count * TUPLE_BYTES);
  let at = 0;
  for (let index = 0; index < count; index++) {
    const id = index * ID_BYTES;
    at = data.writeInt16BE(2, at);
    at = data.writeInt32BE(ID_BYTES, at);
    at += ids.copy(data, at, id, id + ID_BYTES);
    at = data.writeInt32BE(8, at);
    // A UUIDv7 begins with 48 bits of epoch milliseconds.
    const createdAtMs = ids.readUIntBE(id, 6);
    at = writeTimestamp(data, createdAtMs, at);
  }
  return data;
}

/**
 * What the services themselves can do with the very rows of a run, on one connection and with nothing
 * else running: the bounds that no engine on top of them exceeds, measured after the run in its place.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Redis } from 'ioredis';
import type { Client } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { Transaction } from '../../src/domain/transaction.ts';
import type { Ceiling } from './bench.ts';
import { appendPipelined, SCRATCH_STREAM } from './redis-ceilings.ts';

const XADD_ENTRIES = 100_000;

/** COPY of the same rows into a durable table with the indexes of `transactions`, without keys or scores. */
export async function copyCeiling(database: Client, file: string): Promise<Ceiling> {
  await pipeline(
    database.query(copyTo('copy (select * from transactions) to stdout (format binary)')),
    createWriteStream(file, { mode: 0o600 }),
  );
  await database.query('create table bench_ceiling (like transactions including all)');
  const started = performance.now();
  await pipeline(
    createReadStream(file, { highWaterMark: 1 << 20 }),
    database.query(copyFrom('copy bench_ceiling from stdin (format binary)')),
  );
  const seconds = (performance.now() - started) / 1000;
  const { rows } = await database.query<{ count: number }>(
    'select count(*)::int as count from bench_ceiling',
  );
  await database.query('drop table bench_ceiling');
  const name = 'COPY of the same rows, one connection, durable, same indexes';
  return { name, perSecond: (rows[0]?.count ?? 0) / seconds };
}

type SampleRow = {
  readonly transaction_id: string;
  readonly created_ms: number;
  readonly received_ms: number;
  readonly account_id: string;
  readonly merchant_id: string;
  readonly amount: string;
  readonly currency: string;
  readonly corridor: string;
  readonly type: string | null;
  readonly ip: string | null;
  readonly device_id: string | null;
  readonly country: string | null;
  readonly channel: string | null;
};

/** XADD of the same entries in pipelines of 1,000, without reading them. */
export async function xaddCeiling(database: Client, redis: Redis): Promise<Ceiling> {
  const { rows } = await database.query<SampleRow>(
    `select transaction_id, account_id, merchant_id, amount::text, currency, corridor, type, ip,
            device_id, country, channel, extract(epoch from created_at)::float8 * 1000 as created_ms,
            extract(epoch from received_at)::float8 * 1000 as received_ms
       from transactions limit $1`,
    [XADD_ENTRIES],
  );
  const perSecond = await appendPipelined(redis, rows.map(toTransaction));
  await redis.del(SCRATCH_STREAM);
  const name = 'XADD of the same entries, pipelines of 1,000, AOF everysec';
  return { name, perSecond };
}

function toTransaction(row: SampleRow): Transaction {
  return {
    transactionId: row.transaction_id,
    createdAtMs: Math.round(row.created_ms),
    receivedAtMs: Math.round(row.received_ms),
    accountId: row.account_id,
    merchantId: row.merchant_id,
    amount: row.amount,
    currency: row.currency,
    corridor: row.corridor,
    type: row.type,
    ip: row.ip,
    deviceId: row.device_id,
    country: row.country,
    channel: row.channel,
  };
}

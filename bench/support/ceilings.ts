/**
 * The rate of Postgres itself with the very rows of a run, on one connection and with nothing else running: the
 * bound that no engine on top of it exceeds, measured after the run in its place.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Client } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { Ceiling } from './bench.ts';

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

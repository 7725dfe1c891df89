/**
 * The cost of a rebuild of a merchant, however many rows the merchant has. One merchant's rows are spread over its reach,
 * another has as many in an hour: rebuilt by counting, then from its tallies, now and at late arrivals.
 */
import { LABEL_MATURITY_DAYS, merchantReachDays } from '../src/core/domain/history.ts';
import type { Transaction } from '../src/core/domain/transaction.ts';
import { ensurePartitions } from '../src/core/store/partitions/partitions.ts';
import { loadMerchantPasts } from '../src/core/store/profiles/history.ts';
import { createTallies } from '../src/core/store/tallies/fold-tallies.ts';
import { type Database, openPool } from '../src/kit/database/pool.ts';
import { monthOf } from '../src/kit/words/month.ts';
import type { Bench, BenchReport } from './support/bench.ts';
import { DAY_MS } from './support/load.ts';
import { MARKET } from './support/market.ts';
import { readOptions } from './support/options.ts';
import { makeRunFolder } from './support/run-folder.ts';
import { type Services, startServices } from './support/services.ts';
import { spreadOf } from './support/spread.ts';

const USAGE = `--rows N           rows of each merchant (1000000)
--rounds N         rebuilds of each kind (7)`;

const HOUR_MS = 3_600_000;
const STATEMENT_TIMEOUT_MS = 600_000;
const CHUNK_ROWS = 250_000;
const SPREADS = [
  {
    merchantId: 'm_reach',
    title: 'over its reach',
    overMs: merchantReachDays(LABEL_MATURITY_DAYS) * DAY_MS,
  },
  { merchantId: 'm_hour', title: 'in one hour', overMs: HOUR_MS },
] as const;
/** How far before now the points are: in order, late by half an hour, late by three weeks. */
const LATE_MS = [0, HOUR_MS / 2, 21 * DAY_MS];

async function insertRows(
  database: Database,
  { merchantId, overMs }: (typeof SPREADS)[number],
  nowMs: number,
  rows: number,
): Promise<void> {
  const text = `
    insert into market.transactions (transaction_id, created_at, received_at, account_id, merchant_id, corridor, amount, currency)
    select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5(i::text), 1, 3) || '8'
            || lpad(to_hex(i), 15, '0'))::uuid, at, now(), 'account_' || i % 50000, $1, 'US-US', 10 + i % 90, 'USD'
      from (select i, (to_timestamp($2::float8 / 1000) - i * $3::float8 * interval '1 ms')::timestamptz(3) as at
              from generate_series($4::int, $5::int) i) timed`;
  for (let from = 1; from <= rows; from += CHUNK_ROWS) {
    const to = Math.min(from + CHUNK_ROWS - 1, rows);
    await database.query({ text }, [merchantId, nowMs, overMs / rows, from, to]);
  }
}

function pointAt(merchantId: string, createdAtMs: number): Transaction {
  const time = createdAtMs.toString(16).padStart(12, '0');
  return {
    transactionId: `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`,
    ...{ createdAtMs, receivedAtMs: createdAtMs, accountId: 'account_1', merchantId },
    ...{ amount: '10', currency: 'USD', corridor: 'US-US' },
    ...{ type: null, ip: null, deviceId: null, country: null, channel: null, declared: null },
  };
}

/** Median milliseconds of a rebuild, the client's share included, and how many rows the rebuild counted. */
async function rebuild(database: Database, point: Transaction, rounds: number) {
  const times: number[] = [];
  let known = 0;
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now();
    const [past] = await Array.fromAsync(
      loadMerchantPasts(database.query, [point], LABEL_MATURITY_DAYS),
    );
    times.push(performance.now() - startMs);
    const tallied = past?.tallies.reduce((sum, { count }) => sum + count, 0) ?? 0;
    known = tallied + (past?.rows.length ?? 0);
  }
  return { ms: spreadOf(times).median, known };
}

async function* measure(
  services: Services,
  rows: number,
  rounds: number,
  note: (text: string) => void,
): AsyncGenerator<BenchReport> {
  await using database = openPool({
    ...{ url: services.databaseUrl, market: MARKET, role: 'bench', connectionsMax: 1 },
    connectTimeoutMs: 10_000,
    ...{ statementTimeoutMs: STATEMENT_TIMEOUT_MS, namedStatements: true },
  });
  const nowMs = Date.now();
  await ensurePartitions(
    database,
    Array.from({ length: 6 }, (_, index) => monthOf(nowMs) - 5 + index),
  );
  for (const spread of SPREADS) {
    note(`storing ${rows} rows of a merchant ${spread.title}`);
    await insertRows(database, spread, nowMs, rows);
  }
  await database.query({ text: 'vacuum analyze market.transactions' });
  const points = SPREADS.flatMap(({ merchantId, title }) =>
    LATE_MS.map((lateMs) => ({ title, lateMs, point: pointAt(merchantId, nowMs - lateMs) })),
  );
  const counted = [];
  // Rebuilds each merchant once: a rebuild that would count too many rows asks for tallies.
  for (const { point } of points) counted.push(await rebuild(database, point, 1));
  note('adding them to the tallies');
  const tallies = createTallies(database, Math.random);
  const startMs = performance.now();
  while ((await tallies.fold()).isBehind);
  while (await tallies.fill());
  const fillSeconds = (performance.now() - startMs) / 1000;
  for (const [index, { title, lateMs, point }] of points.entries()) {
    const { ms, known } = await rebuild(database, point, rounds);
    const before = counted[index];
    yield {
      caseName: `${rows.toLocaleString('en-US')} rows ${title}, ${lateMs / HOUR_MS} h late`,
      inputs: { rows, rounds, lateMs, ...services.settings },
      settings: {},
      versions: services.versions,
      perSecond: 1000 / ms,
      figures: {
        ...{ counted_ms: before?.ms ?? Number.NaN, tallied_ms: ms, rows_known: known },
        fill_us_per_row: (fillSeconds * 1e6) / (rows * SPREADS.length),
      },
      ceilings: [],
      tables: [],
      breaches: known === before?.known ? [] : [`${known} rows known, ${before?.known} counted`],
    };
  }
}

export const bench: Bench = {
  name: 'rebuilds',
  question: 'What does the rebuild of a merchant cost, however many rows it has?',
  onlyByName: 'it stores two million rows',
  usage: USAGE,
  run: async function* (args, context) {
    const wholes = { rows: { or: 1_000_000, max: 100_000_000 }, rounds: { or: 7, max: 1000 } };
    const { rows, rounds } = readOptions(args, wholes, {}).numbers;
    const { log, signal, output } = context;
    const note = (text: string) => output.note(text);
    await using folder = await makeRunFolder('risk-bench');
    const dataDir = `${folder.path}/data`;
    await using services = await startServices({ dataDir, log, signal, onProgress: note });
    yield* measure(services, rows, rounds, note);
  },
};

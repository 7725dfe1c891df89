/**
 * How long does `GET /v1/status` take when the tables are full? Millions of transactions and scores in 12 months are counted;
 * then status is asked while transactions are posted and scored and a worker merges.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ensurePartitions } from '../src/core/store/partitions/partitions.ts';
import { openPool } from '../src/kit/database/pool.ts';
import { monthOf } from '../src/kit/words/month.ts';
import { DAY_MS } from '../src/kit/words/range.ts';
import { fillDays, recountDays } from '../test/support/recount-days.ts';
import type { Bench, BenchContext, BenchReport } from './support/bench.ts';
import { RULE_SET } from './support/empty-history.ts';
import { MARKET } from './support/market.ts';
import { readOptions } from './support/options.ts';
import { percentiles } from './support/percentiles.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';
import type { Services } from './support/services.ts';

const USAGE = `--rows N           transactions, and as many scores (20000000)
--calls N          of each question (200)`;

const CHUNK_ROWS = 250_000;
const MONTHS = 12;
const STATEMENT_TIMEOUT_MS = 1_800_000;
const CALL_EVERY_MS = 50;
const POST_EVERY_MS = 100;
const POST_ROWS = 100;
/** The bound at the 99th percentile for requests that touch a store. */
const ANSWER_MS_MAX = 50;
/** The first request touches no store: it measures HTTP on this machine at that time. */
const QUESTIONS = ['/livez', '/v1/status', '/v1/summaries/daily'] as const;

/** Rows $1 to $2, row n $4 milliseconds times n after $3: 12 corridors, 2 currencies each, 3 verdicts, 2 deciders. */
const ROWS = `
  select n, at, (array['US-EG','US-MX','US-PH','US-IN','GB-NG','GB-PK','AE-IN','SA-EG','DE-TR','FR-MA','ES-CO','US-US'])[1 + n % 12] as corridor,
         (lpad(to_hex(ms), 12, '0') || '7' || substr(hash, 1, 3) || '8' || substr(hash, 4, 15))::uuid as id
    from (select n, ms, to_timestamp(ms / 1000.0)::timestamptz(3) as at, md5(n::text) as hash
            from (select n, ($3::float8 + n * $4::float8)::bigint as ms
                    from generate_series($1::bigint, $2::bigint) n) numbered) timed`;

const INSERTS = [
  `insert into market.transactions (client, transaction_id, created_at, received_at, account_id, merchant_id, amount, currency, corridor)
   select 'default', id, at, at, 'a_' || n % 1000000, 'm_' || n % 100000, 20 + n % 90, case when n % 5 = 0 then 'EUR' else 'USD' end,
          corridor from (${ROWS}) rows`,
  `insert into market.scores (features_crc32, transaction_id, created_at, scored_at, account_id, corridor, score, risk, verdict, reasons,
                       features, feature_schema, rule_set, model, attempts, degradation)
   select 0, id, at, at, 'a_' || n % 1000000, corridor, n % 1000, 0.1,
          case when n % 50 = 0 then 'review' when n % 90 = 0 then 'decline' else 'approve' end, '[]',
          '\\x0100', 3, '${RULE_SET}', case when n % 3 = 0 then 'm@1' end, 1, 0
     from (${ROWS}) rows`,
];

/** Indexes are made after the rows, which takes a third of the time. */
const INDEXES = {
  transactions_account_idx: 'transactions (account_id, created_at)',
  transactions_merchant_idx: 'transactions (merchant_id, created_at)',
};

type Counted = { countSeconds: number; mergeable: number };

async function fill(services: Services, rows: number, { output: { note } }: BenchContext) {
  const { database, databaseUrl } = services;
  const endMonth = monthOf(Date.now());
  await using pool = openBenchPool(databaseUrl);
  await ensurePartitions(
    pool,
    Array.from({ length: MONTHS }, (_, at) => endMonth - at),
  );
  const fromMs = Date.now() - (MONTHS - 1) * 30 * DAY_MS;
  const spacingMs = (Date.now() - fromMs) / rows;
  for (const name of Object.keys(INDEXES)) await database.query(`drop index ${name}`);
  for (let from = 0; from < rows; from += CHUNK_ROWS) {
    const to = Math.min(from + CHUNK_ROWS, rows) - 1;
    const values = [from, to, fromMs, spacingMs];
    await Promise.all(INSERTS.map((text) => pool.query({ text }, values)));
    note(`${to + 1} of ${rows} rows`);
  }
  for (const [name, columns] of Object.entries(INDEXES)) {
    await database.query(`create index ${name} on ${columns}`);
  }
  await database.query('vacuum analyze transactions, scores');
  note('counting them');
  const startMs = performance.now();
  await fillDays(pool);
  const countSeconds = (performance.now() - startMs) / 1000;
  const { rows: found } = await database.query<{ count: number }>(
    'select count(*)::int as count from daily_increments',
  );
  return { countSeconds, mergeable: found[0]?.count ?? 0 };
}

function openBenchPool(url: string) {
  return openPool({
    ...{ url, market: MARKET, role: 'bench', connectionsMax: 2, connectTimeoutMs: 10_000 },
    ...{ statementTimeoutMs: STATEMENT_TIMEOUT_MS, namedStatements: false },
  });
}

/** Posts until it is aborted; returns how many were accepted. */
async function post({ api, apiKey }: Pipeline, signal: AbortSignal): Promise<number> {
  let accepted = 0;
  for (let batch = 0; !signal.aborted; batch++) {
    const transactions = Array.from({ length: POST_ROWS }, (_, n) => ({
      ...{
        idempotency_key: `bench-${batch}-${n}`,
        account_id: `b_${n}`,
        merchant_id: `n_${batch % 50}`,
      },
      ...{ amount: '12.50', currency: 'USD', corridor: n % 2 === 0 ? 'US-EG' : 'GB-NG' },
    }));
    const response = await fetch(new URL('/v1/transactions/batch', api.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ transactions }),
    });
    if (response.ok) accepted += POST_ROWS;
    await response.arrayBuffer();
    await delay(POST_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
  return accepted;
}

async function ask({ api, apiKey }: Pipeline, path: string, calls: number) {
  const times: number[] = [];
  let failed = 0;
  for (let call = 0; call < calls; call++) {
    const startMs = performance.now();
    const response = await fetch(new URL(path, api.url), {
      headers: { authorization: `Bearer ${apiKey}` },
    });
    await response.arrayBuffer();
    times.push(performance.now() - startMs);
    if (!response.ok) failed++;
    await delay(CALL_EVERY_MS);
  }
  return { ...percentiles(times), failed };
}

async function* measure(
  pipeline: Pipeline,
  { rows, calls, counted }: { rows: number; calls: number; counted: Counted },
  { signal, output }: BenchContext,
): AsyncGenerator<BenchReport> {
  const stop = new AbortController();
  const posting = post(pipeline, AbortSignal.any([signal, stop.signal]));
  const asked = [];
  for (const path of QUESTIONS) {
    output.note(`asking for ${path}`);
    asked.push({ path, ...(await ask(pipeline, path, calls)) });
  }
  stop.abort();
  const accepted = await posting;
  output.note('counting again');
  await using pool = openBenchPool(pipeline.services.databaseUrl);
  const startMs = performance.now();
  const { different, tallies } = await recountDays(pool);
  const recountSeconds = (performance.now() - startMs) / 1000;
  for (const { path, p50, p99, max, failed } of asked) {
    yield {
      caseName: `${path}, ${rows.toLocaleString('en-US')} rows`,
      inputs: { rows, calls, months: MONTHS, posted: accepted, ...pipeline.services.settings },
      ...{ settings: {}, versions: pipeline.services.versions, perSecond: 1000 / p50 },
      figures: {
        ...{ p50_ms: p50, p99_ms: p99, max_ms: max, failed, different, tallies },
        ...{ recount_seconds: recountSeconds, count_seconds: counted.countSeconds },
        increments_of_count: counted.mergeable,
      },
      ...{ ceilings: [], tables: [] },
      breaches: [
        ...(failed > 0 ? [`${failed} calls failed`] : []),
        ...(different > 0 ? [`${different} tallies differ from a recount`] : []),
        ...(path !== QUESTIONS[0] && p99 > ANSWER_MS_MAX ? [`p99 is ${p99.toFixed(1)} ms`] : []),
      ],
    };
  }
}

export const bench: Bench = {
  name: 'totals',
  question: 'How long do totals and summaries take when the tables are full?',
  onlyByName: 'it stores twenty million rows, 10 GB',
  usage: USAGE,
  run: async function* (args, context) {
    const wholes = { rows: { or: 20_000_000, max: 100_000_000 }, calls: { or: 200, max: 100_000 } };
    const { rows, calls } = readOptions(args, wholes, {}).numbers;
    let counted: Counted = { countSeconds: 0, mergeable: 0 };
    const prepare = async (services: Services) => {
      counted = await fill(services, rows, context);
    };
    await using pipeline = await startPipeline({ workers: 1, settings: {}, prepare }, context);
    yield* measure(pipeline, { rows, calls, counted }, context);
  },
};

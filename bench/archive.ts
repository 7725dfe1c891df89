/**
 * How long does the archive of a month take, and how small are its files? The rows are made in SQL: a third of each vector is random,
 * as figures that compress too well would be no figures. The commands are those of a user, in this process.
 */
import { join } from 'node:path';
import pg from 'pg';
import { FEATURE_SCHEMA } from '../src/core/domain/feature-schema.ts';
import { ensurePartitions } from '../src/core/store/partitions/partitions.ts';
import { integerOption, parseArguments } from '../src/kit/command/command.ts';
import { openPool } from '../src/kit/database/pool.ts';
import { monthOf, monthText } from '../src/kit/words/month.ts';
import { run } from '../src/main/run.ts';
import type { Bench, BenchContext, BenchReport } from './support/bench.ts';
import { RULE_SET } from './support/empty-history.ts';
import { MARKET, marketUrl } from './support/market.ts';
import { makeRunFolder } from './support/run-folder.ts';
import { type Services, startServices } from './support/services.ts';
import { unsealed } from './support/unsealed.ts';

const USAGE = '--rows N  in the month (2000000)';

const MONTH = monthOf(Date.UTC(2026, 2));
const FROM = '2026-03-01T00:00:00Z';
const MONTH_MS = 31 * 86_400_000;
const PART_ROWS = 100_000;

/** Rows $1 to $2 of $3, evenly over the month. */
const ROWS = `
  select n, h, to_timestamp(ms / 1000.0)::timestamptz(3) as at,
         (lpad(to_hex(ms), 12, '0') || '7' || substr(h, 1, 3) || '8' || substr(h, 4, 15))::uuid as id
    from (select n, md5(n::text) as h, (extract(epoch from timestamptz '${FROM}') * 1000 + n * ${MONTH_MS}::float8 / ($3::float8 + 1))::bigint as ms
            from generate_series($1::bigint, $2::bigint) n) numbered`;
const INSERTS = [
  `insert into transactions (transaction_id, created_at, received_at, account_id, merchant_id, amount, currency, corridor, type, ip,
                             device_id, country, channel, metadata, client)
   select id, at, at + interval '40 ms', 'account_' || n % 100000, 'merchant_' || n % 2000, round(20 + (n % 90000) / 100.0, 2), 'USD', 'US-EG', 'payment',
          host(inet '10.0.0.0' + n % 100000), 'device_' || n % 90000, 'US', 'web',
          jsonb_build_object('order', substr(h, 1, 12), 'tier', n % 4), 'shop'
     from (${ROWS}) r`,
  `insert into scores (transaction_id, created_at, scored_at, account_id, corridor, score, risk, verdict, reasons, features, feature_schema,
                       rule_set, attempts, degradation, features_crc32)
   select id, at, at + interval '60 ms', 'account_' || n % 100000, 'US-EG', n % 1000, (n % 1000) / 1000.0,
          case when n % 1000 < 500 then 'approve' when n % 1000 < 800 then 'review' else 'decline' end,
          case when n % 50 = 0 then '[{"code": "VELOCITY_ACCOUNT_1H", "detail": "12 payments of the account in an hour", "contribution": 120}]' else '[]' end::jsonb,
          decode('52' || repeat('ff', 6) || repeat('c0', 54) || repeat('00', 22) || h || md5(h) || md5(n::text || h) || repeat('f03f', 54), 'hex'), ${FEATURE_SCHEMA}, '${RULE_SET}', 1, 0, (n % 2000000000)::int4
     from (${ROWS}) r`,
  `insert into labels (client, transaction_id, created_at, labelled_at, label, source, received_at, batch_id, account_id, merchant_id)
   select 'default', id, at, at + interval '9 days', 'fraud', 'chargeback', at + interval '9 days', gen_random_uuid(), 'account_' || n % 100000, 'merchant_' || n % 2000
     from (${ROWS}) r where n % 500 = 0`,
];

async function fill({ databaseUrl }: Services, rows: number, signal: AbortSignal): Promise<void> {
  const client = new pg.Client({ connectionString: marketUrl(databaseUrl) });
  await client.connect();
  await using _ = { [Symbol.asyncDispose]: () => client.end() };
  for (let from = 1; from <= rows && !signal.aborted; from += PART_ROWS) {
    const to = Math.min(rows, from + PART_ROWS - 1);
    for (const text of INSERTS) await client.query(text, [from, to, rows]);
  }
  const names = ['transactions', 'scores', 'labels'].map((table) => `${table}_y2026m03`);
  await client.query(`vacuum analyze ${names.join(', ')}`);
  await client.query('checkpoint').catch(() => undefined);
}

const sizeOf = async ({ database }: Services) => {
  const { rows } = await database.query<{ bytes: number }>(
    `select sum(pg_total_relation_size(c.oid))::float8 as bytes from pg_class c
      where relname = any (array['transactions_y2026m03', 'scores_y2026m03', 'labels_y2026m03'])`,
  );
  return rows[0]?.bytes ?? 0;
};

type Step = { readonly line: string; readonly seconds: number };

const toRow = ({ line, seconds }: Step) => ({ line, seconds: seconds.toFixed(1) });

/** A command of this process, and the seconds until each line that it says, and after the last one. */
async function timed(args: string[], environment: Readonly<Record<string, string>>) {
  const steps: Step[] = [];
  let [said, sinceMs, out] = ['begin', performance.now(), ''];
  const next = (line: string) => {
    steps.push({ line: said, seconds: (performance.now() - sinceMs) / 1000 });
    [said, sinceMs] = [line.trim(), performance.now()];
  };
  const stdout = {
    write: (part: string) => {
      out += part;
    },
  };
  const openSignal = () => new AbortController().signal;
  const code = await run(args, { environment, stdout, stderr: { write: next }, openSignal });
  next('end');
  if (code !== 0) throw new Error(`${args.join(' ')} exits ${code}: ${out}${said}`);
  return { steps, seconds: steps.reduce((sum, { seconds }) => sum + seconds, 0), out };
}

async function measure(rows: number, context: BenchContext): Promise<BenchReport> {
  const { output, log, signal } = context;
  await using folder = await makeRunFolder('risk-archive');
  await using _ = unsealed(folder.path);
  const onProgress = output.note;
  await using services = await startServices({
    dataDir: join(folder.path, 'data'),
    log,
    signal,
    onProgress,
  });
  const { databaseUrl, redisUrl, database } = services;
  {
    await using pool = openPool({
      ...{ url: databaseUrl, market: MARKET, role: 'bench', connectionsMax: 1 },
      ...{ namedStatements: true, connectTimeoutMs: 5000, statementTimeoutMs: 60_000 },
    });
    await ensurePartitions(pool, [MONTH]);
  }
  output.note(`filling ${rows} rows`);
  await fill(services, rows, signal);
  const bytesBefore = await sizeOf(services);
  const text = monthText(MONTH);
  const environment = { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, RISK_MARKET: MARKET };
  const month = ['archive', 'month', text, '--to', join(folder.path, 'cold'), '--unencrypted'];
  output.note('archiving');
  const archived = await timed([...month, '--confirm', text], environment);
  const { rows: listed } = await database.query<{ bytes: number; files: number }>(
    `select sum((p ->> 'bytes')::float8) as bytes, count(*)::float8 as files
       from archived_months, jsonb_array_elements(manifest -> 'tables') t, jsonb_array_elements(t -> 'parts') p`,
  );
  const { bytes = 0, files = 0 } = listed[0] ?? {};
  output.note('restoring');
  const restored = await timed(['archive', 'restore', text], environment);
  return {
    caseName: '',
    inputs: { rows, ...services.settings },
    settings: {},
    versions: services.versions,
    perSecond: rows / archived.seconds,
    figures: {
      postgres_mib: bytesBefore / 2 ** 20,
      files_mib: bytes / 2 ** 20,
      smaller_times: bytesBefore / bytes,
      files,
      archive_seconds: archived.seconds,
      restore_seconds: restored.seconds,
    },
    ceilings: [],
    tables: [
      { title: 'archive, seconds from each line to the next', rows: archived.steps.map(toRow) },
      { title: 'restore, seconds from each line to the next', rows: restored.steps.map(toRow) },
    ],
    breaches: [],
  };
}

export const bench: Bench = {
  name: 'archive',
  question: 'How long does the archive of a month take?',
  onlyByName: 'takes some minutes',
  usage: USAGE,
  run: async function* (args, context) {
    const text = { type: 'string' } as const;
    const { values } = parseArguments(args, { rows: text });
    const rows = integerOption('--rows', values.rows, { min: 1000, max: 100_000_000 }, 2_000_000);
    yield await measure(rows, context);
  },
};

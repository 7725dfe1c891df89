/**
 * Measures a night. SQL makes days of which a night keeps as many rows as of any, and a busy day behind them. A command
 * builds a first table, for which it counts all days, and then a trainer the table of the night after the busy day.
 */
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { FEATURE_COUNT, FEATURE_SCHEMA } from '../src/core/domain/feature-schema.ts';
import { textOfDay } from '../src/core/score/scorecard/day-table.ts';
import { ensurePartitions } from '../src/core/store/partitions/partitions.ts';
import { findHead } from '../src/core/store/scorecards/scorecards.ts';
import { packVectors } from '../src/core/store/scores/score-values.ts';
import { readConfig } from '../src/kit/config/config.ts';
import { openDatabase } from '../src/kit/database/open-database.ts';
import { createRandom, normal } from '../src/kit/random.ts';
import { monthOf } from '../src/kit/words/month.ts';
import { DAY_MS } from '../src/kit/words/range.ts';
import { NIGHT } from './detection/market-days.ts';
import type { Bench, BenchContext, BenchReport } from './support/bench.ts';
import { RULE_SET } from './support/empty-history.ts';
import { MARKET } from './support/market.ts';
import { readOptions } from './support/options.ts';
import { peakOwnBytes, peakRssBytes, treeCpuSeconds } from './support/process-usage.ts';
import { makeRunFolder } from './support/run-folder.ts';
import { dropIndexes } from './support/searched-rows.ts';
import { LAUNCHER, type Services, startServices } from './support/services.ts';

const USAGE = `--payments N       of the day before the night (1000000)
--days N           before that day (60)
--kept N           payments of each of these days (20000)`;
/** Bars of a night of a million payments. */
const [OWN_MIB_MAX, CPU_SECONDS_MAX, PAYMENTS_JUDGED_MIN] = [96, 30, 1_000_000];
const OPTIONS = {
  payments: { or: 1_000_000, max: 10_000_000 },
  days: { or: 60, max: 180 },
  kept: { or: 20_000, max: 1_000_000 },
} as const;
const VECTORS = 4096;
const POLL_MS = 100;

/** The payments of the day that begins at $1, $2 of them. */
const ROWS = `(select *, to_timestamp(ms / 1000.0)::timestamptz(3) as at,
         (lpad(to_hex(ms), 12, '0') || '7' || substr(hash, 1, 3) || '8' || substr(hash, 4, 15))::uuid as id,
         (hashint8extended(n, ms) & 1048575) / 1048576.0 as share
    from (select n, ($1::float8 + floor((n - 1) * 86400000.0 / $2::int))::bigint as ms, md5(n || ' ' || $1) as hash
            from generate_series(1, $2::int) n) numbered) rows`;
const INSERTS = [
  `insert into transactions (client, transaction_id, created_at, received_at, account_id, merchant_id, corridor, amount, currency,
                             type, channel, device_id, ip, ip_party, metadata)
   select 'default', id, at, at, 'acc_' || n % 200000, 'm_' || n % 3000, 'US-EG', round((5 + 900 * share ^ 3)::numeric, 2), 'USD',
          'type_' || n % 7, case when n % 3 = 0 then 'app' end, 'device_' || n % 150000, '10.' || n % 200 || '.7.1', '10.' || n % 200 || '.7.0/24',
          jsonb_build_object('distance', floor(1000 * share), 'category', 'category_' || n % 14, 'is_new', n % 5 = 0)
     from ${ROWS}`,
  `insert into scores (transaction_id, created_at, scored_at, account_id, corridor, score, risk, verdict, reasons, features,
                       feature_schema, rule_set, attempts, degradation, features_crc32, margin)
   select id, at, at, 'acc_' || n % 200000, 'US-EG', floor(300 * share), 0.3 * share, 'approve', '[]', v.features, ${FEATURE_SCHEMA},
          '${RULE_SET}', 1, 0, 0, 10 * share - 8
     from ${ROWS} join made_vectors v on v.nth = rows.n % ${VECTORS} + 1`,
  `insert into labels (client, transaction_id, created_at, labelled_at, label, source, received_at, batch_id, account_id, merchant_id)
   select 'default', id, at, at + interval '3 days', 'fraud', 'chargeback', at + interval '3 days', id, 'acc_' || n % 200000, 'm_1'
     from ${ROWS} where n % 200 = 1`,
  `insert into daily_increments (day, corridor, currency, outcome, count, amount, score_sum)
   values ((to_timestamp($1::float8 / 1000) at time zone 'UTC')::date, 'US-EG', 'USD', 'approve', $2::int, 1, 0)`,
];

function makeVectors(): Uint8Array[] {
  const random = createRandom('night');
  const value = (nth: number) =>
    nth % 3 === 0
      ? Math.exp(2 * normal(random(), random()))
      : Math.floor(random() * 4 ** (nth % 5));
  const vector = () =>
    Float64Array.from({ length: FEATURE_COUNT }, (_, nth) =>
      random() < 0.1 ? Number.NaN : value(nth),
    );
  return packVectors(Array.from({ length: VECTORS }, vector));
}

type Sizes = { readonly payments: number; readonly days: number; readonly kept: number };

/** @param night the day after the busy day */
async function fill(
  { database }: Services,
  night: number,
  sizes: Sizes,
  note: (text: string) => void,
) {
  await database.query(`insert into metadata_fields (name, type, description, declared_by) values
    ('distance', 'number', 'd', 'bench'), ('category', 'text', 'c', 'bench'), ('is_new', 'boolean', 'n', 'bench')`);
  await database.query('create table made_vectors (nth int primary key, features bytea not null)');
  await database.query(
    'insert into made_vectors select nth, features from unnest($1::bytea[]) with ordinality made (features, nth)',
    [makeVectors().map((vector) => Buffer.from(vector))],
  );
  const indexes = await dropIndexes(database);
  for (let before = sizes.days + 1; before > 0; before--) {
    const payments = before === 1 ? sizes.payments : sizes.kept;
    for (const text of INSERTS) await database.query(text, [(night - before) * DAY_MS, payments]);
    note(`${before - 1} days to make`);
  }
  for (const text of indexes) await database.query(text);
  await database.query('vacuum analyze transactions, scores, labels, daily_increments');
}

/** Tells the most that a process had until `isOver`. Own memory is without the pages of program files. */
async function measure(pid: number, isOver: () => Promise<boolean>) {
  const usage = { own_mib: 0, rss_mib: 0, cpu_s: 0 };
  while (!(await isOver())) {
    usage.own_mib = Math.max(usage.own_mib, peakOwnBytes(pid) / 1024 ** 2);
    usage.rss_mib = Math.max(usage.rss_mib, peakRssBytes(pid) / 1024 ** 2);
    usage.cpu_s = Math.max(usage.cpu_s, treeCpuSeconds(pid));
    await delay(POLL_MS);
  }
  return usage;
}

async function* run(args: string[], context: BenchContext): AsyncGenerator<BenchReport> {
  const { log, signal, output } = context;
  const { numbers: sizes } = readOptions(args, OPTIONS, {});
  await using folder = await makeRunFolder('risk-night');
  await using services = await startServices({ dataDir: folder.path, log, signal });
  const settings = readConfig({ DATABASE_URL: services.databaseUrl, RISK_MARKET: MARKET });
  if ('problems' in settings) throw new Error(settings.problems.join('; '));
  const { config } = settings;
  const night = Math.floor(Date.now() / DAY_MS);
  await using pool = openDatabase(config, services.databaseUrl, 'bench');
  const days = Array.from({ length: sizes.days + 2 }, (_, nth) => (night - nth) * DAY_MS);
  await ensurePartitions(pool, days.map(monthOf));
  await fill(services, night, sizes, (text) => output.note(text));
  const program = (more: object, ...args: string[]) =>
    spawn('/bin/sh', [LAUNCHER, ...args], {
      env: {
        ...{ PATH: process.env['PATH'], RISK_MARKET: MARKET, ...more },
        DATABASE_URL: services.databaseUrl,
      },
      stdio: 'inherit',
      signal,
    });
  const build = program(NIGHT, 'scorecard', 'build', '--day', textOfDay(night - 1));
  const first = await measure(build.pid ?? 0, async () => build.exitCode !== null);
  const trainer = program({}, 'trainer');
  const isBuilt = async () => (await findHead(pool.query, night)) !== undefined;
  const busy = await measure(trainer.pid ?? 0, isBuilt);
  trainer.kill();
  const isOver = busy.own_mib > OWN_MIB_MAX || busy.cpu_s > CPU_SECONDS_MAX;
  const figures = [
    ...Object.entries(busy),
    ...Object.entries(first).map(([name, value]) => [`first_${name}`, value] as const),
  ];
  yield {
    ...{ caseName: '', inputs: sizes, settings: {}, versions: services.versions },
    ...{ perSecond: sizes.payments / busy.cpu_s, figures: Object.fromEntries(figures) },
    ...{ ceilings: [], tables: [] },
    breaches:
      isOver && sizes.payments >= PAYMENTS_JUDGED_MIN
        ? [`a night takes at most ${OWN_MIB_MAX} MiB and ${CPU_SECONDS_MAX} s of a processor`]
        : [],
  };
}

export const bench: Bench = {
  name: 'night',
  question: 'What does a night take?',
  onlyByName: 'takes minutes',
  usage: USAGE,
  run,
};

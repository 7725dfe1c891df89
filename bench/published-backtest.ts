/**
 * Does a backtest of published payments count what SQL counts? Days of the published file go through the API with all their
 * labels; a person asks what another rule set would have decided. SQL decides by the same conditions over stored amounts and
 * vectors, reads labels from the file, and takes the verdicts of the rule set in force as they were stored.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { featureIndex } from '../src/core/domain/feature-schema.ts';
import { currentRuleSet } from '../src/core/score/rules/rule-sets.ts';
import { parseArguments, UsageError } from '../src/kit/command/command.ts';
import type { Report } from '../src/rooms/backtest/count/report.ts';
import { DELAY_DAYS, openFeeder } from './detection/feed-days.ts';
import { type Payment, readDays } from './detection/published-days.ts';
import { askBacktest } from './support/asked-backtest.ts';
import type { Bench, BenchContext, BenchReport } from './support/bench.ts';
import { integerList } from './support/load.ts';
import { openPerson } from './support/person.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';

const USAGE = `--data FOLDER      handbook_tx_dev.csv.gz (../shared/data)
--days N           of the file, from its first one on (28)`;

const FILE = 'handbook_tx_dev.csv.gz';
/** Scores and labels count that are a minute old. */
const SETTLED_MS = 61_000;
const CHUNK = 50_000;

const rule = (id: string, when: string, more: object) => ({
  ...{ id, sentence: `Rule ${id}.`, code: id.toUpperCase(), when },
  ...more,
});
/** Logarithms between those of 219.99 and 220.00, and of 799.99 and 800.00: amounts themselves need rates, which no row has recorded. */
const SOURCE = {
  ...{ version: 2, id: 'published@1', feature_schema: 3 },
  rules: [
    rule('large', 'amount_log >= 5.3936', { weight: 0.6 }),
    rule('risky', 'merchant_fraud_rate_7d >= 0.2', { weight: 0.7 }),
    rule('many', 'count_24h >= 6', { weight: 0.4 }),
    rule('huge', 'amount_log >= 6.6846', { verdict: 'decline' }),
  ],
  verdicts: { all: { review: 500, decline: 800 } },
};

/** NaN is larger than any number to Postgres, and a rule whose value is missing does not fire. */
const atLeast = (feature: Parameters<typeof featureIndex>[0], least: number) =>
  `coalesce(nullif(feature_value(s.features, ${featureIndex(feature) + 1}), 'NaN') >= ${least}, false)`;
/** The verdict as somebody derives it by hand: two causes make 760 or more only where the fraud rate is one of them. */
const COUNT = `
  with fired as (
    select s.verdict as against, date_trunc('day', s.created_at, 'UTC') as day, t.amount,
           case when p.is_fraud then 'fraud' else 'legitimate' end as label,
           t.amount >= 220 as large, ${atLeast('merchant_fraud_rate_7d', 0.2)} as risky,
           ${atLeast('count_24h', 6)} as many, t.amount >= 800 as huge
      from scores s join transactions t using (transaction_id, created_at) join published p using (transaction_id)),
  decided as (
    select *, case when huge or risky and (large or many) then 'decline'
                   when large or risky then 'review' else 'approve' end as verdict from fired)
  select verdict, against, label, count(*)::int as rows, count(*) filter (where large)::int as large,
         count(*) filter (where risky)::int as risky, count(*) filter (where many)::int as many,
         count(*) filter (where huge)::int as huge, sum(amount)::text as amount,
         (select count(distinct day)::int from decided) as days
    from decided group by 1, 2, 3`;
type Counted = {
  readonly verdict: string;
  readonly against: string;
  readonly label: 'fraud' | 'legitimate';
  readonly rows: number;
  readonly large: number;
  readonly risky: number;
  readonly many: number;
  readonly huge: number;
  readonly amount: string;
  readonly days: number;
};

/** Labels of the file by the engine's ids, in a table of this session. */
async function storePublished(
  { services: { database } }: Pipeline,
  ids: readonly string[],
  payments: readonly Payment[],
): Promise<void> {
  await database.query('create temporary table published (transaction_id uuid, is_fraud boolean)');
  for (let at = 0; at < ids.length; at += CHUNK) {
    await database.query('insert into published select * from unnest($1::uuid[], $2::boolean[])', [
      ids.slice(at, at + CHUNK),
      payments.slice(at, at + CHUNK).map(({ isFraud }) => isFraud),
    ]);
  }
  await database.query('analyze published');
}

type Figures = Readonly<Record<string, number | string>>;
const VERDICTS = ['approve', 'review', 'decline'];
const LABELS = ['fraud', 'legitimate'] as const;
const cells = VERDICTS.flatMap((verdict) => LABELS.map((label) => ({ verdict, label })));
const turns = VERDICTS.flatMap((from) => VERDICTS.map((to) => ({ from, to }))).filter(
  ({ from, to }) => from !== to,
);

function figuresOf({ subject, against, flips, rules, ...report }: Report): Figures {
  const confusionOf = ({ confusion }: Report['subject'], name: string) =>
    cells.map(({ verdict, label }) => [
      `${name} ${verdict} ${label}`,
      confusion.find((one) => one.verdict === verdict)?.[label] ?? 0,
    ]);
  const [money] = subject.money;
  return Object.fromEntries([
    ['rows', report.rows],
    ['days', report.days],
    ...confusionOf(subject, SOURCE.id),
    ...confusionOf(against, currentRuleSet.id),
    ...turns.map(({ from, to }) => {
      const rows = flips.find((one) => one.from === from && one.to === to)?.rows ?? 0;
      return [`${from} to ${to}`, rows];
    }),
    ...rules.map(({ id, hits }) => [`hits of ${id}`, hits]),
    [`alerts a day by ${SOURCE.id}`, subject.alerts_per_day],
    [`alerts a day by ${currentRuleSet.id}`, against.alerts_per_day],
    ['fraud caught, USD', Number(money?.fraud_caught)],
    ['good customers stopped, USD', Number(money?.legitimate_stopped)],
  ]);
}

function figuresOfSql(counted: readonly Counted[]): Figures {
  const sum = (is: Partial<Counted>, of: 'rows' | 'large' | 'risky' | 'many' | 'huge' = 'rows') =>
    counted
      .filter((one) => Object.entries(is).every(([name, value]) => one[name as 'label'] === value))
      .reduce((total, one) => total + one[of], 0);
  const days = counted[0]?.days ?? 0;
  const perDay = (alerts: number) => Math.round((alerts / days) * 100) / 100;
  const money = (isCounted: (one: Counted) => boolean) => {
    const cents = counted
      .filter(isCounted)
      .reduce((total, { amount }) => total + Math.round(Number(amount) * 100), 0);
    return cents / 100;
  };
  return Object.fromEntries([
    ['rows', sum({})],
    ['days', days],
    ...cells.map((cell) => [`${SOURCE.id} ${cell.verdict} ${cell.label}`, sum(cell)]),
    ...cells.map(({ verdict: against, label }) => [
      `${currentRuleSet.id} ${against} ${label}`,
      sum({ against, label }),
    ]),
    ...turns.map(({ from, to }) => [`${from} to ${to}`, sum({ against: from, verdict: to })]),
    ...(['large', 'risky', 'many', 'huge'] as const).map((id) => [`hits of ${id}`, sum({}, id)]),
    [`alerts a day by ${SOURCE.id}`, perDay(sum({}) - sum({ verdict: 'approve' }))],
    [`alerts a day by ${currentRuleSet.id}`, perDay(sum({}) - sum({ against: 'approve' }))],
    [
      'fraud caught, USD',
      money(({ label, verdict }) => label === 'fraud' && verdict !== 'approve'),
    ],
    [
      'good customers stopped, USD',
      money(({ label, verdict }) => label === 'legitimate' && verdict === 'decline'),
    ],
  ]);
}

async function measure(
  { data, days: dayCount }: { readonly data: string; readonly days: number },
  context: BenchContext,
): Promise<BenchReport> {
  const { signal, output } = context;
  const days = (await readDays(join(data, FILE))).slice(0, dayCount);
  const payments = days.flatMap((day) => day.payments);
  await using pipeline = await startPipeline({ workers: 1, settings: {} }, context);
  const { feed, label } = openFeeder(pipeline, days, context);
  output.note(`feeding ${days.length} days`);
  const ids = await feed(days);
  await label(days.slice(-DELAY_DAYS));
  await storePublished(pipeline, ids, payments);
  await delay(SETTLED_MS, undefined, { signal });
  const person = await openPerson(pipeline, 'Ann', signal);
  const question = {
    from: new Date(days[0]?.startMs ?? 0).toISOString(),
    to: new Date((days.at(-1)?.startMs ?? 0) + 86_400_000).toISOString(),
    source: SOURCE,
  };
  output.note('backtest');
  const startedMs = performance.now();
  const { report } = await askBacktest(person, question, signal);
  const seconds = (performance.now() - startedMs) / 1000;
  output.note('counting in SQL');
  const { rows } = await pipeline.services.database.query<Counted>(COUNT);
  const [found, counted] = [figuresOf(report as Report), figuresOfSql(rows)];
  const other = Object.entries(counted).filter(([name, value]) => found[name] !== value);
  return {
    caseName: `${payments.length} payments`,
    inputs: { days: days.length, payments: payments.length },
    settings: {},
    versions: pipeline.services.versions,
    perSecond: payments.length / seconds,
    figures: { backtest_seconds: seconds, figures_compared: Object.keys(counted).length },
    ceilings: [],
    tables: [
      {
        title: 'the report beside SQL',
        rows: Object.entries(counted).map(([figure, sql]) => ({
          figure,
          backtest: String(found[figure]),
          sql: String(sql),
        })),
      },
    ],
    breaches: other.map(([name, value]) => `${name}: ${found[name]}, and ${value} by SQL`),
  };
}

export const bench: Bench = {
  name: 'published-backtest',
  question: 'Does a backtest of published payments count what SQL counts?',
  onlyByName: 'it needs published data, and takes minutes',
  usage: USAGE,
  run: async function* (args, context) {
    const { values } = parseArguments(args, {
      data: { type: 'string', default: '../shared/data' },
      days: { type: 'string', default: '28' },
    });
    const data = resolve(values.data);
    if (!existsSync(join(data, FILE))) {
      throw new UsageError(`${data} has no ${FILE}; --data names the folder`);
    }
    const [days = 0] = integerList('--days', values.days, 8, 366);
    yield await measure({ data, days }, context);
  },
};

/**
 * How long does a page of a search take when the tables are full? Named searches of twelve months: their first and their tenth
 * page, hot (asked again and again) and cold (neither Postgres nor the machine has a page of them in memory).
 */
import { writeFile } from 'node:fs/promises';
import pg from 'pg';
import { type Database, openPool } from '../src/kit/database/pool.ts';
import { DAY_MS } from '../src/kit/words/range.ts';
import { transactionSearchParameters } from '../src/rooms/search/queries/parameters.ts';
import { searchTransactions } from '../src/rooms/search/queries/search.ts';
import type { Bench, BenchContext, BenchReport } from './support/bench.ts';
import { RULE_SET } from './support/empty-history.ts';
import { MARKET } from './support/market.ts';
import { putModelInForce } from './support/model-in-force.ts';
import { readOptions, TEXT } from './support/options.ts';
import { percentiles } from './support/percentiles.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';
import {
  COMMON_REASON,
  fillSearched,
  MONTHS,
  NOBODYS_REASON,
  RARE,
  RARE_REASON,
  SEARCHED_DAYS,
  SECOND_REASON,
} from './support/searched-rows.ts';

const USAGE = `--rows N           transactions in 12 months (20000000)
--hot N            times that each page is asked for again (20)
--cold N           times that each page is asked for with nothing in memory (5); needs root
--only TEXT        searches whose name has this text
--data FOLDER      holds the rows, and is kept for the next run`;

const PAGES = 10;
const WARMING = 3;
/** Goal at the 95th percentile of the first page of a list with a filter that its index has, for runs with so many rows. */
const [HOT_MS_MAX, ROWS_JUDGED_MIN] = [50, 10_000_000];
const MODEL = 'random@1';

type Search = { readonly name: string; readonly query: string; readonly kind: 'list' | 'other' };

const day = (daysBefore: number) =>
  new Date(Math.floor(Date.now() / DAY_MS - daysBefore) * DAY_MS).toISOString();

function searches(rows: number): readonly Search[] {
  const [from, to] = [day(SEARCHED_DAYS / 2), day(SEARCHED_DAYS / 2 - 1)];
  const list = (name: string, query: string) => ({ name, query, kind: 'list' as const });
  const named = (name: string, query: string) => ({ name, query, kind: 'other' as const });
  return [
    list('newest', ''),
    list('oldest', 'order=asc'),
    list('created on a day', `from=${from}&to=${to}`),
    list('an account', 'account_id=a_4711'),
    list('an account of a twentieth of all', `account_id=${RARE.account}`),
    list('a merchant', 'merchant_id=m_50000'),
    list('the busiest merchant', 'merchant_id=m_0'),
    list('a device', 'device_id=d_4711'),
    list('a device of a ring', `device_id=${RARE.device}`),
    list('a device on a day', `device_id=${RARE.device}&from=${day(100)}&to=${day(60)}`),
    list('an address', `ip=${RARE.ip}`),
    list('review or decline', 'verdict=review,decline'),
    list('declined of a corridor', 'verdict=decline&corridor=US-EG'),
    list('score from 800', 'min_score=800'),
    list('degraded, 1 in 10,000', 'degradation=2'),
    list('riskiest', 'sort=score'),
    list('riskiest of a corridor', 'sort=score&corridor=US-EG'),
    list('riskiest in review', 'sort=score&verdict=review'),
    list('least risky', 'sort=score&order=asc'),
    named('a corridor of 1 in 1,000', `corridor=${RARE.corridor}`),
    named('a client of 1 in 1,000', `client=${RARE.client}`),
    named('dead letters', 'status=dead_lettered'),
    named('score 100 to 110', 'min_score=100&max_score=110'),
    named('amounts of a currency', 'currency=EUR&min_amount=3000&max_amount=3500'),
    named('a common reason', `reason=${COMMON_REASON}`),
    named('two reasons at once', `reason=${COMMON_REASON},${SECOND_REASON}&reason_match=all`),
    named('a reason of 1 in 1,000,000', `reason=${RARE_REASON}`),
    named("nobody's reason", `reason=${NOBODYS_REASON}`),
    named('the rule set in force', `rule_set=${encodeURIComponent(RULE_SET)}`),
    named('an old rule set', `rule_set=${encodeURIComponent(RARE.ruleSet)}`),
    named('a model', `model=${encodeURIComponent(MODEL)}`),
    named('labelled fraud', 'label=fraud'),
    named('without a label', 'label=none'),
    named('received on a day', `received_from=${from}&received_to=${to}`),
    named('scored on a day', `scored_from=${from}&scored_to=${to}`),
    named(
      'an idempotency key',
      `client=shop_0&idempotency_key=order-${Math.floor(rows / 2000) * 1000}`,
    ),
    named('an account, reviewed', `account_id=${RARE.account}&verdict=review`),
    named('a merchant, from an amount', 'merchant_id=m_0&currency=USD&min_amount=3900'),
    named('a corridor, declined', `corridor=${RARE.corridor}&verdict=decline`),
    named('a reason, labelled fraud', `reason=${SECOND_REASON}&label=fraud`),
    named('largest of a currency', 'sort=amount&currency=USD'),
    named('riskiest of an account', `sort=score&account_id=${RARE.account}`),
  ];
}

type Page = {
  readonly complete: boolean;
  readonly items: unknown[];
  readonly next_cursor: string | null;
};

async function ask({ api, apiKey }: Pipeline, query: string): Promise<{ ms: number; page: Page }> {
  const startMs = performance.now();
  const response = await fetch(new URL(`/v1/transactions?${query}`, api.url), {
    headers: { authorization: `Bearer ${apiKey}` },
  });
  const text = await response.text();
  const ms = performance.now() - startMs;
  if (!response.ok) throw new Error(`${query}: ${response.status} ${text}`);
  return { ms, page: JSON.parse(text) as Page };
}

/** The query of the tenth page, or of the last before it. */
async function follow(
  pipeline: Pipeline,
  query: string,
): Promise<{ query: string; pages: number }> {
  let at = query;
  for (let pages = 1; ; pages++) {
    const { page } = await ask(pipeline, at);
    if (page.next_cursor === null || pages === PAGES) return { query: at, pages };
    at = `${query}&cursor=${encodeURIComponent(page.next_cursor)}`;
  }
}

/** Opens what empties the memory of Postgres and of the machine. The password of the embedded cluster is that of its superuser, too. */
async function openForget({ services: { databaseUrl } }: Pipeline) {
  const url = new URL(databaseUrl);
  url.username = 'postgres';
  const superuser = new pg.Client({ connectionString: url.href });
  await superuser.connect();
  await superuser.query('create extension if not exists pg_buffercache');
  return {
    forget: async () => {
      await superuser.query('checkpoint');
      await superuser.query('select pg_buffercache_evict_all()');
      await writeFile('/proc/sys/vm/drop_caches', '3');
    },
    [Symbol.asyncDispose]: () => superuser.end(),
  };
}

/** The last answer, and the 95th percentile. */
async function time(
  pipeline: Pipeline,
  query: string,
  times: number,
  before: () => Promise<void>,
): Promise<{ ms: number; page: Page | undefined }> {
  const answers = [];
  for (let one = 0; one < times; one++) {
    await before();
    answers.push(await ask(pipeline, query));
  }
  const { p95 } = percentiles(answers.map(({ ms }) => ms));
  return { ms: Number(p95.toFixed(1)), page: answers.at(-1)?.page };
}

/** Statements of the first page, and the indexes and tables that its plans read. */
async function explain(database: Database, query: string) {
  const plans = new Set<string>();
  let statements = 0;
  const spied: Database = {
    ...database,
    query: async (statement, values) => {
      statements++;
      const [{ 'QUERY PLAN': plan } = { 'QUERY PLAN': [] }] = await database.query<{
        'QUERY PLAN': readonly unknown[];
      }>({ text: `explain (format json) ${statement.text}` }, values);
      for (const name of scansOf(plan)) plans.add(name);
      return await database.query(statement, values);
    },
  };
  const asked = transactionSearchParameters.parse(Object.fromEntries(new URLSearchParams(query)));
  await searchTransactions({ primary: spied, replica: null, now: () => Date.now() }, asked);
  return { statements, plan: [...plans].join(', ') };
}

/** Names of indexes of the engine, and whether a table is read whole. */
function scansOf(plan: unknown): string[] {
  const found: string[] = [];
  JSON.stringify(plan, (key, value: unknown) => {
    const name = key === 'Index Name' ? String(value) : 'pg_';
    if (!name.startsWith('pg_')) found.push(name.replace(/_y\d{4}m\d{2}/, ''));
    if (typeof value === 'object' && value !== null && 'Node Type' in value) {
      if (value['Node Type'] === 'Seq Scan') found.push('all of a table');
    }
    return value;
  });
  return found;
}

async function measure(
  pipeline: Pipeline,
  { rows, hot, cold, only }: { rows: number; hot: number; cold: number; only: string },
  { output }: BenchContext,
): Promise<BenchReport> {
  const { services } = pipeline;
  await using pool = openPool({
    ...{ url: services.databaseUrl, market: MARKET, role: 'bench', connectionsMax: 1 },
    ...{ connectTimeoutMs: 10_000, statementTimeoutMs: 60_000, namedStatements: false },
  });
  await using memory = await openForget(pipeline);
  const nothing = async () => undefined;
  const found = [];
  const asked = searches(rows).filter(({ name }) => name.includes(only));
  for (const { name, query, kind } of asked) {
    output.note(name);
    const { statements, plan } = await explain(pool, query);
    // The first ones of a search bring its rows into memory.
    await time(pipeline, query, WARMING, nothing);
    const tenth = await follow(pipeline, query);
    const { ms, page } = await time(pipeline, query, hot, nothing);
    found.push({
      ...{ search: name, kind, rows: page?.items.length ?? 0, complete: page?.complete === true },
      ...{ pages: tenth.pages, hot_1st_ms: ms },
      hot_10th_ms: (await time(pipeline, tenth.query, hot, nothing)).ms,
      cold_1st_ms: (await time(pipeline, query, cold, memory.forget)).ms,
      cold_10th_ms: (await time(pipeline, tenth.query, cold, memory.forget)).ms,
      ...{ statements, plan },
    });
  }
  const complete = found.filter((one) => one.complete).length;
  const slow = found.flatMap(({ search, kind, hot_1st_ms }) =>
    kind === 'list' && hot_1st_ms > HOT_MS_MAX
      ? [`${search} is slower than ${HOT_MS_MAX} ms hot`]
      : [],
  );
  const isJudged = rows >= ROWS_JUDGED_MIN && only === '';
  const worst = Math.max(...found.map(({ hot_1st_ms }) => hot_1st_ms));
  return {
    caseName: `${rows.toLocaleString('en-US')} rows`,
    inputs: { rows, hot, cold, months: MONTHS, ...services.settings },
    ...{ settings: {}, versions: services.versions, perSecond: 1000 / worst },
    figures: { searches: found.length, complete, slow: slow.length },
    ceilings: [],
    tables: [
      {
        title: 'searches, 95th percentiles',
        rows: found.map((one) => ({ ...one, complete: String(one.complete) })),
      },
    ],
    breaches: isJudged ? slow : [],
  };
}

export const bench: Bench = {
  name: 'search',
  question: 'How long does a page of a search take when the tables are full?',
  onlyByName: 'it stores twenty million rows, 26 GB',
  usage: USAGE,
  run: async function* (args, context) {
    const wholes = {
      rows: { or: 20_000_000, max: 100_000_000 },
      hot: { or: 20, max: 10_000 },
      cold: { or: 5, min: 0, max: 1000 },
    };
    const texts = { data: TEXT, only: { ...TEXT, default: '' } };
    const { values, numbers } = readOptions(args, wholes, texts);
    const { rows, hot, cold } = numbers;
    await using pipeline = await startPipeline(
      {
        ...{ workers: 0, settings: {}, keptFolder: values.data },
        prepare: async (services) => {
          const model = () => putModelInForce(services.databaseUrl);
          await fillSearched(services, { rows, model }, (line) => context.output.note(line));
        },
      },
      context,
    );
    yield await measure(pipeline, { rows, hot, cold, only: values.only }, context);
  },
};

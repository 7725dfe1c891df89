/**
 * The cost of a backtest for each row: deciding by one rule set, the fold, which decides by two and counts, and, beside them, reading
 * rows of Postgres page by page, without the rests of a run. Then the time in which other bands are answered from the counts of
 * millions of rows, which are folded here. Vectors are those of simulated traffic; every twentieth row has a label.
 * With `--rounds`, what posts wait beside backtests that a worker runs, alone and beside them in turn.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { FEATURE_COUNT, FEATURE_SCHEMA } from '../src/core/domain/feature-schema.ts';
import { vectorOf } from '../src/core/score/feature-rows.ts';
import { currentRuleSet, findOwnSource, RULE_SETS } from '../src/core/score/rules/rule-sets.ts';
import { weigh } from '../src/core/score/weigh.ts';
import { listMonths } from '../src/core/store/partitions/month-slice.ts';
import { packVectors, toVector } from '../src/core/store/scores/vector-bytes.ts';
import { integerOption, parseArguments } from '../src/kit/command/command.ts';
import { type Database, openPool } from '../src/kit/database/pool.ts';
import { type Days, noCounts } from '../src/rooms/backtest/count/counts.ts';
import { createFold, type Row } from '../src/rooms/backtest/count/fold-rows.ts';
import { reportOf } from '../src/rooms/backtest/count/report.ts';
import { readBands } from '../src/rooms/backtest/read-bands.ts';
import { endBacktest, storeCounts } from '../src/rooms/backtest/store/backtests.ts';
import { daysText } from '../src/rooms/backtest/store/days.ts';
import { PAGE_ROWS, type ReadPage, readRows } from '../src/rooms/backtest/store/read-rows.ts';
import { idAt } from '../test/support/stored-rows.ts';
import { askBacktest } from './support/asked-backtest.ts';
import type { Bench, BenchContext, BenchReport } from './support/bench.ts';
import { measureBeside, type OtherWork, POSTS, type Rounds } from './support/beside.ts';
import { fillHistory } from './support/history-rows.ts';
import { DAY_MS, LIVE_LOAD, lastMidnightMs } from './support/load.ts';
import { runLoad } from './support/load-run.ts';
import { MARKET } from './support/market.ts';
import { percentiles } from './support/percentiles.ts';
import { openPerson, taken } from './support/person.ts';
import { startPipeline } from './support/pipeline.ts';
import { foldAll, makeParties, makeTransaction } from './support/pure-core.ts';
import { makeRunFolder } from './support/run-folder.ts';
import { fillSearched } from './support/searched-rows.ts';
import { type Services, startServices } from './support/services.ts';

const USAGE = `--rounds N         of posts, alone and beside backtests (0)
--rows N           in the tables of these rounds (1000000)
--rate N           transactions a second (2000)
--seconds N        of posts, alone and beside, of each round (20)`;

type BacktestJson = { readonly backtest_id: string; readonly ended_at: string | null };

/** Rows a second of a core that a version alone must decide. */
const PER_SECOND_MIN = 400_000;
const ROWS = 2000;
/** Transactions before those that are measured, so that accounts have a history. */
const PAST = 40_000;
const WARM_UP_ROUNDS = 50;
const ROUNDS = 200;
/** Rows in Postgres: 400 pages. */
const STORED_ROWS = 200_000;
/** Rows that other bands are asked of, and the days that they are spread over. */
const BAND_ROWS = 20_000_000;
const BAND_DAYS = 90;
const BANDS_MS_MAX = 2000;
const HISTORY = { months: 12, rowsEachAccount: 20, rowsEachMerchant: 80 };
/** A run sees its cancellation when it stores its counts, once a second. */
const CANCELLED_MS = 1500;

export const bench: Bench = {
  name: 'backtest',
  question: 'How many stored rows does a version decide in a second of a core?',
  usage: USAGE,
  async *run(args, context) {
    const text = { type: 'string' } as const;
    const { values } = parseArguments(args, {
      ...{ rounds: text, rows: text, rate: text, seconds: text },
    });
    const many = { min: 1, max: 100_000_000 };
    const rounds = integerOption('--rounds', values.rounds, { min: 0, max: 100 }, 0);
    const rows = integerOption('--rows', values.rows, many, 1_000_000);
    const rate = integerOption('--rate', values.rate, many, 2000);
    const seconds = integerOption('--seconds', values.seconds, many, 20);
    yield measure(makeRows());
    yield* measureStored(context);
    const load = { ...LIVE_LOAD, ...POSTS, rate, transactions: rate * seconds };
    if (rounds > 0) yield* await measurePosts({ load, rounds, rows }, context);
  },
};

async function measurePosts(
  asked: Pick<Rounds, 'load' | 'rounds' | 'rows'>,
  context: BenchContext,
): Promise<BenchReport[]> {
  const { output, signal } = context;
  const past = { ...HISTORY, rows: asked.rows, endMs: lastMidnightMs() - DAY_MS };
  const prepare = (services: Services) => fillHistory(services, past, (text) => output.note(text));
  await using pipeline = await startPipeline({ workers: 1, settings: {}, prepare }, context);
  const person = await openPerson(pipeline, 'Ann', signal);
  const { load } = asked;
  // The profiles of all parties are rebuilt from rows that no run has read yet.
  await runLoad(pipeline, { ...load, seed: 'warming' }, context);
  const question = {
    from: new Date(past.endMs - 365 * DAY_MS).toISOString(),
    to: new Date(past.endMs).toISOString(),
    ...{ rule_set: currentRuleSet.id, against_rule_set: 'default@1' },
  };
  const backtests: OtherWork = {
    name: 'backtests',
    async work(stopped) {
      try {
        for (;;) await askBacktest(person, question, stopped);
      } finally {
        const { items } = taken(await person('GET', '/v1/backtests'));
        for (const { backtest_id: id, ended_at: endedAt } of items as BacktestJson[]) {
          if (endedAt === null) await person('POST', `/v1/backtests/${id}/cancel`);
        }
        await delay(CANCELLED_MS);
      }
    },
    async rows() {
      const { rows } = await pipeline.services.database.query<{ read: number }>(
        'select coalesce(sum(rows_read), 0)::float8 as read from backtests',
      );
      return rows[0]?.read ?? 0;
    },
  };
  return await measureBeside(
    pipeline,
    [backtests],
    { ...asked, settings: {}, isJudged: true },
    context,
  );
}

async function* measureStored({ log, signal, output }: BenchContext): AsyncGenerator<BenchReport> {
  const note = (text: string) => output.note(text);
  await using folder = await makeRunFolder('risk-bench');
  const dataDir = `${folder.path}/data`;
  await using services = await startServices({ dataDir, log, signal, onProgress: note });
  await fillSearched(services, { rows: STORED_ROWS, model: async () => 'none@1' }, note);
  await using pool = openPool({
    ...{ url: services.databaseUrl, market: MARKET, role: 'bench', connectionsMax: 1 },
    ...{ connectTimeoutMs: 10_000, statementTimeoutMs: 10_000, namedStatements: true },
  });
  yield { ...(await measureReading(pool)), versions: services.versions };
  yield { ...(await measureBands(pool)), versions: services.versions };
}

async function measureReading(pool: Database): Promise<BenchReport> {
  const asked = { knownBy: new Date().toISOString(), corridor: null };
  const months = (await listMonths(pool, 'scores')).reverse();
  const [beganMs, cpu] = [performance.now(), process.cpuUsage()];
  let rows = 0;
  for (const month of months) {
    for (let after: string | null = null, isWhole = false; !isWhole; ) {
      const page: ReadPage = await readRows(pool.query, month, after, asked);
      rows += page.seen;
      after = page.last;
      isWhole = page.seen < PAGE_ROWS;
    }
  }
  const seconds = (performance.now() - beganMs) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    caseName: 'reading',
    inputs: { rows },
    versions: {},
    settings: {},
    perSecond: rows / seconds,
    figures: { read_us: (seconds * 1e6) / rows, read_cpu_us: (user + system) / rows },
    ceilings: [],
    tables: [],
    breaches: [],
  };
}

async function measureBands(pool: Database): Promise<BenchReport> {
  const [rows, days]: [readonly Row[], Days] = [makeRows(), new Map()];
  const fold = createFold(noCounts(), days, [() => currentRuleSet, () => currentRuleSet]);
  const foldedMs = performance.now();
  for (let at = 0; at < BAND_ROWS; at++) {
    const row = rows[at % rows.length] as Row;
    fold({ ...row, createdAtMs: Math.floor((at / BAND_ROWS) * BAND_DAYS) * DAY_MS }, [null, null]);
  }
  const foldSeconds = (performance.now() - foldedMs) / 1000;
  const id = randomUUID();
  const version = {
    rule_set: currentRuleSet.id,
    sha256: currentRuleSet.sha256,
    corridors: {},
    model: null,
  };
  const sources = { [currentRuleSet.sha256]: findOwnSource(currentRuleSet.id) };
  await pool.query({ text: 'alter table market.backtests drop constraint backtests_key_fkey' });
  await pool.query(
    {
      text: `insert into market.backtests (backtest_id, question, sources, requested_by, requested_by_key) values ($1, $2, $3, 'bench', 'bench')`,
    },
    [id, JSON.stringify({ subject: version }), JSON.stringify(sources)],
  );
  await storeCounts(pool.query, id, randomUUID(), '', BAND_ROWS, daysText(days));
  await endBacktest(pool.query, id, BAND_ROWS, '{"rows":1}', '');
  const times: number[] = [];
  for (let review = 1; review <= 50; review++) {
    const beganMs = performance.now();
    await readBands(pool, id, { review: review * 10, decline: 800 });
    times.push(performance.now() - beganMs);
  }
  const { p50, p99 } = percentiles(times);
  const bytes = daysText(days).length;
  return {
    caseName: 'bands',
    inputs: { rows: BAND_ROWS, days: BAND_DAYS },
    versions: {},
    settings: {},
    perSecond: BAND_ROWS / foldSeconds,
    figures: { answer_p50_ms: p50, answer_p99_ms: p99, counts_kb: bytes / 1024 },
    ceilings: [],
    tables: [],
    breaches: p99 <= BANDS_MS_MAX ? [] : [`an answer took ${p99.toFixed(0)} ms`],
  };
}

function measure(rows: readonly Row[]): BenchReport {
  const counts = noCounts();
  const [other = currentRuleSet] = RULE_SETS.slice(1);
  const fold = createFold(counts, new Map(), [() => currentRuleSet, () => other]);
  const bytes = packVectors(rows.map(({ vector }) => vector));
  const [alone, folded, read, reports]: number[][] = [[], [], [], []];
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    const isCounted = round >= WARM_UP_ROUNDS;
    const note = (costs: number[] | undefined, work: () => void) => {
      const began = performance.now();
      work();
      if (isCounted) costs?.push(((performance.now() - began) * 1e6) / ROWS);
    };
    note(alone, () => rows.forEach(decide));
    note(folded, () => {
      for (const row of rows) fold(row, [null, null]);
    });
    note(read, () => bytes.forEach(toVector));
    note(reports, () => reportOf(counts, currentRuleSet.rules, ['a', 'b']));
  }
  const [ofAlone, ofFold, ofRead, ofReport] = [alone, folded, read, reports].map((costs) =>
    percentiles(costs ?? []),
  );
  const perSecond = 1e9 / (ofAlone?.p50 ?? Number.NaN);
  return {
    caseName: 'deciding',
    inputs: { rows: ROWS, rounds: ROUNDS },
    versions: {},
    settings: {},
    perSecond,
    figures: {
      decide_p50_ns: ofAlone?.p50 ?? Number.NaN,
      fold_of_two_p50_ns: ofFold?.p50 ?? Number.NaN,
      unpack_p50_ns: ofRead?.p50 ?? Number.NaN,
      report_p50_ms: ((ofReport?.p50 ?? Number.NaN) * ROWS) / 1e6,
    },
    ceilings: [],
    tables: [],
    breaches:
      perSecond >= PER_SECOND_MIN ? [] : [`${perSecond.toFixed(0)} rows a second were decided`],
  };
}

function decide({ vector }: Row): void {
  const fired = currentRuleSet.program.decide(vector, [], Number.NaN);
  weigh(currentRuleSet, null, vector, [], fired);
}

function makeRows(): readonly Row[] {
  const parties = makeParties();
  let sequence = 0;
  const nextBatch = () => Array.from({ length: ROWS }, () => makeTransaction(sequence++));
  for (let done = 0; done < PAST; done += ROWS) foldAll(nextBatch(), parties);
  const batch = nextBatch();
  const rows = foldAll(batch, parties);
  return batch.map(({ createdAtMs, corridor, currency, amount }, at) => ({
    id: idAt(createdAtMs, at),
    ...{ createdAtMs, corridor, currency, amount },
    vector: vectorOf(rows, at).slice(0, FEATURE_COUNT),
    featureSchema: FEATURE_SCHEMA,
    ruleInputs: null,
    label: at % 20 > 0 ? null : at % 100 === 0 ? 'fraud' : 'legitimate',
  }));
}

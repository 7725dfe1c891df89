/**
 * The cost of a backtest for each row: deciding by one rule set, the fold, which decides by two and counts, and, beside them, reading
 * rows of Postgres page by page, without the rests of a run. Vectors are those of simulated traffic; every twentieth row has a label.
 * With `--rounds`, what posts wait beside backtests that a worker runs, alone and beside them in turn.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { vectorOf } from '../src/core/domain/feature-rows.ts';
import { FEATURE_COUNT } from '../src/core/domain/feature-schema.ts';
import { compileOwn } from '../src/core/score/rules/compile-rule-set.ts';
import { default3 } from '../src/core/score/rules/default-3.ts';
import { currentRuleSet } from '../src/core/score/rules/rule-sets.ts';
import { weigh } from '../src/core/score/weigh.ts';
import { listMonths } from '../src/core/store/partitions/month-slice.ts';
import { packVectors, toVector } from '../src/core/store/scores/score-values.ts';
import { integerOption, parseArguments } from '../src/kit/command/command.ts';
import { openPool } from '../src/kit/database/pool.ts';
import { createFold, type Row } from '../src/rooms/backtest/count/fold-rows.ts';
import { reportOf } from '../src/rooms/backtest/count/report.ts';
import { noCounts } from '../src/rooms/backtest/count/report-schema.ts';
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
    yield await measureReading(context);
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
    rule_set: currentRuleSet.id,
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

async function measureReading({ log, signal, output }: BenchContext): Promise<BenchReport> {
  const note = (text: string) => output.note(text);
  await using folder = await makeRunFolder('risk-bench');
  const dataDir = `${folder.path}/data`;
  await using services = await startServices({ dataDir, log, signal });
  await fillSearched(services, { rows: STORED_ROWS, model: async () => 'none@1' }, note);
  await using pool = openPool({
    ...{ url: services.databaseUrl, market: MARKET, role: 'bench', connectionsMax: 1 },
    ...{ connectTimeoutMs: 10_000, statementTimeoutMs: 10_000, namedStatements: true },
  });
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
    versions: services.versions,
    settings: {},
    perSecond: rows / seconds,
    figures: { read_us: (seconds * 1e6) / rows, read_cpu_us: (user + system) / rows },
    ceilings: [],
    tables: [],
    breaches: [],
  };
}

function measure(rows: readonly Row[]): BenchReport {
  const counts = noCounts();
  const other = compileOwn({ ...default3, id: 'other@1' });
  const fold = createFold(counts, [() => currentRuleSet, () => other]);
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
    ruleInputs: null,
    label: at % 20 > 0 ? null : at % 100 === 0 ? 'fraud' : 'legitimate',
  }));
}

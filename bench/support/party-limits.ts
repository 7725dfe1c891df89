/**
 * The cost of a limit of each party: one API with the limits and without them, in turn. Rounds lie side by side, so what the
 * machine and the growing tables cost falls on both.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { EACH, partyFields } from '../../src/core/domain/limit.ts';
import type { BenchContext, BenchReport, Settings } from './bench.ts';
import { readEngineCpu } from './cpu-by-role.ts';
import { type Load, loadName, startLoad } from './load.ts';
import { type Pipeline, startPipeline } from './pipeline.ts';
import type { Services } from './services.ts';
import { spreadOf } from './spread.ts';

/** Microseconds of API and Redis together. Limits ask Postgres for nothing, and rounds of Postgres differ by 12 µs. */
const COST_US_MAX = 4;
const ROLES = ['api', 'postgres', 'redis'] as const;
/** Above what any party of the load sends, so that nothing is refused; of the size that people set. */
const RATE = { perSecond: 5, burst: 100 };
/** An API reads limits twice a second. */
const READ_MS = 1500;

type Cost = Readonly<Record<(typeof ROLES)[number] | 'together', number>>;
type Round = { readonly cost: Cost; readonly perSecond: number; readonly calls: number };

async function setLimits({ database }: Services, isOn: boolean): Promise<void> {
  await database.query(`delete from limits where scope like '${EACH}%'`);
  if (isOn) {
    await database.query(
      `insert into limits (scope, kind, rate_per_second, burst, set_by, reason)
       select scope, 'transactions', $2::float8, $3::int, 'bench', 'measured' from unnest($1::text[]) as scope`,
      [[...partyFields.keys()], RATE.perSecond, RATE.burst],
    );
  }
  await wait(READ_MS);
}

/** Calls of XRANGE: the script of parties makes one a call. */
async function scriptCalls({ redis }: Services): Promise<number> {
  const stats = await redis.info('commandstats');
  return Number(/^cmdstat_xrange:calls=(\d+)/m.exec(stats)?.[1] ?? 0);
}

async function post(pipeline: Pipeline, load: Load, { signal }: BenchContext): Promise<Round> {
  using generator = await startLoad(pipeline, load, signal);
  const [before, callsBefore] = [readEngineCpu(pipeline), await scriptCalls(pipeline.services)];
  const posted = await generator.go();
  const after = readEngineCpu(pipeline);
  const us = (role: (typeof ROLES)[number]) =>
    ((after[role] - before[role]) * 1e6) / load.transactions;
  const [api, postgres, redis] = [us('api'), us('postgres'), us('redis')];
  if (posted.accepted < load.transactions || posted.resent > 0)
    throw new Error(`${posted.accepted} accepted and ${posted.resent} sent again: none was to be`);
  return {
    cost: { api, postgres, redis, together: api + redis },
    perSecond: (posted.accepted * 1000) / (posted.lastAnswerMs - posted.firstRequestMs),
    calls: ((await scriptCalls(pipeline.services)) - callsBefore) / posted.requests,
  };
}

const ARMS = ['without', 'with'] as const;
type Arms = Readonly<Record<(typeof ARMS)[number], Round[]>>;

export async function measurePartyLimits(
  { load, rounds, settings }: { load: Load; rounds: number; settings: Settings },
  context: BenchContext,
): Promise<BenchReport> {
  await using pipeline = await startPipeline({ workers: 0, settings }, context);
  const { services } = pipeline;
  const arms: Arms = { without: [], with: [] };
  // The first round of each compiles code and makes months.
  for (let round = 0; round <= rounds; round++) {
    context.output.note(`round ${round} of ${rounds}`);
    for (const arm of round % 2 === 0 ? ARMS : ARMS.toReversed()) {
      await setLimits(services, arm === 'with');
      const done = await post(pipeline, { ...load, seed: `${load.seed}-${round}-${arm}` }, context);
      if (round > 0) arms[arm].push(done);
    }
  }
  return toReport(arms, { load, rounds, settings }, services);
}

function toReport(
  arms: Arms,
  { load, rounds, settings }: { load: Load; rounds: number; settings: Settings },
  services: Services,
): BenchReport {
  const median = (arm: keyof Arms, of: (round: Round) => number) =>
    spreadOf(arms[arm].map(of)).median;
  const added = (role: keyof Cost) =>
    spreadOf(arms.with.map(({ cost }, nth) => cost[role] - (arms.without[nth]?.cost[role] ?? 0)));
  const { min, median: cost, max } = added('together');
  return {
    caseName: `${loadName(load)}, limits by party`,
    inputs: { ...load, rounds, ...services.settings },
    settings,
    versions: services.versions,
    perSecond: median('with', ({ perSecond }) => perSecond),
    figures: {
      ...{ added_us: cost, added_least_us: min, added_most_us: max },
      script_calls_a_request: median('with', ({ calls }) => calls),
    },
    ceilings: [
      {
        name: 'the same load without limits, in turn',
        perSecond: median('without', ({ perSecond }) => perSecond),
      },
    ],
    tables: [
      {
        title: 'processor time a transaction, in microseconds (medians)',
        rows: [...ROLES, 'together' as const].map((role) => ({
          role,
          without: median('without', (round) => round.cost[role]).toFixed(1),
          with: median('with', (round) => round.cost[role]).toFixed(1),
          added: added(role).median.toFixed(1),
        })),
      },
    ],
    breaches:
      cost > COST_US_MAX
        ? [`limits by party cost ${cost.toFixed(1)} µs a transaction, above ${COST_US_MAX}`]
        : [],
  };
}

/**
 * The wait of a quiet corridor while one worker drains another corridor's backlog, and the loss of the drain; with --past the wait of live
 * transactions beside a past month of their own corridor and merchants, in the order of accounts. Waited
 * decisions of an open loop run alone, then beside the drain; the drain runs alone, then beside the decisions. The runs alone have an
 * engine with one warm worker, and the runs together another, as profiles that a first drain has filled slow a second drain (to 0.6).
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { integerOption } from '../src/kit/command/command.ts';
import { CORRIDORS } from '../src/tools/simulate/geography.ts';
import { BACKLOG_CORRIDOR, postBacklog } from './support/backlog.ts';
import type { Bench, BenchContext, BenchReport, Settings } from './support/bench.ts';
import type { GeneratorResult } from './support/generator.ts';
import {
  LIVE_LOAD,
  LOAD_OPTIONS,
  LOAD_USAGE,
  type Load,
  MONTH_LOAD,
  readLoad,
  readSettings,
  startLoad,
} from './support/load.ts';
import { memoryBreaches, memoryTable, readMemory, runLoad } from './support/load-run.ts';
import { readOptions, TEXT } from './support/options.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';
import { readScored, type ScoredProgress, untilScored } from './support/scored-counter.ts';
import { readStored, storedBreaches } from './support/stored.ts';

const USAGE = `--rate N           waited decisions a second of the quiet corridor (50)
--backlog N        transactions of the other corridor (200000)
--past             the backlog is a past of the quiet corridor
--engine FOLDER    measures the engine of this checkout, too, and divides by its drain
--seconds N        of the quiet corridor alone (10)
${LOAD_USAGE}`;

const WAIT_SECONDS = 5;
const UNMEASURED_SECONDS = 5;
const CONNECTIONS = 64;
const WAITED = { batch: 1, connections: CONNECTIONS, waitSeconds: WAIT_SECONDS } as const;
/** Bars: waits beside the drain by those alone, at most, and the drain's rate by that alone, at least. */
const [P50_MAX, P99_MAX, DRAIN_MIN] = [2, 3, 0.7];
/** A worker that was stopped by a signal runs all of its overdue timers first. */
const RESUMED_MS = 500;
const BUSY_MS = 10_000;
/** The quiet corridor ends before the drain does, so that every decision had the drain beside it. */
const SHARE_OF_DRAIN = 0.8;

const PAST_PARTIES = {
  ...{ accounts: 9000, drawnBy: 0, merchantsDrawn: 900, merchantsDrawnBy: 1 },
} as const;
const PAST: Load = { ...MONTH_LOAD, ...PAST_PARTIES, order: 'account', days: 30 };

const QUIET_CORRIDOR = CORRIDORS.find(({ name }) => name !== BACKLOG_CORRIDOR)?.name ?? '';

type Options = {
  readonly load: Load;
  readonly quiet: Load;
  readonly backlog: number;
  readonly seconds: number;
  readonly settings: Settings;
  readonly isPast: boolean;
  /** bin/risk of another checkout. */
  readonly launcher?: string;
};

/** Scored a second in the first `seconds` after the first score, or until the end. */
function rateOf({ samples }: ScoredProgress, scored: number, seconds: number): number {
  const from = samples.find((one) => one.scored > 0) ?? { atMs: Number.NaN, scored: 0 };
  const isEnd = (one: typeof from) =>
    one.atMs - from.atMs >= seconds * 1000 || one.scored >= scored * SHARE_OF_DRAIN;
  const to = samples.find(isEnd) ?? from;
  return ((to.scored - from.scored) * 1000) / (to.atMs - from.atMs);
}

async function decide(
  pipeline: Pipeline,
  quiet: Load,
  { seconds, seed }: { seconds: number; seed: string },
  context: BenchContext,
) {
  const transactions = Math.ceil(quiet.rate * seconds);
  return await runLoad(pipeline, { ...quiet, transactions, seed }, context);
}

/** Drains one backlog; `beside` asks for decisions once the drain has begun. */
async function drain(
  pipeline: Pipeline,
  { load, backlog }: Options,
  seed: string,
  beside: Load | null,
  context: BenchContext,
) {
  const { signal } = context;
  const scoredBefore = await readScored(pipeline.workers, signal);
  using generator = beside && (await startLoad(pipeline, beside, signal));
  await postBacklog(pipeline, { ...load, seed }, backlog, context);
  const transactions = () => backlog + (beside?.transactions ?? 0);
  const decideBeside = async () => {
    if (generator === null) return undefined;
    await delay(RESUMED_MS, undefined, { signal });
    return await generator.go();
  };
  const [progress, posted] = await Promise.all([
    untilScored(pipeline.workers, { scoredBefore, transactions }, signal),
    decideBeside(),
  ]);
  return { progress, posted };
}

/** An engine that has scored transactions of other merchants, as a past is measured that nothing is known of. */
async function startWarm(options: Options, context: BenchContext): Promise<Pipeline> {
  const { quiet, backlog, settings, isPast, launcher } = options;
  const pipeline = await startPipeline({ workers: 1, settings, launcher }, context);
  const load = isPast ? { ...LIVE_LOAD, rate: 0 } : options.load;
  const live = isPast ? { ...LIVE_LOAD, ...WAITED, rate: quiet.rate } : quiet;
  await decide(pipeline, live, { seconds: UNMEASURED_SECONDS, seed: 'warm-up' }, context);
  const warm = { ...options, load, backlog: Math.ceil(backlog / 2) };
  await drain(pipeline, warm, 'warm-up', null, context);
  // With a past, the quiet corridor itself has just drained, and counts as busy for BUSY_MS.
  if (isPast) await delay(BUSY_MS, undefined, { signal: context.signal });
  return pipeline;
}

async function measure(options: Options, context: BenchContext): Promise<BenchReport> {
  const { load, quiet, backlog, seconds, settings, launcher = 'this' } = options;
  await using pipelines = new AsyncDisposableStack();
  const first = pipelines.use(await startWarm(options, context));
  const alone = await decide(first, quiet, { seconds, seed: 'alone' }, context);
  const drained = await drain(first, options, 'alone', null, context);
  const perSecond = rateOf(drained.progress, backlog, Number.POSITIVE_INFINITY);
  const lastsSeconds = (backlog / perSecond) * SHARE_OF_DRAIN;
  await first[Symbol.asyncDispose]();
  const pipeline = pipelines.use(await startWarm(options, context));
  const transactions = Math.ceil(quiet.rate * lastsSeconds);
  const asked = { ...quiet, transactions, seed: 'beside' };
  const both = await drain(pipeline, options, 'beside', asked, context);
  const beside = both.posted as GeneratorResult;
  const besidePerSecond = rateOf(both.progress, backlog, lastsSeconds);
  const { lost, doubled } = await readStored(pipeline.services.database);
  const memory = await readMemory(pipeline);
  const [before, after] = [alone.posted.latencyMs, beside.latencyMs];
  const unanswered = [alone.posted, beside].reduce(
    (sum, { accepted, scored }) => sum + accepted - scored,
    0,
  );
  const ratios = {
    p50_of_alone: after.p50 / before.p50,
    p99_of_alone: after.p99 / before.p99,
    drain_of_alone: besidePerSecond / perSecond,
  };
  return {
    caseName: `${quiet.rate} waited decisions a second`,
    inputs: { ...load, backlog, workers: 1, engine: launcher, ...pipeline.services.settings },
    settings,
    versions: pipeline.services.versions,
    perSecond: besidePerSecond,
    figures: {
      alone_p50_ms: before.p50,
      alone_p99_ms: before.p99,
      beside_p50_ms: after.p50,
      beside_p99_ms: after.p99,
      beside_max_ms: after.max,
      drain_alone_per_second: perSecond,
      drain_beside_per_second: besidePerSecond,
      ...ratios,
      ...{ beside_decisions: beside.scored, unanswered, lost, doubled },
    },
    ceilings: [],
    tables: [memoryTable(memory)],
    breaches: [
      ...storedBreaches({ lost, doubled }),
      ...memoryBreaches(memory),
      ...ratioBreaches(ratios),
    ],
  };
}

/** A ratio that is no number is a breach as well. */
function ratioBreaches(ratios: Record<'p50_of_alone' | 'p99_of_alone' | 'drain_of_alone', number>) {
  const { p50_of_alone: p50, p99_of_alone: p99, drain_of_alone: drained } = ratios;
  return [
    ...(p50 <= P50_MAX ? [] : [`p50 is ${p50.toFixed(2)} of that alone, above ${P50_MAX}`]),
    ...(p99 <= P99_MAX ? [] : [`p99 is ${p99.toFixed(2)} of that alone, above ${P99_MAX}`]),
    ...(drained >= DRAIN_MIN ? [] : [`the drain has ${drained.toFixed(2)} of its rate alone`]),
  ];
}

const byBase = ({ perSecond }: BenchReport, base: BenchReport) => ({
  drain_beside_of_engine: perSecond / (base.perSecond ?? Number.NaN),
  drain_beside_of_engine_alone: perSecond / (base.figures['drain_alone_per_second'] ?? Number.NaN),
});

export const bench: Bench = {
  name: 'fair',
  question: "What does a quiet corridor wait for beside another corridor's backlog?",
  usage: USAGE,
  run: async function* (args, context) {
    const wholes = {
      backlog: { or: 200_000, min: 1000, max: 5_000_000 },
      seconds: { or: 10, max: 600 },
    };
    const { values, numbers } = readOptions(args, wholes, {
      ...LOAD_OPTIONS,
      past: { type: 'boolean' },
      engine: TEXT,
    });
    const isPast = values.past === true;
    const load = { ...readLoad(values, isPast ? PAST : LIVE_LOAD), rate: 0 };
    const rate = integerOption('--rate', values.rate, { min: 1, max: 10_000 }, 50);
    const parties = isPast ? PAST_PARTIES : { accounts: 500, merchants: 200 };
    const corridor = isPast ? BACKLOG_CORRIDOR : QUIET_CORRIDOR;
    const options = {
      ...{ ...numbers, load, settings: readSettings(values.set) },
      isPast,
      quiet: { ...LIVE_LOAD, ...parties, ...WAITED, rate, corridor },
    };
    if (values.engine === undefined) return yield await measure(options, context);
    const launcher = join(values.engine, 'bin/risk');
    const base = await measure({ ...options, launcher }, context);
    yield base;
    const own = await measure(options, context);
    yield { ...own, figures: { ...own.figures, ...byBase(own, base) } };
  },
};

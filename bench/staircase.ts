/**
 * Where is the knee, and what does a spike above it do? Load rises in steps, each an open loop, until the engine
 * no longer keeps up; then comes three times what it could bear, and after it the calm from before.
 */
import type { Bench, BenchContext, BenchReport, Settings } from './support/bench.ts';
import {
  LIVE_LOAD,
  LOAD_OPTIONS,
  LOAD_USAGE,
  type Load,
  readLoad,
  readSettings,
} from './support/load.ts';
import { memoryBreaches, memoryTable, readMemory, runLoad } from './support/load-run.ts';
import { readOptions } from './support/options.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';
import { readStored, storedBreaches } from './support/stored.ts';

const USAGE = `--first N          transactions a second of the first step (2000)
--step N           how much each step adds (2000)
--steps N          at most (12)
--seconds N        of a step (15)
--batch N          transactions a request (100)
${LOAD_USAGE}
--transactions and --rate are what the steps make them. 32 connections by default.`;

/**
 * The engine keeps up with a step when it accepts the load at nearly the offered rate, and answers and scores
 * soon.
 */
const RATE_SHARE_MIN = 0.97;
const ANSWER_P99_MS_MAX = 500;
const SCORED_AFTER_MS_MAX = 1000;
const SPIKE_FACTOR = 3;
const CALM_SHARE = 0.5;

type Step = {
  readonly name: string;
  readonly rate: number;
  readonly acceptedPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Time from the last answer until the last score was seen. */
  readonly scoredAfterMs: number;
  readonly resent: number;
};

async function take(
  name: string,
  rate: number,
  { pipeline, load, seconds }: { pipeline: Pipeline; load: Load; seconds: number },
  context: BenchContext,
): Promise<Step> {
  const transactions = Math.ceil(rate * seconds);
  context.output.note(`${name}: ${rate} a second`);
  const { posted, progress } = await runLoad(
    pipeline,
    { ...load, rate, transactions, seed: `${load.seed}-${name.replaceAll(' ', '-')}` },
    context,
  );
  const postedSeconds = (posted.lastAnswerMs - posted.firstRequestMs) / 1000;
  return {
    ...{ name, rate, resent: posted.resent },
    acceptedPerSecond: posted.accepted / postedSeconds,
    p50Ms: posted.latencyMs.p50,
    p99Ms: posted.latencyMs.p99,
    scoredAfterMs: Math.max(0, progress.finishedMs - posted.lastAnswerMs),
  };
}

function isKeptUp({ rate, acceptedPerSecond, p99Ms, scoredAfterMs }: Step): boolean {
  return (
    acceptedPerSecond >= rate * RATE_SHARE_MIN &&
    p99Ms <= ANSWER_P99_MS_MAX &&
    scoredAfterMs <= SCORED_AFTER_MS_MAX
  );
}

type Stairs = { readonly first: number; readonly step: number; readonly steps: number };

async function measure(
  load: Load,
  { first, step, steps }: Stairs,
  options: { seconds: number; settings: Settings },
  context: BenchContext,
): Promise<BenchReport> {
  const { seconds, settings } = options;
  await using pipeline = await startPipeline({ workers: 1, settings }, context);
  const at = { pipeline, load, seconds };
  await take('warm-up', first, at, context);
  const taken: Step[] = [];
  let knee = Number.NaN;
  for (let n = 0; n < steps; n++) {
    const made = await take(`step ${n + 1}`, first + n * step, at, context);
    taken.push(made);
    if (!isKeptUp(made)) break;
    knee = made.rate;
  }
  const known = Number.isNaN(knee) ? first : knee;
  const calm = Math.ceil(known * CALM_SHARE);
  const before = await take('calm before', calm, at, context);
  const spike = await take('spike', known * SPIKE_FACTOR, at, context);
  const after = await take('calm after', calm, at, context);
  const memory = await readMemory(pipeline);
  const { lost, doubled } = await readStored(pipeline.services.database);
  const all = [...taken, before, spike, after];
  return {
    caseName: '',
    inputs: {
      ...{ ...load, first, step, steps, seconds, workers: 1 },
      ...pipeline.services.settings,
    },
    settings,
    versions: pipeline.services.versions,
    perSecond: knee,
    figures: {
      knee_per_second: knee,
      steps_beyond_knee: taken.filter((made) => !isKeptUp(made)).length,
      spike_accepted_per_second: spike.acceptedPerSecond,
      spike_recovery_ms: spike.scoredAfterMs,
      calm_p99_ms_before: before.p99Ms,
      calm_p99_ms_after: after.p99Ms,
      ...{ lost, doubled },
    },
    ceilings: [],
    tables: [{ title: 'steps', rows: all.map(toRow) }, memoryTable(memory)],
    breaches: [...storedBreaches({ lost, doubled }), ...memoryBreaches(memory)],
  };
}

function toRow(step: Step) {
  return {
    step: step.name,
    offered_per_second: step.rate,
    accepted_per_second: Math.round(step.acceptedPerSecond),
    http_p50_ms: step.p50Ms.toFixed(1),
    http_p99_ms: step.p99Ms.toFixed(1),
    scored_after_ms: Math.round(step.scoredAfterMs),
    resent: step.resent,
    kept_up: isKeptUp(step) ? 'yes' : 'no',
  };
}

export const bench: Bench = {
  name: 'staircase',
  question: 'Where is the knee, and what does a spike above it do?',
  usage: USAGE,
  run: async function* (args, context) {
    const { values, numbers } = readOptions(
      args,
      {
        first: { or: 2000, max: 1_000_000 },
        step: { or: 2000, max: 1_000_000 },
        steps: { or: 12, max: 100 },
        seconds: { or: 15, max: 3600 },
        batch: { or: 100, max: 1000 },
      },
      LOAD_OPTIONS,
    );
    const { batch, seconds, ...stairs } = numbers;
    const load = { ...readLoad(values, { ...LIVE_LOAD, connections: 32 }), batch };
    yield await measure(load, stairs, { seconds, settings: readSettings(values.set) }, context);
  },
};

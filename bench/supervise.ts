/**
 * Do supervised workers follow a spike, and settle after it? Calm, a spike above what one worker scores, and calm again, each an
 * open loop; the supervisor's minutes pass as many times as fast as `--factor` says. Workers take one small batch at a time, as
 * behind a distant Postgres, so that a worker more is faster on a machine of two processors too.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { countBacklog } from '../src/core/store/open-rows/open-rows.ts';
import type { Bench, BenchContext, BenchReport, Settings } from './support/bench.ts';
import {
  LIVE_LOAD,
  LOAD_OPTIONS,
  LOAD_USAGE,
  type Load,
  readLoad,
  readSettings,
  startLoad,
} from './support/load.ts';
import { readOptions, TEXT } from './support/options.ts';
import { API_KEY, type Pipeline, startPipeline } from './support/pipeline.ts';
import { LAUNCHER } from './support/services.ts';
import { readStored, storedBreaches } from './support/stored.ts';

const USAGE = `--calm N            transactions a second before and after the spike (50)
--spike N           during it (12000)
--seconds N         of the calm before and of the spike (20,40)
--factor N          how many times as fast the supervisor's minutes pass (60)
--range MIN..MAX    workers (1..4)
${LOAD_USAGE}
--transactions and --rate are what the phases make them.`;

/** A worker that is added scores within this time; the calm afterwards must be longer than 30 scaled minutes and all drains. */
const SAMPLE_EVERY_MS = 500;
const BATCH = 200;
/** Scored up to so few that wait: the backlog of the calm load itself. */
const DRAINED_BELOW = 50;
const SETTLED_MS_MAX = 600_000;

type Sample = { readonly second: number; readonly backlog: number; readonly workers: number };
type Change = { readonly second: number; readonly from: number; readonly change: 1 | -1 };

type Supervised = {
  /** Resolves once the first worker reads. */
  readonly ready: Promise<void>;
  readonly workers: () => number;
  readonly changes: readonly Change[];
  readonly crashes: () => number;
  stop(): Promise<string>;
};

/** Starts the supervisor as an operator does, and reads its log. */
function startSupervisor(
  { services }: Pipeline,
  range: string,
  environment: Settings,
  startedMs: number,
): Supervised {
  const child: ChildProcess = spawn('/bin/sh', [LAUNCHER, 'supervise', '--workers', range], {
    env: {
      ...{ PATH: process.env['PATH'], HOME: process.env['HOME'], RISK_BOOTSTRAP_KEY: API_KEY },
      ...{ DATABASE_URL: services.databaseUrl, REDIS_URL: services.redisUrl },
      ...environment,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  const changes: Change[] = [];
  const ready = Promise.withResolvers<void>();
  let [workers, crashes, text] = [Number(range.split('..')[0]), 0, ''];
  child.stderr?.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      const { msg, from } = JSON.parse(line);
      if (msg === 'worker starts') ready.resolve();
      if (msg === 'worker ended by itself: starting it again') crashes += 1;
      if (msg !== 'more' && msg !== 'fewer') continue;
      const change = msg === 'more' ? 1 : -1;
      workers = from + change;
      changes.push({ second: (performance.now() - startedMs) / 1000, from, change });
    }
  });
  const ended = once(child, 'exit');
  return {
    ready: ready.promise,
    workers: () => workers,
    changes,
    crashes: () => crashes,
    async stop() {
      child.kill('SIGTERM');
      const [code, signal] = await ended;
      return String(signal ?? `exit code ${code}`);
    },
  };
}

type Phases = {
  readonly calm: number;
  readonly spike: number;
  readonly calmSeconds: number;
  readonly spikeSeconds: number;
  readonly factor: number;
  readonly range: string;
};

async function measure(
  load: Load,
  phases: Phases,
  settings: Settings,
  context: BenchContext,
): Promise<BenchReport> {
  const { calm, spike, calmSeconds, spikeSeconds, factor, range } = phases;
  await using pipeline = await startPipeline({ workers: 0, settings }, context);
  const { database } = pipeline.services;
  const backlogNow = () =>
    countBacklog(async ({ text }) => (await database.query(text.replaceAll('market.', ''))).rows);
  const startedMs = performance.now();
  const secondsNow = () => (performance.now() - startedMs) / 1000;
  const environment = { ...settings, RISK_TEST_TIME_FACTOR: String(factor), LOG_LEVEL: 'info' };
  const supervisor = startSupervisor(pipeline, range, environment, startedMs);
  await supervisor.ready;
  const samples: Sample[] = [];
  const settled = new AbortController();
  const sampling = (async () => {
    while (!settled.signal.aborted) {
      const backlog = await backlogNow();
      samples.push({ second: secondsNow(), backlog, workers: supervisor.workers() });
      await delay(SAMPLE_EVERY_MS, undefined, { signal: settled.signal }).catch(() => undefined);
    }
  })();
  const offer = async (name: string, rate: number, seconds: number) => {
    context.output.note(`${name}: ${rate} a second for ${seconds} s`);
    const transactions = rate * seconds;
    const own = { ...load, batch: BATCH, rate, transactions, seed: `${load.seed}-${name}` };
    using generator = await startLoad(pipeline, own, context.signal);
    const begun = secondsNow();
    const { accepted } = await generator.go();
    return { begun, ended: secondsNow(), accepted };
  };
  const before = await offer('calm', calm, calmSeconds);
  const high = await offer('spike', spike, spikeSeconds);
  const least = Number(range.split('..')[0]);
  const deadline = performance.now() + SETTLED_MS_MAX;
  let accepted = before.accepted + high.accepted;
  for (let nth = 0; supervisor.workers() > least && performance.now() < deadline; nth++) {
    accepted += (await offer(`calm after, ${nth}`, calm, calmSeconds)).accepted;
  }
  // Another calm shows that the number stays.
  accepted += (await offer('flat', calm, 2 * calmSeconds)).accepted;
  while ((await backlogNow()) > 0 && performance.now() < deadline) await delay(SAMPLE_EVERY_MS);
  settled.abort();
  await sampling;
  const how = await supervisor.stop();
  const stored = await readStored(database);
  const { changes } = supervisor;
  const flaps = changes.filter(({ change }, at) => change > 0 && changes[at - 1]?.change === -1);
  const drained = samples.find(
    ({ second, backlog }) => second > high.ended && backlog < DRAINED_BELOW,
  );
  const drainSeconds = (drained?.second ?? Number.NaN) - high.ended;
  return {
    caseName: `${calm}, ${spike}, ${calm} a second`,
    inputs: {
      ...load,
      ...phases,
      batch: BATCH,
      transactions: accepted,
      ...pipeline.services.settings,
    },
    settings,
    versions: pipeline.services.versions,
    perSecond: spike,
    figures: {
      backlog_peak_transactions: Math.max(...samples.map(({ backlog }) => backlog)),
      drain_seconds: drainSeconds,
      workers_max: Math.max(...samples.map(({ workers }) => workers)),
      first_worker_after_seconds: (changes[0]?.second ?? Number.NaN) - high.begun,
      all_workers_after_seconds:
        (changes.findLast(({ change }) => change > 0)?.second ?? Number.NaN) - high.begun,
      one_worker_after_drain_seconds:
        (changes.at(-1)?.second ?? Number.NaN) - (drained?.second ?? Number.NaN),
      flaps: flaps.length,
      crashes: supervisor.crashes(),
      ...{ lost: stored.lost, doubled: stored.doubled },
    },
    ceilings: [],
    tables: [
      {
        title: 'over time',
        rows: samples.map(({ second, backlog, workers }) => ({
          second: second.toFixed(1),
          offered: second >= high.begun && second < high.ended ? spike : calm,
          backlog,
          workers,
        })),
      },
    ],
    breaches: [
      ...storedBreaches(stored),
      ...(changes.length > 0 ? [] : ['the spike brought no worker']),
      ...(flaps.length > 0 ? [`${flaps.length} workers came back under a load that stayed`] : []),
      ...(supervisor.workers() > least ? ['workers stayed after the spike'] : []),
      ...(how === 'exit code 0' ? [] : [`the supervisor ended by ${how}`]),
    ],
  };
}

export const bench: Bench = {
  name: 'supervise',
  question: 'Do supervised workers follow a spike, and settle after it?',
  onlyByName: 'takes three minutes of calm after the spike',
  usage: USAGE,
  run: async function* (args, context) {
    const { values, numbers } = readOptions(
      args,
      {
        calm: { or: 50, max: 100_000 },
        spike: { or: 12_000, max: 100_000 },
        seconds: { or: [20, 40], max: 3600 },
        factor: { or: 60, max: 1000 },
      },
      { ...LOAD_OPTIONS, range: { ...TEXT, default: '1..4' } },
    );
    const { seconds, ...phases } = numbers;
    const [calmSeconds = 0, spikeSeconds = 0] = seconds;
    const load = readLoad(values, { ...LIVE_LOAD, connections: 8 });
    const asked = { ...phases, calmSeconds, spikeSeconds, range: values.range };
    yield await measure(load, asked, readSettings(values.set), context);
  },
};

/**
 * Does anything grow over time? A steady load for half an hour or more; every minute the memory of each process
 * and the latency of that minute, and their slopes once the time in which caches fill has passed. `--with-faults` breaks something
 * at a rhythm, and judges what is lost, doubled, slow or larger afterwards.
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
import {
  MEBIBYTE,
  memoryBreaches,
  memoryTable,
  readMemory,
  redisBytes,
  runLoad,
} from './support/load-run.ts';
import { readMetrics } from './support/metrics.ts';
import { readOptions } from './support/options.ts';
import { percentiles } from './support/percentiles.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';
import { rssBytes } from './support/process-usage.ts';
import { slopeOf } from './support/slope.ts';
import { soakWithFaults } from './support/soak-with-faults.ts';
import { readStored, storedBreaches } from './support/stored.ts';

const USAGE = `--minutes N        (30)
--seconds N        of each sample (60)
--batch N          transactions a request (100)
--with-faults      in turn a worker is killed, Redis killed and emptied, the API killed, Postgres restarted
--fault-every N    seconds between two faults (600)
${LOAD_USAGE}
2,000 transactions a second over 16 connections by default; --transactions is what the time makes it.`;

/** Caches fill for this long, or for a third of a run that is shorter. */
const FILLING_MS = 15 * 60_000;
const FILLING_SHARE_MAX = 1 / 3;
const HOUR_MS = 3_600_000;
/** Garbage that waits for the collector moves an API by 10 MiB within seconds, so one look a minute would tell little. */
const LOOK_MS = 1000;

type Sample = Readonly<Record<string, number>> & { readonly at_ms: number };

async function sample(
  pipeline: Pipeline,
  load: Load,
  startedMs: number,
  context: BenchContext,
): Promise<Sample> {
  const beganMs = Date.now();
  const processes = [pipeline.api, ...pipeline.workers];
  const looks = processes.map(({ name, pid }) => ({ name, pid, mebibytes: [] as number[] }));
  const look = setInterval(() => {
    for (const { pid, mebibytes } of looks) mebibytes.push(rssBytes(pid) / MEBIBYTE);
  }, LOOK_MS);
  const { posted } = await runLoad(pipeline, load, context).finally(() => clearInterval(look));
  const api = await readMetrics(pipeline.api, context.signal, pipeline.apiKey);
  const filters = api.sum('risk_idempotency_filter_bytes');
  const workers = await Promise.all(
    pipeline.workers.map((worker) => readMetrics(worker, context.signal)),
  );
  const copies = workers.reduce((sum, one) => sum + one.sum('risk_profile_copies_bytes'), 0);
  const resident = looks.map(({ name, mebibytes }) => [name, percentiles(mebibytes).p50] as const);
  return {
    at_ms: beganMs - startedMs,
    ...Object.fromEntries(resident.map(([name, p50]) => [`${name}_p50_mebibytes`, p50])),
    api_key_filters_mebibytes: filters / MEBIBYTE,
    profile_copies_mebibytes: copies / MEBIBYTE,
    redis_mebibytes: (await redisBytes(pipeline, 'used_memory')) / MEBIBYTE,
    http_p50_ms: posted.latencyMs.p50,
    http_p99_ms: posted.latencyMs.p99,
    resent: posted.resent,
  };
}

/** Slope of each series per hour, without the time in which caches fill. */
function slopes(samples: readonly Sample[]): Record<string, number> {
  const fillingMs = Math.min(FILLING_MS, (samples.at(-1)?.at_ms ?? 0) * FILLING_SHARE_MAX);
  const settled = samples.filter(({ at_ms }) => at_ms >= fillingMs);
  const names = Object.keys(samples[0] ?? {}).filter((name) => name !== 'at_ms');
  return Object.fromEntries(
    names.map((name) => [
      `${name}_per_hour`,
      slopeOf(settled.map((one) => ({ x: one.at_ms / HOUR_MS, y: one[name] ?? Number.NaN }))),
    ]),
  );
}

async function measure(
  load: Load,
  rounds: number,
  settings: Settings,
  context: BenchContext,
): Promise<BenchReport> {
  const { output } = context;
  await using pipeline = await startPipeline({ workers: 1, settings }, context);
  const startedMs = Date.now();
  const samples: Sample[] = [];
  for (let round = 0; round < rounds; round++) {
    output.note(`sample ${round + 1} of ${rounds}`);
    const one = { ...load, seed: `${load.seed}-${round}` };
    samples.push(await sample(pipeline, one, startedMs, context));
  }
  const memory = await readMemory(pipeline);
  const { lost, doubled, scores } = await readStored(pipeline.services.database);
  const minutes = (Date.now() - startedMs) / 60_000;
  return {
    caseName: `${minutes.toFixed(0)} minutes at ${load.rate} a second`,
    inputs: { ...load, rounds, workers: 1, ...pipeline.services.settings },
    settings,
    versions: pipeline.services.versions,
    perSecond: scores / (minutes * 60),
    figures: { minutes, scored: scores, lost, doubled, ...slopes(samples) },
    ceilings: [],
    tables: [{ title: 'samples', rows: samples.map(toRow) }, memoryTable(memory)],
    breaches: [...storedBreaches({ lost, doubled }), ...memoryBreaches(memory)],
  };
}

function toRow({ at_ms, ...values }: Sample) {
  const shown = Object.entries(values).map(([name, value]) => [name, value.toFixed(1)] as const);
  return { minutes: (at_ms / 60_000).toFixed(1), ...Object.fromEntries(shown) };
}

export const bench: Bench = {
  name: 'soak',
  question: 'Does anything grow over time?',
  onlyByName: 'it takes half an hour',
  usage: USAGE,
  run: async function* (args, context) {
    const { values, numbers } = readOptions(
      args,
      {
        minutes: { or: 30, max: 10_000 },
        seconds: { or: 60, max: 3600 },
        batch: { or: 100, max: 1000 },
        'fault-every': { or: 600, min: 20, max: 86_400 },
      },
      { ...LOAD_OPTIONS, 'with-faults': { type: 'boolean', default: false } },
    );
    const { minutes, seconds, batch, 'fault-every': everySeconds } = numbers;
    const asked = readLoad(values, { ...LIVE_LOAD, rate: 2000, connections: 16 });
    const load = { ...asked, batch, transactions: asked.rate * seconds };
    const rounds = Math.ceil((minutes * 60) / seconds);
    yield values['with-faults']
      ? await soakWithFaults({ load, rounds, everySeconds }, context)
      : await measure(load, rounds, readSettings(values.set), context);
  },
};

/**
 * Five times as much as the engine can take, by clients that do not wait for each other: what it accepts stays
 * near its peak, and the rest is refused at once with `Retry-After`. The clients are a process of their own,
 * with prepared requests.
 */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { percentiles } from '../../../bench/support/percentiles.ts';
import { peakRssBytes, treeCpuSeconds } from '../../../bench/support/process-usage.ts';
import { type Flood, startFlood } from '../support/flood.ts';
import type { Phase } from '../support/flood-client.ts';
import type { Scenario, Stage } from '../support/scenario.ts';

const BATCH = 100;
const TIMES = 5;
const PEAK_CONNECTIONS = 16;
const PEAK_MS = 6000;
const OVERLOAD_MS = 15_000;
/** Requests that become due while this many wait for answers are not sent. */
const CONNECTIONS_MAX = 256;
/** More than the engine takes during all of it. */
const READY_BATCHES = 7000;
const GOODPUT_SHARE_MIN = 0.8;
const REFUSAL_P99_MS_MAX = 50;
const NORMAL_SECONDS_MAX = 10;
const NORMAL_ANSWER_MS = 1000;
const NORMAL_PHASE_MS = 500;
const RSS_BYTES_MAX = 256 * 1024 * 1024;

const perSecond = ({ acknowledged, seconds }: Phase) => acknowledged / seconds;

/** Seconds until answers are as before: a while without a refusal or a slow answer. */
async function untilNormal(flood: Flood): Promise<number> {
  const started = performance.now();
  for (;;) {
    const seconds = (performance.now() - started) / 1000;
    const { answersMs, refusals } = await flood.drive(1, NORMAL_PHASE_MS);
    const isSlow = answersMs.some((ms) => ms > NORMAL_ANSWER_MS);
    if (refusals.length === 0 && answersMs.length > 0 && !isSlow) return seconds;
    if (seconds > NORMAL_SECONDS_MAX * 2) return Number.POSITIVE_INFINITY;
  }
}

function judgeFlood({ bar, remark }: Stage, peak: Phase, seen: Phase): void {
  const { refusals, heldBack, clientDelayMs, answersMs } = seen;
  remark(
    `peak ${Math.round(perSecond(peak))} tx/s, offered ${Math.round(seen.offered / seen.seconds)} tx/s, taken ${Math.round(perSecond(seen))} tx/s; ${heldBack} requests held back by the client at ${CONNECTIONS_MAX} connections`,
  );
  remark(`answers p50 ${tell(answersMs, 'p50')} ms, p99 ${tell(answersMs, 'p99')} ms`);
  const share = Math.round((perSecond(seen) / perSecond(peak)) * 100) / 100;
  bar('goodput under overload, share of the peak', share, { atLeast: GOODPUT_SHARE_MIN });
  bar('requests refused', refusals.length, { atLeast: 1 });
  if (refusals.length === 0) return;
  for (const [detail, own] of Map.groupBy(refusals, (one) => `${one.status} ${one.detail}`)) {
    const ms = own.map((one) => one.ms);
    remark(
      `${own.length} times ${detail} p50 ${tell(ms, 'p50')} ms, p99 ${tell(ms, 'p99')} ms, max ${tell(ms, 'max')} ms`,
    );
  }
  remark(`event loop of the client itself, p99 ${Math.round(clientDelayMs)} ms`);
  const { p99 } = percentiles(refusals.map(({ ms }) => ms));
  bar('refusals at the client, p99 ms', Math.round(p99), { atMost: REFUSAL_P99_MS_MAX });
  const mute = refusals.filter(({ hasRetryAfter }) => !hasRetryAfter);
  bar('refusals without Retry-After', mute.length, { exactly: 0 });
}

function tell(ms: readonly number[], which: 'p50' | 'p99' | 'max'): number {
  return ms.length === 0 ? 0 : Math.round(percentiles(ms)[which]);
}

const NS_PER_SECOND = 1e9;

/** Seconds for which the main thread of a process was ready to run and waited for a processor. */
function waitedSeconds(pid: number): number {
  const [, waitedNs = '0'] = readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ');
  return Number(waitedNs) / NS_PER_SECOND;
}

/**
 * Processor seconds a second of everybody who takes part, while `work` runs, and how long the API waited
 * for a processor: what it is late by is not its own doing then.
 */
async function withCpu<T>({ engine, services }: Stage, flood: Flood, work: () => Promise<T>) {
  const pids = new Map([
    ...engine.running().map(({ name, pid }) => [name, pid] as const),
    ['postgres', services.postgres.pid()],
    ['redis', services.redis.pid()],
    ['clients', flood.pid],
  ]);
  const api = pids.get('api-1') ?? 0;
  const read = () => [...pids.values()].map(treeCpuSeconds);
  const waitedBefore = waitedSeconds(api);
  const [before, startedMs] = [read(), performance.now()];
  const result = await work();
  const after = read();
  const seconds = (performance.now() - startedMs) / 1000;
  const waited = (waitedSeconds(api) - waitedBefore) / seconds;
  const cores = [...pids.keys()].map(
    (name, at) => `${name} ${(((after[at] ?? 0) - (before[at] ?? 0)) / seconds).toFixed(2)}`,
  );
  return { result, cores: `${cores.join(', ')}; api-1 waited for one ${waited.toFixed(2)}` };
}

export const overload: Scenario = {
  name: 'overload',
  what: `${TIMES} times the measured peak is offered, on at most ${CONNECTIONS_MAX} connections`,
  setup: { ownTraffic: true, recoverSecondsMax: 120 },
  plan: () => ({
    schedule: [`${PEAK_MS} ms at the peak`, `${OVERLOAD_MS} ms at ${TIMES} times the peak`],
    faults: ['requests offered beyond the peak'],
    run: async (stage) => {
      const { happened, bar, engine, load, ledger, signal, remark } = stage;
      const seed = `${stage.seed}/overload`;
      const ledgerFile = join(tmpdir(), `risk-flood-${process.pid}.ndjson`);
      const [url = ''] = engine.apiUrls;
      const { apiKey } = engine;
      const made = { seed, batch: BATCH, batches: READY_BATCHES, connectionsMax: CONNECTIONS_MAX };
      using flood = await startFlood({ url, apiKey, ledgerFile, ...made }, signal);
      if (!flood.isRaised) remark('the clients share the processors with the engine as equals');
      const peak = await flood.drive(PEAK_CONNECTIONS, PEAK_MS);
      const { result: seen, cores } = await withCpu(stage, flood, () =>
        flood.offer(perSecond(peak) * TIMES, OVERLOAD_MS),
      );
      const beyond = (seen.offered - perSecond(peak) * seen.seconds) / BATCH;
      happened('requests offered beyond the peak', Math.max(0, Math.round(beyond)));
      const normalSeconds = await untilNormal(flood);
      const batch = await flood.finish(ledger);
      // More is scored than the event budget, a tenth of Redis' memory, holds: the oldest events are dropped.
      ledger.note({ kind: 'crowded' });
      judgeFlood(stage, peak, seen);
      remark(`cores in use: ${cores}`);
      bar('seconds until answers are normal again', Math.round(normalSeconds * 10) / 10, {
        atMost: NORMAL_SECONDS_MAX,
      });
      for (const { name, pid } of engine.running()) {
        const megabytes = Math.round(peakRssBytes(pid) / 1024 / 1024);
        bar(`peak memory of ${name}, MiB`, megabytes, { atMost: RSS_BYTES_MAX / 1024 / 1024 });
      }
      // Transactions that are repeated at rest come from the load.
      await load.send(batch);
    },
  }),
};

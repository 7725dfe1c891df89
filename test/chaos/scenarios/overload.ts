/**
 * Five times as much as the engine can take, by clients that do not wait for each other: what it does take
 * stays near its peak, and the rest is refused at once and told when to come again. Requests are made
 * beforehand, so that the client costs as little as it can.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { percentiles } from '../../../bench/support/percentiles.ts';
import { peakRssBytes } from '../../../bench/support/process-usage.ts';
import { type Answer, type Batch, makeBatches, post, type Refusal } from '../support/load.ts';
import type { Scenario, Stage } from '../support/scenario.ts';

const BATCH = 100;
const TIMES = 5;
const PEAK_CONNECTIONS = 16;
const PEAK_MS = 6000;
const OVERLOAD_MS = 15_000;
/** What is due while so many wait for their answers is not sent. */
const CONNECTIONS_MAX = 256;
const TICK_MS = 10;
const GOODPUT_SHARE_MIN = 0.8;
const REFUSAL_P99_MS_MAX = 50;
const NORMAL_SECONDS_MAX = 10;
const NORMAL_ANSWER_MS = 1000;
const NORMAL_IN_A_ROW = 5;
const RSS_BYTES_MAX = 256 * 1024 * 1024;

type Traffic = {
  readonly stage: Stage;
  readonly batches: Generator<Batch, undefined>;
  /** Made before the clock starts, and those that were not taken: they are offered again later. */
  readonly ready: Batch[];
  readonly sent: Set<Batch>;
  readonly refusals: Refusal[];
};

/** More than the engine takes during all of it. */
const READY_BATCHES = 2500;

function prepare(stage: Stage): Traffic {
  const batches = makeBatches({ seed: `${stage.seed}/overload`, batch: BATCH });
  const ready = Array.from({ length: READY_BATCHES }, () => batches.next().value ?? []).flat();
  return { stage, batches, ready, sent: new Set(), refusals: [] };
}

function nextBatch({ batches, ready }: Traffic): Batch {
  const batch = ready.shift() ?? batches.next().value;
  if (batch === undefined) throw new Error('traffic has no end');
  return batch;
}

/** Posts one batch and writes down what became of it. */
async function postOnce(traffic: Traffic): Promise<Answer['kind']> {
  const { engine, ledger } = traffic.stage;
  const batch = nextBatch(traffic);
  const { keys, body } = batch;
  if (!traffic.sent.has(batch)) ledger.note({ kind: 'sent', keys });
  traffic.sent.add(batch);
  const answer = await post(`${engine.apiUrls[0]}/v1/transactions/batch`, engine.apiKey, body);
  if (answer.kind === 'ids') {
    const answers = answer.ids.map((id, at) => ({ key: keys[at] ?? '', transactionId: id }));
    ledger.note({ kind: 'acknowledged', answers });
    return answer.kind;
  }
  traffic.ready.push(batch);
  if (answer.kind !== 'refused') ledger.note(answer);
  else {
    ledger.note({ kind: 'refused', status: answer.status });
    traffic.refusals.push(answer);
  }
  return answer.kind;
}

/** What was offered and never taken. */
function giveUp({ stage, ready, sent }: Traffic): void {
  for (const batch of ready) {
    if (sent.has(batch)) stage.ledger.note({ kind: 'left', as: 'refused', keys: batch.keys });
  }
}

/** As fast as it is answered; returns transactions a second. */
async function measurePeak(traffic: Traffic): Promise<number> {
  const { ledger } = traffic.stage;
  const before = ledger.counts.acknowledged;
  const endMs = performance.now() + PEAK_MS;
  const drive = async () => {
    while (performance.now() < endMs) await postOnce(traffic);
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: PEAK_CONNECTIONS }, drive));
  return ((ledger.counts.acknowledged - before) * 1000) / (performance.now() - started);
}

type Flood = {
  readonly goodput: number;
  readonly offered: number;
  readonly heldBack: number;
  /** Of the client itself, so that its own slowness is not held against the engine unseen. */
  readonly clientDelayMs: number;
};

/** At a rate, whether it is answered or not. */
async function flood(traffic: Traffic, rate: number): Promise<Flood> {
  const { ledger, pause } = traffic.stage;
  const before = ledger.counts.acknowledged;
  const started = performance.now();
  const open = new Set<Promise<unknown>>();
  const delays = monitorEventLoopDelay();
  delays.enable();
  let due = 0;
  let heldBack = 0;
  for (;;) {
    const elapsedMs = performance.now() - started;
    if (elapsedMs >= OVERLOAD_MS) break;
    for (; due < (elapsedMs * rate) / BATCH / 1000; due++) {
      if (open.size >= CONNECTIONS_MAX) {
        heldBack++;
        continue;
      }
      const request = postOnce(traffic).finally(() => open.delete(request));
      open.add(request);
    }
    await pause(TICK_MS);
  }
  const seconds = (performance.now() - started) / 1000;
  const goodput = (ledger.counts.acknowledged - before) / seconds;
  await Promise.all(open);
  delays.disable();
  const clientDelayMs = Math.round(delays.percentile(99) / 1e6);
  return { goodput, offered: (due * BATCH) / seconds, heldBack, clientDelayMs };
}

/** Seconds until several answers in a row come as they used to. */
async function untilNormal(traffic: Traffic): Promise<number> {
  const started = performance.now();
  let inARow = 0;
  await traffic.stage.until('answers are normal again', async () => {
    const sentMs = performance.now();
    const kind = await postOnce(traffic);
    const isNormal = kind === 'ids' && performance.now() - sentMs < NORMAL_ANSWER_MS;
    inARow = isNormal ? inARow + 1 : 0;
    return inARow === NORMAL_IN_A_ROW;
  });
  return (performance.now() - started) / 1000;
}

function judgeFlood({ bar, remark }: Stage, peak: number, seen: Flood, refusals: Refusal[]): void {
  const { goodput, offered, heldBack, clientDelayMs } = seen;
  remark(
    `peak ${Math.round(peak)} tx/s, offered ${Math.round(offered)} tx/s, taken ${Math.round(goodput)} tx/s; ${heldBack} requests held back by the client at ${CONNECTIONS_MAX} connections`,
  );
  bar('goodput under overload, share of the peak', Math.round((goodput / peak) * 100) / 100, {
    atLeast: GOODPUT_SHARE_MIN,
  });
  bar('requests refused', refusals.length, { atLeast: 1 });
  if (refusals.length === 0) return;
  const { p50, p99 } = percentiles(refusals.map(({ ms }) => ms));
  remark(
    `refusals p50 ${Math.round(p50)} ms; event loop of the client itself, p99 ${clientDelayMs} ms`,
  );
  bar('refusals at the client, p99 ms', Math.round(p99), { atMost: REFUSAL_P99_MS_MAX });
  const mute = refusals.filter(({ hasRetryAfter }) => !hasRetryAfter);
  bar('refusals without Retry-After', mute.length, { exactly: 0 });
}

export const overload: Scenario = {
  name: 'overload',
  what: `${TIMES} times the measured peak is offered, on at most ${CONNECTIONS_MAX} connections`,
  setup: { ownTraffic: true, recoverSecondsMax: 120 },
  plan: () => ({
    schedule: [`${PEAK_MS} ms at the peak`, `${OVERLOAD_MS} ms at ${TIMES} times the peak`],
    faults: ['requests offered beyond the peak'],
    run: async (stage) => {
      const { happened, bar, engine, load } = stage;
      const traffic = prepare(stage);
      const peak = await measurePeak(traffic);
      traffic.refusals.length = 0;
      const seen = await flood(traffic, peak * TIMES);
      happened('requests offered beyond the peak', Math.round((seen.offered - peak) / BATCH));
      const normalSeconds = await untilNormal(traffic);
      judgeFlood(stage, peak, seen, traffic.refusals);
      bar('seconds until answers are normal again', Math.round(normalSeconds * 10) / 10, {
        atMost: NORMAL_SECONDS_MAX,
      });
      for (const { name, pid } of engine.running()) {
        const megabytes = Math.round(peakRssBytes(pid) / 1024 / 1024);
        bar(`peak memory of ${name}, MiB`, megabytes, { atMost: RSS_BYTES_MAX / 1024 / 1024 });
      }
      // What is replayed at rest comes from the load.
      await load.send(nextBatch(traffic));
      giveUp(traffic);
    },
  }),
};

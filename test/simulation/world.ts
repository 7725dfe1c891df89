/**
 * The world of one run: virtual time, the stand-ins for Postgres and Redis, the faults that wait for
 * their call, and the processes in between. Everything follows from the schedule.
 */
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { type StreamKeys, streamKeys } from '../../src/core/stream/keys.ts';
import { createClock } from './clock.ts';
import {
  createJournal,
  type Journal,
  observeScores,
  observeStreams,
  type Witness,
} from './journal.ts';
import { createMemoryPostgres, type MemoryPostgres } from './memory-postgres.ts';
import { createMemoryProfiles } from './memory-profiles.ts';
import { createMemoryStreams, type MemoryStreams } from './memory-streams.ts';
import { createProcess, type Process } from './process.ts';
import { type Fault, OPERATIONS, type Operation, type Schedule, type Service } from './schedule.ts';

/** Mechanisms that keep the promises; a test removes them one at a time. */
export type Mechanism =
  | 'acknowledge-after-commit'
  | 'conflict-clause'
  | 'owner-check'
  | 'others-items'
  | 'stamp'
  | 'install-stamp'
  | 'horizon'
  | 'memory-of-ids'
  | 'retry-counter'
  | 'delivery-count'
  | 'doubt'
  | 'told-owner'
  | 'divide'
  | 'carried-deliveries'
  | 'claim'
  | 'reconciler'
  | 'look'
  | 'heads'
  | 'adoption'
  | 'taking-out'
  | 'row-in-head'
  | 'dead-letter-row'
  | 'closed-letters'
  | 'profile-history'
  | 'invalidation'
  | 'snapshot-rows'
  | 'snapshot-mark'
  | 'label-void'
  | 'late-rows'
  | 'dropped-logs'
  | 'label-batch';

export const MARKET = 'm';
export const START_MS = Date.UTC(2026, 10, 1);
const LATENCY_MS_MAX = 5;
/** By how much the clock of Redis is ahead of that of Postgres. */
const REDIS_SKEWS_MS = [0, 300_000, -300_000];

export const STREAMS: readonly StreamKeys[] = ['US-EG', 'US-MX'].map((corridor) =>
  streamKeys(MARKET, corridor, 0),
);

/** The leader of a duty, until when, and how often that has changed. */
export type Leader = { owner: Process | undefined; epoch: number; untilMs: number };

export type World = ReturnType<typeof createWorld>;

export function createWorld(schedule: Schedule, missing: Mechanism | undefined) {
  const clock = createClock(START_MS);
  const random = createRandom(schedule.seed);
  const journal = createJournal();
  /** All transactions of the run, in the order of the schedule. */
  const transactions = toTransactions(schedule);
  const natures = new Map(
    transactions.map((one, index) => [one.transactionId, schedule.submissions[index]?.nature]),
  );
  const natureOf = (id: string) => natures.get(id);
  const postgres = createMemoryPostgres({
    rowsBefore: schedule.rowsBefore,
    rowsAfter: schedule.rowsAfter,
    isUnstorable: (id) => natureOf(id) === 'unstorable',
    onScored: (score) =>
      observeScores(journal, postgres.transactions, postgres.labels.length)(score),
    guards: {
      conflictClause: missing !== 'conflict-clause',
      takingOut: missing !== 'taking-out',
      rowsSince: missing !== 'snapshot-rows',
      labelVoids: missing !== 'label-void',
      lateRows: missing !== 'late-rows',
    },
    nowMs: clock.nowMs,
    onLeftOpen: (id) => journal.breaches.push(`open though final: ${id}`),
  });
  const witness: Witness = {
    isScored: (id) => postgres.scores.has(id),
    isKept: (id) => isKept(id, postgres),
    scoredIds: () => postgres.scores.keys(),
    toldLabels: () => postgres.labels.filter(({ isTold }) => isTold).length,
  };
  const guards = { ownerCheck: missing !== 'owner-check' };
  const streams: MemoryStreams = createMemoryStreams(
    clock.nowMs,
    observeStreams(journal, witness),
    guards,
    REDIS_SKEWS_MS[schedule.seed % REDIS_SKEWS_MS.length] ?? 0,
  );
  const downUntilMs = { postgres: 0, redis: 0 };
  const isDown = (service: Service) => clock.nowMs() < downUntilMs[service];
  const takeFault = createFaults(schedule, journal);
  let owed = 0;
  const owe = (change: 1 | -1) => {
    owed += change;
  };
  const leaders: Readonly<Record<'reconcile' | 'dead-letters', Leader>> = {
    reconcile: { owner: undefined, epoch: 0, untilMs: 0 },
    'dead-letters': { owner: undefined, epoch: 0, untilMs: 0 },
  };
  return {
    ...{ schedule, missing, clock, random, postgres, streams, journal, transactions, natureOf },
    profiles: createMemoryProfiles({
      stamp: missing !== 'stamp',
      installStamp: missing !== 'install-stamp',
    }),
    startProcess: (name: string, onCrash: () => void) =>
      createProcess({
        ...{ name, clock, takeFault, onCrash, owe },
        latencyMs: () => random() * LATENCY_MS_MAX,
        isDown: (operation) => isDown(serviceOf(operation)),
      }),
    isDown,
    bringDown(service: Service, forMs: number) {
      downUntilMs[service] = Math.max(downUntilMs[service], clock.nowMs() + forMs);
    },
    /** Effects that are still on their way, and requests that are not yet done. */
    owed: () => owed,
    owe,
    leaders,
  };
}

/** Garbage is kept by being refused: only its dead letter counts, which is checked at rest. */
function isKept(
  id: string,
  { transactions, scores, deadLetters, openRows }: MemoryPostgres,
): boolean {
  if (!transactions.has(id) || scores.has(id)) return true;
  return deadLetters.some((row) => row.transactionId === id) || openRows.rowOf(id) !== null;
}

function serviceOf(operation: Operation): Service {
  return (OPERATIONS.redis as readonly string[]).includes(operation) ? 'redis' : 'postgres';
}

/** Mulberry32: small, fast, and the same everywhere. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function createFaults({ faults }: Schedule, journal: Journal) {
  const planned = new Map<string, Fault>();
  for (const fault of faults) planned.set(`${fault.operation} ${fault.nth}`, fault);
  const calls = new Map<Operation, number>();
  return (operation: Operation): Fault | undefined => {
    const nth = (calls.get(operation) ?? 0) + 1;
    calls.set(operation, nth);
    const fault = planned.get(`${operation} ${nth}`);
    if (fault !== undefined) {
      journal.disturbances += 1;
      journal.trace.push(`${operation} ${nth}: ${fault.kind}`);
    }
    return fault;
  };
}

function toTransactions({ submissions }: Schedule): Transaction[] {
  return submissions.map(({ atMs, createdMin, account, merchant, corridor, minor }, index) => {
    const createdAtMs = START_MS + createdMin * 60_000;
    const time = createdAtMs.toString(16).padStart(12, '0');
    const last = (index + 1).toString(16).padStart(12, '0');
    return {
      transactionId: `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${last}`,
      createdAtMs,
      receivedAtMs: START_MS + atMs,
      accountId: `acc_${account}`,
      merchantId: `m_${merchant}`,
      amount: `${Math.floor(minor / 100)}.${String(minor % 100).padStart(2, '0')}`,
      currency: 'USD',
      corridor,
      // Each account has two devices, and shares one network; some payments have neither.
      deviceId: minor % 5 === 0 ? null : `device_${(account + merchant) % 2}`,
      ip: minor % 3 === 0 ? null : `203.0.113.${account}`,
      ...{ type: null, country: null, channel: null, declared: null },
    };
  });
}

/**
 * A worker of the simulation: the real runWorker with the real batch, fold, retry policy, claims, readers and reconciler. The
 * two ports lead to the stand-ins (ports.ts).
 */
import type { Market } from '../../src/core/market.ts';
import { RULES_ALONE } from '../../src/core/score/judge.ts';
import { NO_LISTS, rateOfRows } from '../../src/core/score/rules/rule-inputs.ts';
import { currentRuleSet } from '../../src/core/score/rules/rule-sets.ts';
import type { ScoreStore } from '../../src/core/store/scores/scores.ts';
import { ENTRY_READER } from '../../src/core/stream/entries/entry.ts';
import { watchMemory } from '../../src/core/stream/memory/memory.ts';
import { shareOfSettings } from '../../src/core/work/lanes.ts';
import { runWorker } from '../../src/core/work/run-worker.ts';
import type { Guards } from '../../src/kit/breakers/guards.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import type { Duty } from '../../src/kit/duties/run-duties.ts';
import { createLog } from '../../src/kit/metrics/log.ts';
import { createMetrics } from '../../src/kit/metrics/metrics.ts';
import type { RedisClient } from '../../src/kit/redis/connection.ts';
import { testConfig } from '../support/config.ts';
import { createLabelDuty } from './label-duty.ts';
import { createLettersDuty } from './letters-duty.ts';
import { meetNature } from './natures.ts';
import type { StorePort, StreamPort } from './ports.ts';
import type { Process } from './process.ts';
import { createReconcileDuty } from './reconcile-duty.ts';
import { CLAIM_IDLE_MS } from './schedule.ts';
import { connect, forgetting } from './stream-calls.ts';
import { createProfiles } from './worker-profiles.ts';
import { MARKET, STREAMS, type World } from './world.ts';

const CONFIG = {
  ...testConfig(),
  ...{ RISK_READ_BLOCK_MS: 900, RISK_RETRY_BASE_MS: 300, RISK_WORKER_READERS: 2 },
  RISK_CLAIM_IDLE_MS: CLAIM_IDLE_MS,
};
const NO_CONNECTIONS = { total: 0, idle: 0, waiting: 0 };

const metrics = createMetrics();
const log = createLog('worker', 'silent');

export type SimulatedWorker = ReturnType<typeof startWorker>;

export function startWorker(world: World, name: string, onCrash: () => void) {
  const process = world.startProcess(name, onCrash);
  const controller = new AbortController();
  let ended = false;
  const { schedule, clock, random, journal } = world;
  const { nowMs } = clock;
  const market = createMarket(world, process);
  const profiles = createProfiles(world, process, market, metrics);
  const scores = market.database as unknown as ScoreStore;
  const running = process.run(() =>
    runWorker(
      {
        ...{ name, market, metrics, log, random, nowMs, elapsedMs: nowMs },
        config: { ...CONFIG, RISK_BATCH_ENTRIES: schedule.batchTransactions },
        traces: null,
        reader: connect(world, process),
        entries: ENTRY_READER,
        profiles,
        judge: RULES_ALONE,
        scores,
        express: { reader: connect(world, process), profiles, scores },
        beforeScore: ({ transactionId }) => meetNature(world, process, transactionId),
        ...{ failpoint: () => undefined, onSignOfLife: () => undefined },
        isStopped: () => false,
        shareOf: shareOfSettings(() => new Map()),
        isFrozen: () => false,
        inputSources: { lists: NO_LISTS.answers, rates: async () => rateOfRows([]) },
        tablesOf: async (times) => times.map(() => null),
        ruleSets: async () => ({ decides: () => currentRuleSet, shadows: () => [] }),
        countFlips: () => undefined,
        rolloutCounts: {
          note: () => undefined,
          begin: () => undefined,
          ofCorridor: () => undefined,
        },
      },
      createDuties(world, process),
      controller.signal,
    ),
  );
  running.then(
    () => {
      ended = true;
    },
    (error: unknown) => {
      journal.breaches.push(`${name} ended by ${String(error)}`);
      ended = true;
    },
  );
  return {
    process,
    /** Asks it to stop, as SIGTERM does. */
    stop: () => process.run(() => controller.abort()),
    /** True once it has drained. */
    hasEnded: () => ended,
  };
}

/** Only a whole store fails here, so there is nothing that a breaker would keep apart. */
const OPEN = { run: <T>(call: () => Promise<T>) => call() };
const GUARDS = {
  ...{ redis: OPEN, streamsOf: () => OPEN, reportModels: () => undefined },
  health: { level: () => 0 },
} as unknown as Guards;

function createMarket(world: World, process: Process): Market {
  const database = { ...createStore(world, process), usage: () => NO_CONNECTIONS };
  return {
    ...{ name: MARKET, guards: GUARDS, memory: watchMemory(1) },
    shardsOf: () => 1,
    logOf: () => 'streams',
    everKafka: () => false,
    comparedOf: () => null,
    refusalOf: () => undefined,
    database: database as unknown as Database,
    redis: createStream(world, process) as unknown as RedisClient,
  };
}

function createStream(world: World, process: Process): StreamPort {
  const { streams, missing } = world;
  return {
    ensureGroups: (names) =>
      Promise.all(
        names.map((name) =>
          process
            .ask('ensureGroups', () => streams.ensureGroup(name))
            .then(
              () => null,
              (failure) => failure,
            ),
        ),
      ),
    findStale: async (all) => [...all],
    claimStale: (_version, options) =>
      process.ask('claim', () =>
        missing === 'claim'
          ? { cursor: '-', entries: [], suspects: [] }
          : uncounted(streams.claim(options)),
      ),
    heartbeat: (stream, consumer, ids) =>
      process.ask('heartbeat', () => streams.heartbeat(stream, consumer, ids)),
    // Consumers are no more than names here: there is nothing to remove.
    removeConsumer: () => process.ask('removeConsumer', () => undefined),
    removeDeadConsumers: () => process.ask('removeDeadConsumers', () => undefined),
    async settle(settlements) {
      const calls = settlements.map(
        (settlement) => () => streams.settle(forgetting(world, settlement)),
      );
      return { failures: await process.askAll('settle', calls), unpublished: 0 };
    },
    prove: async () => undefined,
    async promoteRetries(all) {
      const calls = all.map(
        ({ transactions }) =>
          () =>
            streams.promote(transactions),
      );
      return (await process.askAll('promote', calls)).reduce((sum, moved) => sum + moved, 0);
    },
    measureStreams: async () => [],
  };

  function uncounted(claimed: ReturnType<typeof streams.claim>) {
    const all = [...claimed.entries, ...claimed.suspects];
    if (missing === 'divide') return { ...claimed, entries: all, suspects: [] };
    if (missing !== 'delivery-count') return claimed;
    const entries = all.map((entry) => ({ ...entry, deliveries: 1 }));
    return { ...claimed, entries, suspects: [] };
  }
}

const NOTHING: ReadonlySet<string> = new Set();

function createStore({ postgres, missing }: World, process: Process): StorePort {
  const port: StorePort = {
    storeScores: (scores, scoredAtMs, final) =>
      process.ask('insertScores', () => ({
        ids: postgres.insertScores(scores, scoredAtMs, final),
        stopped: NOTHING,
      })),
    readStoredScores: (asked) =>
      process.ask('readStoredScores', () =>
        postgres.readStoredScores(asked.map(({ transactionId }) => transactionId)),
      ),
    insertDeadLetters: (letters) =>
      process.ask('insertDeadLetters', () => postgres.insertDeadLetters(letters)),
    listCorridors: () =>
      process.ask('listCorridors', () => STREAMS.map(({ corridor }) => corridor)),
  };
  if (missing === 'acknowledge-after-commit') {
    return {
      ...port,
      async storeScores(...all) {
        // Sent, and not waited for.
        port.storeScores(...all).catch(() => undefined);
        return 'all';
      },
    };
  }
  if (missing === 'doubt') {
    const { storeScores } = port;
    return {
      ...port,
      // A failed statement is tried again before the failure is reported.
      storeScores: (...all) => storeScores(...all).catch(() => storeScores(...all)),
    };
  }
  if (missing === 'dead-letter-row') {
    return {
      ...port,
      async insertDeadLetters(all) {
        const final = all.flatMap(({ rowId, transactionId: id }) => (id ? { rowId, id } : []));
        await process.ask('insertDeadLetters', () => postgres.openRows.takeOut(final));
        return new Set(all.map((one) => one.transactionId ?? one.entryId));
      },
    };
  }
  return port;
}

function createDuties(world: World, process: Process): Duty[] {
  const duties = [createLabelDuty(world, process)];
  if (world.missing !== 'closed-letters') duties.push(createLettersDuty(world, process));
  if (world.missing !== 'reconciler') duties.push(createReconcileDuty(world, process));
  return duties;
}

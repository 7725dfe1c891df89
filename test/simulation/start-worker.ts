/**
 * A worker of the simulation: the real runWorker with the real batch steps, fold, retry policy, claims,
 * readers and reconciler; only what crosses the process border leads to the stand-ins.
 */
import { accountKind } from '../../src/core/profile/account-kind.ts';
import { merchantKind } from '../../src/core/profile/merchant-kind.ts';
import { insertPacked, readItemPlace } from '../../src/core/profile/packed-list.ts';
import type { Profile, ProfileKind } from '../../src/core/profile/profile.ts';
import { RULES_ALONE } from '../../src/core/score/judge.ts';
import { ENTRY_READER } from '../../src/core/stream/group/versions.ts';
import type { ProfileLogs } from '../../src/core/stream/profiles/profile-logs.ts';
import type { BatchStore } from '../../src/core/work/batch-dependencies.ts';
import { type BatchSteps, createBatchSteps } from '../../src/core/work/process-batch.ts';
import { createFoldKind } from '../../src/core/work/profiles/fold-kind.ts';
import { createFoldProfiles } from '../../src/core/work/profiles/fold-profiles.ts';
import { runWorker } from '../../src/core/work/run-worker.ts';
import type { Group } from '../../src/core/work/worker-parts.ts';
import type { Duty } from '../../src/kit/duties/run-duties.ts';
import { createLog } from '../../src/kit/metrics/log.ts';
import { createMetrics } from '../../src/kit/metrics/metrics.ts';
import { createLabelDuty } from './label-duty.ts';
import { createLettersDuty } from './letters-duty.ts';
import type { Process } from './process.ts';
import { createReconcileDuty } from './reconcile-duty.ts';
import { CLAIM_IDLE_MS } from './schedule.ts';
import { createScorer } from './scorer.ts';
import { connect, forgetting } from './stream-calls.ts';
import { MARKET, STREAMS, type World } from './world.ts';

const BLOCK_MS = 900;
const RETRY_BASE_MS = 300;
const PROMOTE_EVERY_MS = 300;
const READERS = 2;
const COPIES_BYTES_MAX = 2 ** 18;
const TTL_SECONDS = 3600;

const metrics = createMetrics();
const log = createLog('worker', 'silent');

export type SimulatedWorker = {
  readonly process: Process;
  /** Asks it to stop, as SIGTERM does. */
  readonly stop: () => void;
  /** True once it has drained. */
  readonly hasEnded: () => boolean;
};

export function startWorker(world: World, name: string, onCrash: () => void): SimulatedWorker {
  const process = world.startProcess(name, onCrash);
  const controller = new AbortController();
  let ended = false;
  const { schedule, clock, random, journal } = world;
  const running = process.run(() =>
    runWorker({
      name,
      connection: connect(world, process),
      group: createGroup(world, process),
      steps: createSteps(world, process),
      listStreams: () => process.ask('listStreams', () => [...STREAMS]),
      duties: () => createDuties(world, process),
      settings: {
        readers: READERS,
        batchTransactions: schedule.batchTransactions,
        blockMs: BLOCK_MS,
        claimIdleMs: CLAIM_IDLE_MS,
      },
      signal: controller.signal,
      ...{ metrics, log, random, nowMs: clock.nowMs, onSignOfLife: () => undefined },
    }),
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
    stop: () => process.run(() => controller.abort()),
    hasEnded: () => ended,
  };
}

function createGroup({ streams, missing }: World, process: Process): Group {
  return {
    ensure: (names) =>
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
    // Only a whole store fails here.
    ...{
      prove: async () => undefined,
      guardOf: () => (call) => call(),
      isOfOneStream: () => false,
    },
    claim: (options) =>
      process.ask('claim', () =>
        missing === 'claim'
          ? { cursor: '-', entries: [], suspects: [] }
          : uncounted(streams.claim(options)),
      ),
    findHandedOver: async () => [],
    heartbeat: (stream, consumer, ids) =>
      process.ask('heartbeat', () => streams.heartbeat(stream, consumer, ids)),
    // Consumers are no more than names here: there is nothing to remove.
    removeConsumer: () => process.ask('removeConsumer', () => undefined),
    removeDeadConsumers: () => process.ask('removeDeadConsumers', () => undefined),
  };

  function uncounted(claimed: ReturnType<typeof streams.claim>) {
    const all = [...claimed.entries, ...claimed.suspects];
    if (missing === 'divide') return { ...claimed, entries: all, suspects: [] };
    if (missing !== 'delivery-count') return claimed;
    const entries = all.map((entry) => ({ ...entry, deliveries: 1 }));
    return { ...claimed, entries, suspects: [] };
  }
}

function createSteps(world: World, process: Process): BatchSteps {
  const { streams, random, clock } = world;
  const logs = connectLogs(world, process);
  const shared = {
    ...{ market: MARKET, metrics, nowMs: clock.nowMs },
    ...{ ttlSeconds: TTL_SECONDS, bytesMax: COPIES_BYTES_MAX },
  };
  const accounts = createFoldKind({
    kind: weakened(world, accountKind),
    async *loadPasts(points) {
      yield* await process.ask('loadAccountPasts', () => points.map(world.postgres.accountPast));
    },
    ...shared,
  });
  const merchants = createFoldKind({
    kind: weakened(world, merchantKind),
    async *loadPasts(points) {
      yield* await process.ask('loadMerchantPasts', () => points.map(world.postgres.merchantPast));
    },
    ...shared,
  });
  return createBatchSteps({
    entries: ENTRY_READER,
    // One release runs here.
    handOver: async () => undefined,
    foldProfiles: createFoldProfiles({ logs, metrics, kinds: [accounts, merchants] }),
    scorer: createScorer(world, process),
    judge: RULES_ALONE,
    store: createStore(world, process),
    settle: (settlements) =>
      process.askAll(
        'settle',
        settlements.map((settlement) => () => streams.settle(forgetting(world, settlement))),
      ),
    ...{ retryBaseMs: RETRY_BASE_MS, degradation: () => 0 },
    ...{ random, nowMs: clock.nowMs, metrics, failpoint: () => undefined },
  });
}

function connectLogs(
  { profiles }: World,
  process: Process,
): Pick<ProfileLogs, 'append' | 'install'> {
  return {
    append: (appends) =>
      process.askAll(
        'appendProfiles',
        appends.map((append) => ({ ...append })).map((append) => () => profiles.append(append)),
      ),
    install: (installs) =>
      process.askAll(
        'installProfiles',
        installs.map((install) => () => profiles.install(install)),
      ),
  };
}

/** Without its memory of ids a fold takes each delivery for a transaction of its own. */
function weakened<P extends Profile, Past>(
  { missing }: World,
  kind: ProfileKind<P, Past>,
): ProfileKind<P, Past> {
  if (missing === 'others-items') return { ...kind, merge: () => true };
  if (missing === 'horizon') {
    return {
      ...kind,
      merge(profile, items, at) {
        if (kind.merge(profile, items, at)) return true;
        insertPacked(profile.list, readItemPlace(items, at, kind.itemBytes), items, at);
        return true;
      },
    };
  }
  if (missing !== 'memory-of-ids') return kind;
  let folds = 0;
  return {
    ...kind,
    fold(profile, arrivals, arrival, values, rowAt) {
      folds += 1;
      const low = arrivals.low.with(arrival, folds);
      return kind.fold(profile, { ...arrivals, low }, arrival, values, rowAt);
    },
  };
}

function createStore({ postgres, missing }: World, process: Process): BatchStore {
  const store: BatchStore = {
    insertScores: (scores, lineage, final) =>
      process.ask('insertScores', () => postgres.insertScores(scores, lineage, final)),
    readStoredScores: (asked) =>
      process.ask('readStoredScores', () =>
        postgres.readStoredScores(asked.map(({ transactionId }) => transactionId)),
      ),
    insertDeadLetters: (letters) =>
      process.ask('insertDeadLetters', () => postgres.insertDeadLetters(letters)),
  };
  if (missing === 'acknowledge-after-commit') {
    return {
      ...store,
      async insertScores(scores, lineage, final) {
        // Sent, and not waited for.
        store.insertScores(scores, lineage, final).catch(() => undefined);
        return 'all';
      },
    };
  }
  if (missing === 'doubt') {
    const { insertScores } = store;
    return {
      ...store,
      // A failed statement is tried again before the failure is reported.
      insertScores: (scores, lineage, final) =>
        insertScores(scores, lineage, final).catch(() => insertScores(scores, lineage, final)),
    };
  }
  if (missing === 'dead-letter-row') {
    return {
      ...store,
      async insertDeadLetters(all) {
        const final = all.flatMap(({ rowId, transactionId: id }) => (id ? { rowId, id } : []));
        await process.ask('insertDeadLetters', () => postgres.openRows.takeOut(final));
        return new Set(all.map((one) => one.transactionId ?? one.entryId));
      },
    };
  }
  return store;
}

function createDuties(world: World, process: Process): Duty[] {
  const promote = {
    name: 'promote-retries',
    everyMs: PROMOTE_EVERY_MS,
    async run() {
      await process.askAll(
        'promote',
        STREAMS.map(
          ({ transactions }) =>
            () =>
              world.streams.promote(transactions),
        ),
      );
    },
  };
  const duties = [promote, createLabelDuty(world, process)];
  if (world.missing !== 'closed-letters') duties.push(createLettersDuty(world, process));
  if (world.missing !== 'reconciler') duties.push(createReconcileDuty(world, process));
  return duties;
}

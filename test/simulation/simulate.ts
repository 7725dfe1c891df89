/**
 * A run: submissions, faults and disasters as the schedule has them, workers that are started again when
 * they die, until everything has come to rest and every worker has been asked to stop. What must hold
 * then is in checks.ts.
 */
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { packAgain } from '../../src/core/stream/entries/entry.ts';
import { planRows } from '../../src/core/stream/entries/producer.ts';
import { checkAtRest } from './checks.ts';
import { raise } from './journal.ts';
import { sendLabel } from './label-duty.ts';
import { appendEntries } from './reconcile-duty.ts';
import { calmAtMs, type Disaster, type DisasterKind, type Schedule } from './schedule.ts';
import { type SimulatedWorker, startWorker } from './start-worker.ts';
import { createWorld, MARKET, type Mechanism, START_MS, STREAMS, type World } from './world.ts';

/** Virtual time that a run has to come to rest once nothing new goes wrong, and then to stop. */
const REST_MS_MAX = 60_000;
const STOP_MS_MAX = 30_000;
const RESTART_MS = 300;
/** Stillness that is rest: a reconciler that read something before it appends it meanwhile. */
const STILL_MS = 800;

export async function simulate(schedule: Schedule, missing?: Mechanism) {
  const world = createWorld(schedule, missing);
  const { clock, journal } = world;
  const fleet = createFleet(world);
  for (let n = 0; n < schedule.workers; n++) fleet.start();
  for (const batch of batchesOf(world)) {
    world.owe(1);
    clock.after(batch.atMs, () => submit(world, batch.id, batch.transactions));
  }
  schedule.labels.forEach((request, index) => {
    world.owe(1);
    clock.after(request.atMs, () => sendLabel(world, `labels-${index}`, request));
  });
  for (const disaster of schedule.disasters) {
    clock.after(disaster.atMs, () => {
      journal.trace.push(`${clock.nowMs() - START_MS} ms: ${disaster.kind}`);
      strike(world, fleet, disaster);
    });
  }
  const calmMs = START_MS + calmAtMs(schedule);
  const isStill = () =>
    clock.nowMs() > calmMs &&
    isQuiet(world) &&
    !fleet.workers().some((one) => one.process.isFrozen());
  let stillSinceMs: number | undefined;
  const isAtRest = () => {
    if (journal.breaches.length > 0) return true;
    if (!isStill()) stillSinceMs = undefined;
    else stillSinceMs ??= clock.nowMs();
    return stillSinceMs !== undefined && clock.nowMs() - stillSinceMs >= STILL_MS;
  };
  if (!(await clock.runUntil(isAtRest, calmMs + REST_MS_MAX))) {
    journal.breaches.push(`not at rest ${REST_MS_MAX} ms after the last disaster: ${wait(world)}`);
  }
  fleet.close();
  const hasStopped = () => fleet.workers().every((worker) => worker.hasEnded());
  if (!(await clock.runUntil(hasStopped, clock.nowMs() + STOP_MS_MAX))) {
    journal.breaches.push(`workers did not stop within ${STOP_MS_MAX} ms`);
  }
  // Promises that did not hold; none for a good run.
  return { breaches: [...journal.breaches, ...checkAtRest(world)], world };
}

type Batch = { readonly id: string; readonly atMs: number; readonly transactions: Transaction[] };

/** Transactions submitted at the same moment are one request. */
function batchesOf({ transactions }: World): Batch[] {
  const moments = Map.groupBy(transactions, ({ receivedAtMs }) => receivedAtMs);
  return [...moments].map(([receivedAtMs, group], index) => ({
    id: `00000000-0000-7000-8000-${String(index).padStart(8, '0')}0000`,
    atMs: receivedAtMs - START_MS,
    transactions: group,
  }));
}

/** A client that repeats its request until it is answered, and the API that takes it. */
function submit(world: World, batchId: string, transactions: readonly Transaction[]): void {
  const { clock, postgres } = world;
  const again = () => clock.after(RESTART_MS, () => submit(world, batchId, transactions));
  const process = world.startProcess(`api ${batchId}`, again);
  const accept = async () => {
    const rows = planRows(batchId, () => 1, transactions);
    const isNew = await process.ask('accept', () => postgres.accept(batchId, rows));
    if (!isNew) return;
    const payload = { attempt: 1, origin: 'ingest', replyTo: null } as const;
    const entries = rows.flatMap(({ rowId, transactions: all }) =>
      all.map((transaction) => ({ transaction, rowId, ...payload })),
    );
    try {
      await appendEntries(world, process, entries);
    } catch {
      const rowIds = rows.map(({ rowId }) => rowId);
      await process.ask('setLeft', () => postgres.openRows.setLeft(rowIds, true));
    }
  };
  process.run(accept).then(() => world.owe(-1), again);
}

type Fleet = ReturnType<typeof createFleet>;

function createFleet(world: World) {
  const { clock } = world;
  const workers = new Set<SimulatedWorker>();
  let started = 0;
  let isOpen = true;
  const start = () => {
    if (!isOpen) return;
    started += 1;
    const worker = startWorker(world, `w${started}`, () => {
      workers.delete(worker);
      clock.after(RESTART_MS, start);
    });
    workers.add(worker);
  };
  return {
    start,
    /** Processes that live, or have drained. */
    workers: () => [...workers],
    /** Stops all, and starts no more. */
    close() {
      isOpen = false;
      for (const worker of workers) worker.stop();
    },
  };
}

function strike(world: World, fleet: Fleet, { kind, which, forMs }: Disaster): void {
  const { clock, streams, profiles, journal } = world;
  const workers = fleet.workers();
  const worker = workers[which % Math.max(1, workers.length)];
  journal.disturbances += 1;
  const loseRedis = (action: () => void) => {
    // Profiles of another run of the server are removed before they are used.
    if (world.missing === 'profile-history' && kind === 'rollback') profiles.rollBack();
    else profiles.clear();
    action();
  };
  const strikes: Readonly<Record<DisasterKind, () => void>> = {
    wipe: () =>
      loseRedis(() => {
        journal.events.length = 0;
        streams.wipe();
      }),
    rollback() {
      journal.eventsRemembered = [...journal.events];
      streams.remember();
      profiles.remember();
      clock.after(forMs, () =>
        loseRedis(() => {
          journal.events.splice(0, Infinity, ...journal.eventsRemembered);
          streams.rollBack();
        }),
      );
    },
    'redis-down'() {
      world.bringDown('redis', forMs);
      streams.hangUp();
    },
    'postgres-down': () => world.bringDown('postgres', forMs),
    'redis-full'() {
      profiles.setFull(true);
      clock.after(forMs, () => profiles.setFull(false));
    },
    crash: () => worker?.process.crash(),
    freeze: () => worker?.process.freeze(forMs),
    stop() {
      worker?.stop();
      fleet.start();
    },
    regroup: streams.regroup,
    spoil() {
      if (streams.spoil(which)) journal.spoilt += 1;
    },
    'evict-profiles': profiles.clear,
    'append-again': () => appendAgain(world, which),
    'append-garbage'() {
      const stream = STREAMS[which % STREAMS.length]?.transactions ?? '';
      const packed = Buffer.from(`garbage-${which}`);
      streams.append(stream, { transactions: 1, head: 'attempt=1 origin=ingest', packed });
    },
  };
  strikes[kind]();
}

/** As a reconciler does that cannot know better. */
function appendAgain({ postgres, streams, journal }: World, which: number): void {
  const known = [...postgres.transactions.values()];
  const transaction = known[which % Math.max(1, known.length)];
  if (transaction === undefined) return;
  const stream = STREAMS.find(({ corridor }) => corridor === transaction.corridor);
  raise(journal.appends, transaction.transactionId);
  const entry = {
    transaction,
    attempt: 1,
    origin: 'reconciled',
    replyTo: null,
    rowId: postgres.openRows.rowOf(transaction.transactionId),
  } as const;
  streams.append(stream?.transactions ?? MARKET, packAgain([entry]));
}

/** Nothing waits, nothing is pending, nothing is owed and nothing is open. */
function isQuiet(world: World): boolean {
  const { postgres, streams, transactions, owed } = world;
  if (postgres.transactions.size < transactions.length || postgres.openRows.size() > 0)
    return false;
  if (world.missing !== 'label-batch' && postgres.labelBatches.size > 0) return false;
  if (world.missing !== 'closed-letters' && isScoredAndDead(world)) return false;
  if (owed() > 0 || streams.pendingCount() > 0) return false;
  return STREAMS.every(
    ({ transactions: name }) => streams.entries(name).length + streams.retries(name).length === 0,
  );
}

function isScoredAndDead({ postgres: { deadLetters, scores } }: World): boolean {
  return deadLetters.some(({ isOpen, transactionId }) => isOpen && scores.has(transactionId ?? ''));
}

function wait({ postgres, streams }: World): string {
  const entries = STREAMS.flatMap(({ transactions: name }) => streams.entries(name)).length;
  const retries = STREAMS.flatMap(({ transactions: name }) => streams.retries(name)).length;
  return `entries ${entries}, retries ${retries}, pending ${streams.pendingCount()}, open rows ${postgres.openRows.size()}`;
}

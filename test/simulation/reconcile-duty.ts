/**
 * The engine's own reconciler, as a duty of whichever worker leads: its walk over open rows, its look into Redis and its feed,
 * over the stand-ins.
 */
import { feedRows } from '../../src/core/repair/reconcile.ts';
import type { RowStore } from '../../src/core/repair/row-store.ts';
import { createWalk } from '../../src/core/repair/walk-rows.ts';
import { type EntryPayload, packEntries } from '../../src/core/stream/entries/entry.ts';
import { rowIdOf } from '../../src/core/stream/entries/entry-head.ts';
import { type StreamKeys, streamKeys } from '../../src/core/stream/keys.ts';
import type { HeadReader } from '../../src/core/stream/status/heads.ts';
import type { Duty } from '../../src/kit/duties/run-duties.ts';
import { raise } from './journal.ts';
import { createLead, type Guarded } from './lead.ts';
import type { Process } from './process.ts';
import { MARKET, STREAMS, type World } from './world.ts';

const EVERY_MS = 700;
/** Rows of this age may be missing. */
const AGE_MS = 600;
const ROOM = 1000;

export function createReconcileDuty(world: World, process: Process): Duty {
  const lead = createLead(world, process, 'reconcile');
  let guarded: Guarded = (effect) => effect;
  const store = createStore(world, process, (effect) => guarded(effect));
  const corridors = [...new Set(STREAMS.map(({ corridor }) => corridor))];
  const walk = createWalk({
    ...{ market: MARKET, store, heads: createHeads(world, process) },
    listCorridors: async () => corridors,
    shardsOf: () => 1,
  });
  const append = async (payloads: readonly EntryPayload[]) => {
    const { journal } = world;
    const waiting = waitingRows(world);
    // A transaction that fails goes into the retries and back, so a look that lies between may miss it in both.
    const failing = new Set<string>(
      world.schedule.submissions.flatMap((one) => (one.nature === 'good' ? [] : one.corridor)),
    );
    const isDoubled = ({ rowId, transaction: { corridor } }: EntryPayload) =>
      waiting.has(rowId) && !journal.fedUnnoted.has(rowId) && !failing.has(corridor);
    journal.doubled += payloads.filter(isDoubled).length;
    for (const { rowId } of payloads) journal.fedUnnoted.add(rowId);
    await appendEntries(world, process, payloads);
    return [];
  };
  return {
    name: 'reconcile',
    everyMs: EVERY_MS,
    run: () =>
      lead(async (proof) => {
        guarded = proof;
        try {
          for (let isWhole = world.missing === 'look'; !isWhole; )
            isWhole = (await walk.step()).isWhole;
          await feedRows({ store, append, corridors, shardsOf: () => 1, roomOf: () => ROOM });
        } catch (error) {
          walk.forget();
          throw error;
        }
      }),
  };
}

function waitingRows({ streams }: World): ReadonlySet<string | null> {
  const entries = STREAMS.flatMap(({ transactions: name }) => [
    ...streams.entries(name),
    ...streams.retries(name),
  ]);
  return new Set(entries.flatMap(({ head }) => rowIdOf(head) ?? []));
}

function createStore({ postgres, journal }: World, process: Process, guarded: Guarded): RowStore {
  const { openRows } = postgres;
  return {
    listAged: (after) => process.ask('listAged', () => openRows.listAged(after, AGE_MS)),
    readRows: (rowIds) => process.ask('readRows', () => openRows.readRows(rowIds)),
    listLeft: (queues) => process.ask('listLeft', () => openRows.listLeft(queues)),
    loadUnscored: (ids) => process.ask('loadUnscored', () => postgres.loadUnscored(ids)),
    findFinal: (ids) => process.ask('findFinal', () => postgres.findFinal(ids)),
    setLeft: (rowIds, isLeft) =>
      process.ask(
        'setLeft',
        guarded(() => {
          openRows.setLeft(rowIds, isLeft);
          if (!isLeft) for (const rowId of rowIds) journal.fedUnnoted.delete(rowId);
        }),
      ),
    // No switch stops anything here.
    resumeRows: async () => undefined,
    takeOut: (final) =>
      process.ask(
        'takeOut',
        guarded(() => openRows.takeOut(final)),
      ),
    closeUnreadLetters: () =>
      process.ask(
        'closeUnreadLetters',
        guarded(() => postgres.closeUnreadLetters()),
      ),
  };
}

function createHeads({ streams, missing }: World, process: Process): HeadReader {
  const nothing = { rowIds: [], next: null, last: null };
  return {
    // A single release runs here.
    dropUnread: async () => undefined,
    adopt: async (all) => {
      if (missing === 'adoption') return;
      const adopt = ({ transactions }: StreamKeys) =>
        process.ask('adopt', () => streams.adopt(transactions));
      await Promise.all(all.map(adopt));
    },
    entries: ({ transactions }, from) =>
      process.ask('readHeads', () =>
        missing === 'heads' ? nothing : streams.heads(transactions, from),
      ),
    retries: ({ transactions }, from) =>
      process.ask('readRetryHeads', () =>
        missing === 'heads' ? nothing : streams.retryHeads(transactions, from),
      ),
  };
}

/** As the producer does: one part a stream, each whole or not at all. */
export async function appendEntries(
  { streams, journal }: World,
  process: Process,
  payloads: readonly EntryPayload[],
): Promise<void> {
  if (payloads.length === 0) return;
  const groups = Map.groupBy(payloads, ({ transaction }) => transaction.corridor);
  await process.askAll(
    'append',
    [...groups].map(([corridor, group]) => () => {
      const { transactions: name } = streamKeys(MARKET, corridor, 0);
      for (const { transaction } of group) raise(journal.appends, transaction.transactionId);
      for (const entry of packEntries(group)) streams.append(name, entry);
    }),
  );
}

/**
 * A model of the reconciler, as a duty of whichever worker leads: it appends what open batches owe and,
 * after Redis was lost, whatever is neither final nor waiting. The real one has tests of its own; here it
 * only brings lost entries back, at the worst of times and more than once.
 */
import { type EntryPayload, packEntries } from '../../src/core/stream/entries/entry.ts';
import { streamKeys } from '../../src/core/stream/keys.ts';
import type { Duty } from '../../src/kit/duties/run-duties.ts';
import { raise } from './journal.ts';
import { createLead, type Guarded } from './lead.ts';
import { transactionIdsOf } from './memory-stream.ts';
import type { Process } from './process.ts';
import { MARKET, STREAMS, type World } from './world.ts';

const EVERY_MS = 700;
/** A batch or transaction of this age is left to the reconciler. */
const AGE_MS = 600;

export function createReconcileDuty(world: World, process: Process): Duty {
  const lead = createLead(world, process, 'reconcile');
  return {
    name: 'reconcile',
    everyMs: EVERY_MS,
    run: () => lead((guarded) => reconcile(world, process, guarded)),
  };
}

async function reconcile(world: World, process: Process, guarded: Guarded): Promise<void> {
  const { postgres, clock, identity } = world;
  const write = (operation: 'writeState' | 'deleteBatches', effect: () => void) =>
    process.ask(operation, guarded(effect));
  const current = await process.ask('readIdentity', () => identity.value);
  const state = await process.ask('readState', () => postgres.state());
  const recovering = state.recovering || state.redisIdentity !== current;
  if (state.redisIdentity !== current) {
    // Written before anything is done, so that a crash cannot forget the loss.
    await write('writeState', () => postgres.writeState({ redisIdentity: current, recovering }));
  }
  const untilMs = clock.nowMs() - AGE_MS;
  const batches = await process.ask('listOpenBatches', () => postgres.listOpenBatches(untilMs));
  const owed = await process.ask('loadUnscored', () =>
    postgres.loadUnscored(batches.flatMap(({ transactionIds }) => transactionIds)),
  );
  await appendEntries(world, process, owed.map(toEntry));
  const ids = batches.map(({ batchId }) => batchId);
  if (ids.length > 0) await write('deleteBatches', () => postgres.deleteBatches(ids));
  if (!recovering) return;
  const waiting = await readWaiting(world, process);
  const unscored = await process.ask('listUnscored', () => postgres.listUnscored(untilMs));
  const lost = unscored.filter(({ transactionId }) => !waiting.has(transactionId));
  await appendEntries(world, process, lost.map(toEntry));
  const isWhole = lost.length === 0 && postgres.receivedUntilMs() < untilMs;
  if (isWhole) {
    const whole = { redisIdentity: current, recovering: false };
    await write('writeState', () => postgres.writeState(whole));
  }
}

async function readWaiting({ streams }: World, process: Process): Promise<Set<string>> {
  const waiting = new Set<string>();
  for (const { transactions } of STREAMS) {
    // What moves from the retries into the stream meanwhile is found behind them.
    for (const read of [streams.entries, streams.retries, streams.entries]) {
      const page = await process.ask('readWaiting', () => read(transactions));
      for (const id of page.flatMap(transactionIdsOf)) waiting.add(id);
    }
  }
  return waiting;
}

const toEntry = (transaction: EntryPayload['transaction']): EntryPayload => ({
  ...{ transaction, attempt: 1, origin: 'reconciled', replyTo: null, rowId: null },
});

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

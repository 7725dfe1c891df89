/**
 * Transactions that end the worker that scores them, and entries that come more than once: only they suffer, their neighbours
 * are scored.
 */
import { loadTransactions } from '../../../src/core/store/transactions/read-transactions.ts';
import { type PackedEntry, packAgain } from '../../../src/core/stream/entries/entry.ts';
import { fieldsOf } from '../../support/stream-entries.ts';
import type { Scenario, Stage } from '../support/scenario.ts';
import { openMarket } from '../support/sessions.ts';
import { areDead, spoiledIds } from '../support/spoiled.ts';
import { allStreams } from '../support/streams.ts';

const POISONED = 'acc_chaos_poisoned';
/** Deliveries after which a transaction is given up, including the one that gives it up. */
const DEATHS_MAX = 6;
const KILLERS = 2;
const CRASH_TIMEOUT_MS = 180_000;

/** Restarts each worker that died, as a supervisor would, until the transactions that kill are given up. */
async function superviseUntilDead(stage: Stage): Promise<number> {
  const { engine, ledger, load, happened, until } = stage;
  let deaths = 0;
  const workers = engine.running('worker').map(({ name }) => name);
  const restartDead = async () => {
    for (const name of workers) {
      if (!engine.process(name).hasEnded()) continue;
      deaths++;
      happened('worker died of a transaction');
      await engine.start('worker', name, { wait: false });
    }
  };
  await until('the killers were posted', async () => {
    await restartDead();
    return spoiledIds(ledger).length === KILLERS;
  });
  // New traffic would only wait beside them.
  await load.finish();
  const ids = spoiledIds(ledger);
  await until(
    'the killers are dead letters',
    async () => {
      await restartDead();
      return await areDead(stage, ids);
    },
    CRASH_TIMEOUT_MS,
  );
  return deaths;
}

const crash: Scenario = {
  name: 'crash-poison',
  what: `${KILLERS} transactions kill every worker that scores them`,
  setup: {
    workers: 2,
    environment: { RISK_TEST_POISON: `kill:${POISONED}` },
    spoiled: { every: 200, account: POISONED, most: KILLERS },
    recoverSecondsMax: 60,
  },
  plan: () => ({
    schedule: ['transactions 200 and 400 kill'],
    faults: ['worker died of a transaction'],
    run: async (stage) => {
      const deaths = await superviseUntilDead(stage);
      stage.bar('deaths a killing transaction', deaths / KILLERS, { atMost: DEATHS_MAX });
    },
  }),
};

const COPIES = 5;
const COPIED = 200;

/** Entries as ingest writes them, of the transactions that were accepted last. */
async function lateEntries({
  services,
  ledger,
}: Stage): Promise<{ corridor: string; entry: PackedEntry }[]> {
  await using database = openMarket(services.databaseUrl);
  const transactions = await loadTransactions(database, ledger.ids.slice(-COPIED));
  return transactions.map((transaction) => ({
    corridor: transaction.corridor,
    entry: packAgain([{ transaction, attempt: 1, origin: 'ingest', replyTo: null, rowId: null }]),
  }));
}

const repeated: Scenario = {
  name: 'repeated-delivery',
  what: `each of ${COPIED} entries is in its stream ${COPIES} times more`,
  setup: { workers: 3 },
  plan: () => ({
    schedule: ['at 20 %', 'at 60 %'],
    faults: ['entries repeated'],
    run: async (stage) => {
      const streams = new Map(
        (await allStreams(stage.services)).map((keys) => [keys.corridor, keys.transactions]),
      );
      for (const share of [0.2, 0.6]) {
        await stage.progress(share);
        const page = stage.services.client.pipeline();
        const entries = await lateEntries(stage);
        for (let copy = 0; copy < COPIES; copy++) {
          for (const { corridor, entry } of entries) {
            page.xadd(streams.get(corridor) ?? '', '*', ...fieldsOf(entry));
          }
        }
        await page.exec();
        stage.happened('entries repeated', entries.length * COPIES);
      }
    },
  }),
};

export const badTransactions: readonly Scenario[] = [crash, repeated];

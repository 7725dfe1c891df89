/**
 * Entries lose their bytes while no worker runs: only Postgres has their transactions, and their dead letters
 * name none of them.
 */
import { ENTRY_VERSION } from '../../../src/core/stream/entries/entry.ts';
import { takeEntries } from '../../support/stream-entries.ts';
import type { Scenario } from '../support/scenario.ts';
import { allStreams, countWaiting } from '../support/streams.ts';

const ENTRIES_MIN = 40;
/** Entries at the front of each stream. */
const SPOILT_MAX = 5;
/** The reconciler checks once a minute. */
const RECOVER_SECONDS_MAX = 150;

export const spoiltEntries: Scenario = {
  name: 'spoilt-entries',
  what: 'entries that wait for a worker become bytes that nobody can read',
  setup: { recoverSecondsMax: RECOVER_SECONDS_MAX },
  plan: () => ({
    schedule: [`at 30 %, up to ${SPOILT_MAX} entries of each stream`],
    faults: ['transactions of spoilt entries'],
    run: async (stage) => {
      const { engine, services, ledger, happened, progress, until } = stage;
      await progress(0.3);
      const workers = engine.running('worker').map(({ name }) => name);
      for (const name of workers) await engine.drain(name);
      const isBehind = async () => (await countWaiting(services)).entries >= ENTRIES_MIN;
      await until('entries wait', isBehind);
      for (const keys of await allStreams(services)) {
        const before = await services.client.xlen(keys.transactions);
        const taken = await takeEntries(services.client, keys, SPOILT_MAX);
        const spoilt = Math.min(before, SPOILT_MAX);
        if (spoilt === 0) continue;
        ledger.note({ kind: 'planted', entries: spoilt });
        for (let n = 0; n < spoilt; n++) {
          const fields = ['v', ENTRY_VERSION, 'n', '1', 'h', '', 'd', 'spoilt'];
          await services.client.xadd(keys.transactions, '*', ...fields);
        }
        happened('transactions of spoilt entries', taken.length);
      }
      for (const name of workers) await engine.start('worker', name);
    },
  }),
};

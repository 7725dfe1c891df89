/** Claims of transactions: as the engine stores them, and with other names of their client. */
import type { KeySlices } from '../../src/store/key-slices.ts';
import { claimTransactions } from '../../src/store/transactions.ts';
import type { Arm } from './statement-arms.ts';

const TABLES = ['transactions', 'idempotency_keys', 'ingest_batches', 'daily_increments'];
/** Place of the client among the values of the claim. */
const CLIENT_AT = 17;
/** The longest there is. */
const CLIENT_CHARS_MAX = 64;

/** One open slice, and no key that was claimed before. */
const slices: KeySlices = {
  route: async () => ({ open: 1, suspects: [], slices: [] }),
  refresh: async () => undefined,
  filtered: async () => undefined,
};

export function claimArms(): readonly Arm[] {
  const arm = (name: string, client: string | null): Arm => ({
    ...{ name, tables: TABLES },
    ddl: ['alter table SCHEMA.idempotency_keys_all add primary key (digest)'],
    store: ({ query, write }, batch) =>
      claimTransactions(
        { query, write: (text, values = []) => write(text, values.with(CLIENT_AT, client)) },
        slices,
        batch,
      ),
  });
  return [
    arm('a client of 7 letters (the engine)', 'default'),
    arm(`of ${CLIENT_CHARS_MAX}`, 'x'.repeat(CLIENT_CHARS_MAX)),
    arm('none', null),
  ];
}

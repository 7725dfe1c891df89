/** Arms of claims: as the engine stores transactions, with longer client names, and with other indexes by party. */
import type { KeySlices } from '../../src/core/store/idempotency-keys/key-slices.ts';
import { claimTransactions } from '../../src/core/store/transactions/transactions.ts';
import type { Arm } from './statement-arms.ts';

const TABLES = [
  'transactions',
  'idempotency_keys',
  'open_rows',
  'open_increments',
  'daily_increments',
];
/** Position of the client among the values of the claim. */
const CLIENT_AT = 16;
/** The longest client name that a key may have. */
const CLIENT_CHARS_MAX = 64;

/** An open slice that holds no claimed key. */
const slices: KeySlices = {
  route: async () => ({ open: 1, suspects: [], slices: [] }),
  refresh: async () => undefined,
  filtered: async () => undefined,
};

const PARTIES = ['account_id', 'merchant_id'];
const indexByHash = (party: string) =>
  `create index on SCHEMA.transactions (hashtext(${party}), created_at)`;
/** The server names copied indexes after their columns. */
const dropIndexes = PARTIES.map(
  (party) => `drop index SCHEMA.transactions_${party}_created_at_idx`,
);

export function claimArms(): readonly Arm[] {
  const arm = (name: string, client: string | null, ddl: readonly string[] = []): Arm => ({
    ...{ name, tables: TABLES },
    ddl: ['alter table SCHEMA.idempotency_keys_all add primary key (digest)', ...ddl],
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
    arm('parties by hash', 'default', [...dropIndexes, ...PARTIES.map(indexByHash)]),
    arm('parties without an index', 'default', dropIndexes),
  ];
}

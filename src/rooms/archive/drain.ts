/** Waits until a frozen market has nothing pending, or gives up what is pending. */
import { setTimeout as delay } from 'node:timers/promises';
import type { DeadLetter } from '../../core/domain/dead-letter.ts';
import { createdAtMsOf } from '../../core/domain/transaction.ts';
import { insertDeadLetters } from '../../core/store/dead-letters/dead-letters.ts';
import { countOpen } from '../../core/store/open-rows/open-rows.ts';
import {
  loadTransactionRows,
  type PlainRow,
} from '../../core/store/transactions/read-transactions.ts';
import { streamKeys } from '../../core/stream/keys.ts';
import type { Database } from '../../kit/database/pool.ts';
import { rowsOf } from '../../kit/database/statement.ts';
import { Failure } from '../../kit/words/failure.ts';
import { HOUR_MS } from '../../kit/words/range.ts';

const POLL_MS = 1000;
/** A market drains for this long after its freeze; then people choose. */
const DRAIN_HOURS = 24;
const PAGE_ROWS = 100;

export type Draining = {
  readonly database: Database;
  readonly market: string;
  readonly frozenAt: string;
  /** Null: until 24 h after the freeze. */
  readonly waitHours: number | null;
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
};

/** @throws Failure where something is pending when the time is over */
export async function drain(draining: Draining): Promise<void> {
  const { database, frozenAt, waitHours, signal, note } = draining;
  const endMs =
    waitHours === null
      ? Date.parse(frozenAt) + DRAIN_HOURS * HOUR_MS
      : Date.now() + waitHours * HOUR_MS;
  let before: number | undefined;
  for (;;) {
    const pending = await countOpen(database.query, null);
    if (pending === 0) return;
    if (pending !== before) note(`${pending} transactions are pending`);
    before = pending;
    if (Date.now() >= endMs || signal.aborted) throw notDrained(draining, pending);
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

function notDrained({ market, frozenAt }: Draining, pending: number): Failure {
  const why = `${pending} transactions of ${market}, frozen at ${frozenAt}, are pending; it stays frozen. Wait (--continue --wait-hours N), make them dead letters (--continue --dead-letter-rest), or resume (risk controls end freeze market)`;
  return new Failure('conflict', 'NOT_DRAINED', why);
}

type Open = {
  readonly rowId: string;
  readonly corridor: string;
  readonly shard: number;
  readonly id: string;
};
type Pending = Open & { readonly transaction: PlainRow };

const listOpen = rowsOf<Open, [rowsMax: number]>(
  'list-pending-transactions',
  `select o.row_id as "rowId", o.corridor, o.shard, open.id
     from (select * from market.open_rows order by row_id limit $1) o
    cross join lateral unnest(o.transaction_ids) as open (id)`,
);

async function listPending(database: Database): Promise<Pending[]> {
  const open = await listOpen(database.query, PAGE_ROWS);
  const ids = open.map(({ id }) => id);
  const stored = await loadTransactionRows(database, ids);
  const byId = Map.groupBy(stored, (row) => row.transaction_id);
  return open.flatMap((row) =>
    (byId.get(row.id) ?? []).map((transaction) => ({ ...row, transaction })),
  );
}

/** Makes dead letters of all that is pending. @returns how many */
export async function deadLetterRest(database: Database, market: string): Promise<number> {
  let made = 0;
  for (;;) {
    const pending = await listPending(database);
    if (pending.length === 0) return made;
    made += (
      await insertDeadLetters(
        database,
        pending.map((entry) => toDeadLetter(market, entry)),
      )
    ).size;
  }
}

function toDeadLetter(market: string, pending: Pending): DeadLetter {
  return {
    transactionId: pending.id,
    createdAtMs: createdAtMsOf(pending.id) ?? null,
    accountId: pending.transaction.account_id,
    corridor: pending.corridor,
    stream: streamKeys(market, pending.corridor, pending.shard).transactions,
    entryId: '0-0',
    rowId: pending.rowId,
    attempts: 1,
    errorCode: 'ROLLED_BACK',
    error: `the market was rolled back before the transaction was scored`,
    entry: JSON.stringify(pending.transaction),
    failedAtMs: Date.now(),
  };
}

/** The transactions of a load as ingest would store them, batch by batch, without posting them. */
import { newTransactionId, prepare } from '../../src/core/accept/prepare-transactions.ts';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import type { NewBatch, NewTransaction } from '../../src/core/store/transactions/transactions.ts';
import { planRows } from '../../src/core/stream/entries/producer.ts';
import { atOnce } from '../../src/kit/process/pauses.ts';
import type { SimulatedTransaction } from '../../src/tools/simulate/simulate.ts';
import { type Load, trafficOf } from './load.ts';
import { trafficRows } from './traffic.ts';

/** `received_at` is when the row is made, for benches that take the rows as stored. */
export type MadeBatch = Omit<NewBatch, 'transactions'> & {
  readonly transactions: readonly (NewTransaction & Transaction)[];
};

export function* madeBatches(load: Load): Generator<MadeBatch, void> {
  const receivedAtMs = Date.now();
  const nothing = { corridors: new Set<string>(), elsewhere: new Map(), fields: new Map() };
  const context = { nowMs: receivedAtMs, personal: [], refusalOf: () => undefined, ...nothing };
  const toBatch = (rows: readonly SimulatedTransaction[]): MadeBatch => {
    const prepared = atOnce(prepare(rows.map(toInput), context));
    const transactions = prepared.rows.map((row) => ({
      ...row,
      receivedAtMs,
    }));
    return {
      client: 'default',
      transactions,
      rows: planRows(newTransactionId(receivedAtMs), () => 1, transactions),
    };
  };
  let rows: SimulatedTransaction[] = [];
  for (const row of trafficRows(trafficOf(load))) {
    rows.push(row);
    if (rows.length < load.batch) continue;
    yield toBatch(rows);
    rows = [];
  }
  if (rows.length > 0) yield toBatch(rows);
}

function toInput(row: SimulatedTransaction) {
  return {
    idempotency_key: row.idempotencyKey,
    account_id: row.accountId,
    merchant_id: row.merchantId,
    amount: row.amount,
    currency: row.currency,
    corridor: row.corridor,
    created_at: new Date(row.createdAtMs).toISOString(),
    type: row.type,
    ip: row.ip,
    device_id: row.deviceId,
    country: row.country,
    channel: row.channel,
  };
}

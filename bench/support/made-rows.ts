/** The transactions of a load as ingest would store them, batch by batch, without posting them. */
import { prepare } from '../../src/ingest/prepare-transactions.ts';
import { createTransactionIds } from '../../src/ingest/transaction-id.ts';
import type { SimulatedTransaction } from '../../src/simulate/transaction.ts';
import type { NewBatch } from '../../src/store/transactions.ts';
import { type Load, lastMidnightMs } from './load.ts';
import { trafficRows } from './traffic.ts';

export function* madeBatches(load: Load): Generator<NewBatch, void> {
  const newId = createTransactionIds();
  const receivedAtMs = Date.now();
  const surroundings = { receivedAtMs, corridors: new Set<string>(), newId };
  const toBatch = (rows: readonly SimulatedTransaction[]): NewBatch => ({
    batchId: newId(receivedAtMs),
    client: 'default',
    receivedAtMs,
    transactions: prepare(rows.map(toInput), surroundings).rows,
  });
  const { transactions, accounts, merchants, days, seed } = load;
  const traffic = {
    ...{ transactions, accounts, merchants, days, seed },
    endMs: load.endMs ?? lastMidnightMs(),
    fraudRate: 0.01,
  };
  let rows: SimulatedTransaction[] = [];
  for (const row of trafficRows({ traffic, accountsInTurn: load.accountsInTurn })) {
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

/** Lines of the two files: transactions as the API takes them, and labels beside them. */
import type { SimulatedTransaction } from './world.ts';

export const transactionLine = (row: SimulatedTransaction): string =>
  lineOf({
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
  });

export const labelLine = (row: SimulatedTransaction): string =>
  lineOf({
    idempotency_key: row.idempotencyKey,
    label: row.scenario === 'none' ? 'legitimate' : 'fraud',
    labelled_at: new Date(row.labelledAtMs).toISOString(),
    source: 'simulation',
    scenario: row.scenario,
  });

const lineOf = (fields: Readonly<Record<string, string>>) => `${JSON.stringify(fields)}\n`;

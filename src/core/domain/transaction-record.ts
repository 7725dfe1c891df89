/** A stored transaction and its wire form; the amount is as accepted. */
import { z } from 'zod';
import { LABEL_VALUES } from './label.ts';
import { scoreSchema } from './score-record.ts';
import { TRANSACTION_STATUSES } from './transaction.ts';

export const storedTransactionSchema = z
  .object({
    transaction_id: z.uuid(),
    status: z.enum(TRANSACTION_STATUSES),
    client: z.string().meta({ description: 'Client of the submitting key.' }),
    account_id: z.string(),
    merchant_id: z.string(),
    amount: z.string().meta({ example: '125.50' }),
    currency: z.string(),
    corridor: z.string(),
    created_at: z.iso.datetime(),
    received_at: z.iso.datetime(),
    type: z.string().nullable(),
    ip: z.string().nullable(),
    device_id: z.string().nullable(),
    country: z.string().nullable(),
    channel: z.string().nullable(),
    metadata: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: 'Transaction' });
export type StoredTransactionJson = z.infer<typeof storedTransactionSchema>;

/** As Postgres gives it. */
export type TransactionRow = Omit<StoredTransactionJson, 'created_at' | 'received_at'> & {
  readonly created_at: Date;
  readonly received_at: Date;
};

/** A row of a search or an export. */
export const foundTransactionSchema = storedTransactionSchema
  .extend({
    score: scoreSchema.nullable().meta({ description: 'Null: it has no score.' }),
    label: z
      .enum(LABEL_VALUES)
      .nullable()
      .meta({ description: 'The label that decides; null: it has none.' }),
  })
  .meta({ id: 'FoundTransaction' });
export type FoundTransactionJson = z.infer<typeof foundTransactionSchema>;

export function toTransactionJson(row: TransactionRow): StoredTransactionJson {
  return {
    transaction_id: row.transaction_id,
    status: row.status,
    client: row.client,
    account_id: row.account_id,
    merchant_id: row.merchant_id,
    amount: row.amount,
    currency: row.currency,
    corridor: row.corridor,
    created_at: row.created_at.toISOString(),
    received_at: row.received_at.toISOString(),
    type: row.type,
    ip: row.ip,
    device_id: row.device_id,
    country: row.country,
    channel: row.channel,
    metadata: row.metadata,
  };
}

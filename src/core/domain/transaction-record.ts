/** A stored transaction and its wire form; the amount is as accepted. */
import { z } from 'zod';
import { LABEL_VALUES } from './label.ts';
import { scoreSchema } from './score-record.ts';
import { TRANSACTION_STATUSES, type Transaction, type TransactionStatus } from './transaction.ts';

export type StoredTransaction = Transaction & {
  readonly metadata: Record<string, unknown> | null;
  readonly status: TransactionStatus;
  /** Null for a row that predates the column. */
  readonly client: string | null;
};

export const storedTransactionSchema = z
  .object({
    transaction_id: z.uuid(),
    status: z.enum(TRANSACTION_STATUSES),
    client: z
      .string()
      .nullable()
      .meta({ description: 'Client of the submitting key; null for rows that predate it.' }),
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

export function toTransactionJson(transaction: StoredTransaction): StoredTransactionJson {
  return {
    transaction_id: transaction.transactionId,
    status: transaction.status,
    client: transaction.client,
    account_id: transaction.accountId,
    merchant_id: transaction.merchantId,
    amount: transaction.amount,
    currency: transaction.currency,
    corridor: transaction.corridor,
    created_at: new Date(transaction.createdAtMs).toISOString(),
    received_at: new Date(transaction.receivedAtMs).toISOString(),
    type: transaction.type,
    ip: transaction.ip,
    device_id: transaction.deviceId,
    country: transaction.country,
    channel: transaction.channel,
    metadata: transaction.metadata,
  };
}

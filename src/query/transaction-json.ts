/** The wire form of a stored transaction; the amount is as accepted. */
import { z } from 'zod';
import { TRANSACTION_STATUSES } from '../domain/transaction.ts';
import type { StoredTransaction } from '../store/transactions/transaction-search.ts';
import { labelHistorySchema } from './label-json.ts';

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

/** `GET /v1/transactions/{id}?…` */
export const transactionParameters = z.strictObject({
  expand: z.enum(['labels']).optional().meta({ description: 'Adds the labels to the answer.' }),
});
export type TransactionParameters = z.output<typeof transactionParameters>;

export const transactionDetailSchema = storedTransactionSchema
  .extend({ labels: labelHistorySchema.optional() })
  .meta({ id: 'TransactionDetail' });
export type TransactionDetailJson = z.infer<typeof transactionDetailSchema>;

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

/** The wire form of a stored transaction; the amount is as accepted. */
import { z } from 'zod';
import { explanationSchema } from '../../rooms/search/queries/explain-score.ts';
import { neighboursSchema } from '../../rooms/search/queries/neighbours.ts';
import { DISPOSITIONS } from '../domain/disposition.ts';
import { scoreSchema } from '../domain/score-record.ts';
import { TRANSACTION_STATUSES } from '../domain/transaction.ts';
import type {
  DecidedTransaction,
  StoredTransaction,
} from '../store/transactions/read-transactions.ts';
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
const EXPANSIONS = ['score', 'explanation', 'labels', 'neighbours'] as const;
export type Expansion = (typeof EXPANSIONS)[number];

const expand = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(EXPANSIONS)).transform((given) => new Set(given)));

export const transactionParameters = z.strictObject({
  expand: expand.optional().meta({
    description: `Adds to the answer what it names, with commas between: ${EXPANSIONS.join(', ')}. \`explanation\` takes the role analyst.`,
    override: { type: 'string', examples: ['score,labels,neighbours'] },
  }),
});

export type TransactionParameters = z.output<typeof transactionParameters>;

export const transactionDetailSchema = storedTransactionSchema
  .extend({
    final_decision: z
      .object({ disposition: z.enum(DISPOSITIONS), final_at: z.iso.datetime() })
      .nullable()
      .meta({ description: 'What people decided in a review; it stands above the verdict.' }),
    score: scoreSchema.nullable().optional().meta({ description: 'Null where it is not scored.' }),
    explanation: explanationSchema.nullable().optional().meta({
      description:
        'Null where it is not scored, or where this version lacks the rule set or model of the score: `GET /v1/scores/{id}/explanation` says which.',
    }),
    labels: labelHistorySchema.optional(),
    neighbours: neighboursSchema.optional(),
  })
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

export function toDetailJson(transaction: DecidedTransaction): TransactionDetailJson {
  const { finalDecision: decision } = transaction;
  return {
    ...toTransactionJson(transaction),
    final_decision: decision && {
      disposition: decision.disposition,
      final_at: new Date(decision.finalAt).toISOString(),
    },
  };
}

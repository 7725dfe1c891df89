/**
 * A label: an outcome of a transaction, with its source and time. Labels are only added. Of the labels of one
 * transaction the newest `labelled_at` decides, and of two at the same time the one that says fraud, whatever
 * their order of arrival.
 */
import { z } from 'zod';
import { idText, plainText } from '../../kit/words/plain-text.ts';
import { wireTime } from '../../kit/words/wire-time.ts';
import type { FeatureName } from './feature-schema.ts';
import { idempotencyKeySchema } from './transaction.ts';

export const LABEL_VALUES = ['fraud', 'legitimate'] as const;
export type LabelValue = (typeof LABEL_VALUES)[number];

export const LABEL_LIMITS = {
  sourceChars: 64,
  noteChars: 500,
  /** How far ahead of the receiving clock `labelled_at` may lie. */
  labelledAtAheadMsMax: 5 * 60 * 1000,
} as const;

/** A label of a stored transaction. Times are epoch milliseconds, UTC. */
export type Label = {
  readonly transactionId: string;
  /** The transaction's, as are its account and merchant. */
  readonly createdAtMs: number;
  readonly accountId: string;
  readonly merchantId: string;
  readonly label: LabelValue;
  readonly labelledAtMs: number;
  readonly source: string;
  /** For a fraud: the transaction's amount by the median of its account, from its score; null when unknown. */
  readonly amountToMedian: number | null;
  /** For people: no feature and no training reads it. */
  readonly note: string | null;
};

export const storedLabelSchema = z
  .object({
    transaction_id: z.uuid(),
    created_at: z.iso.datetime().meta({ description: 'Time of the transaction.' }),
    account_id: z.string(),
    merchant_id: z.string(),
    label: z.enum(LABEL_VALUES),
    labelled_at: z.iso.datetime().meta({ description: 'When it became known, by the reporter.' }),
    source: z.string().meta({ example: 'chargeback' }),
    received_at: z.iso.datetime().meta({ description: 'When the API received it.' }),
    client: z.string().nullable().meta({
      description:
        'Client of the reporting key. A key that sees its own client only reads null here, in `identity` and in `note` of labels that others reported.',
    }),
    identity: z
      .string()
      .nullable()
      .meta({ description: 'Person who held the key; null for a key of no person.' }),
    note: z.string().nullable(),
  })
  .meta({ id: 'StoredLabel' });
export type LabelJson = z.infer<typeof storedLabelSchema>;

/** Whether a label decides over another one of the same transaction. */
export function outranks(
  left: Pick<Label, 'label' | 'labelledAtMs'>,
  right: Pick<Label, 'label' | 'labelledAtMs'>,
): boolean {
  if (left.labelledAtMs !== right.labelledAtMs) return left.labelledAtMs > right.labelledAtMs;
  return left.label === 'fraud' && right.label !== 'fraud';
}

/** The reporter of labels: the client of the key, and the person who holds the key, if any. */
export type LabelReporter = { readonly client: string; readonly identity: string | null };

/** A transaction's id as a caller writes it, in lower case from there on. */
export const transactionIdInput = z
  .string()
  .regex(/^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/, 'must be a UUID')
  .toLowerCase();

/** A submitted label, which names its transaction by id or by the client's own key. */
export const labelInputSchema = z
  .strictObject({
    transaction_id: transactionIdInput.optional(),
    idempotency_key: idempotencyKeySchema
      .meta({ description: 'In place of the id: the key that the transaction was sent with.' })
      .optional(),
    label: z.enum(LABEL_VALUES),
    labelled_at: wireTime,
    source: idText(LABEL_LIMITS.sourceChars).meta({ example: 'chargeback' }),
    note: plainText(LABEL_LIMITS.noteChars).optional().meta({
      description:
        'For people who read the label. A label that is known already keeps the note of its first report.',
      example: 'Cardholder did not recognise the payment',
    }),
  })
  .superRefine(({ transaction_id: id, idempotency_key: key }, context) => {
    if ((id === undefined) !== (key === undefined)) return;
    const [field, message] =
      id === undefined
        ? ['transaction_id', 'is required, or idempotency_key']
        : ['idempotency_key', 'must not be given beside transaction_id'];
    context.addIssue({ code: 'custom', path: [field], message, input: id });
  })
  .meta({ id: 'LabelInput' });
export type LabelInput = z.infer<typeof labelInputSchema>;

/** @param client hides from this client who reported a label for somebody else, and the note; null hides nothing */
export const labelFor = (client: string | null, label: LabelJson): LabelJson =>
  client === null || label.client === client
    ? label
    : { ...label, client: null, identity: null, note: null };

/** Whether labels make the feature: it says nothing before the first label is known. */
export const isOfLabels = (name: FeatureName): boolean =>
  /fraud|merchant_ordinary_rate|merchant_run_days|_lift$/.test(name);

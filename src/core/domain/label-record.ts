/** A stored label and its wire form. */
import { z } from 'zod';
import { LABEL_VALUES, type LabelValue } from './label.ts';

export type StoredLabel = {
  readonly transactionId: string;
  /** Time of the transaction. */
  readonly createdAt: Date;
  readonly accountId: string;
  readonly merchantId: string;
  readonly label: LabelValue;
  readonly labelledAt: Date;
  readonly source: string;
  readonly receivedAt: Date;
  /** Client of the key that reported it. */
  readonly client: string;
  readonly identity: string | null;
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
  .meta({ id: 'Label' });
export type LabelJson = z.infer<typeof storedLabelSchema>;

/** @param client hides from this client who reported a label for somebody else, and the note; null hides nothing */
export function toLabelJson(label: StoredLabel, client: string | null): LabelJson {
  const isShown = client === null || label.client === client;
  return {
    transaction_id: label.transactionId,
    created_at: label.createdAt.toISOString(),
    account_id: label.accountId,
    merchant_id: label.merchantId,
    label: label.label,
    labelled_at: label.labelledAt.toISOString(),
    source: label.source,
    received_at: label.receivedAt.toISOString(),
    client: isShown ? label.client : null,
    identity: isShown ? label.identity : null,
    note: isShown ? label.note : null,
  };
}

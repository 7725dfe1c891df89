/** The wire form of a stored label. */
import { z } from 'zod';
import { LABEL_VALUES } from '../domain/label.ts';
import type { StoredLabel } from '../store/labels/label-search.ts';

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
        'Client of the reporting key; null for rows that predate it. A key that sees its own client only reads null here, in `identity` and in `note` of labels that others reported.',
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

/** Labels of one transaction that an answer has at most; `GET /v1/labels` lists all of them. */
export const HISTORY_LABELS_MAX = 200;

export const labelHistorySchema = z
  .object({
    complete: z.boolean().meta({
      description: `False where the transaction has more than ${HISTORY_LABELS_MAX} labels: the newest are here, and \`GET /v1/labels\` lists all.`,
    }),
    items: z.array(storedLabelSchema).meta({ description: 'Oldest first: the last is current.' }),
  })
  .meta({ id: 'LabelHistory' });

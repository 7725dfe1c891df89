/**
 * `GET /v1/labels?…`: what a list of labels is asked for. It runs newest first by (labelled_at, transaction, label, source),
 * which no two labels share; a cursor names the last label that was looked at.
 */
import { z } from 'zod';
import {
  LABEL_LIMITS,
  LABEL_VALUES,
  type LabelJson,
  transactionIdInput,
} from '../../core/domain/label.ts';
import { decodeJsonCursor, encodeJsonCursor } from '../../kit/words/cursor.ts';
import {
  CURSOR_DESCRIPTION,
  cursorParameter,
  idParameter,
  pageLimit,
  shown,
  timeParameter,
} from '../../kit/words/list-parameters.ts';
import { idText } from '../../kit/words/plain-text.ts';
import { findEmpty, refuseEmpty, TIMES } from '../../kit/words/range.ts';
import { WRITTEN_MS_MAX } from '../../kit/words/wire-time.ts';

/** Where a label stands in the list. */
export type LabelPosition = Pick<LabelJson, 'labelled_at' | 'transaction_id' | 'label' | 'source'>;

const value = z.enum(LABEL_VALUES);
const source = idText(LABEL_LIMITS.sourceChars);
const cursorSchema = z.tuple([
  z.int().min(0).max(WRITTEN_MS_MAX),
  transactionIdInput,
  value,
  source,
]);

export function encodeLabelCursor(position: LabelPosition): string {
  const { labelled_at, transaction_id, label } = position;
  return encodeJsonCursor([Date.parse(labelled_at), transaction_id, label, position.source]);
}

function decodeLabelCursor(cursor: string): LabelPosition | undefined {
  const parsed = decodeJsonCursor(cursor, cursorSchema);
  if (parsed === undefined) return undefined;
  const [atMs, transaction_id, label, by] = parsed;
  return { labelled_at: new Date(atMs).toISOString(), transaction_id, label, source: by };
}

/** The label that examples of parameters name. */
const SHOWN: LabelPosition = {
  labelled_at: '2026-11-20T16:00:00.000Z',
  transaction_id: '01a1f84a-95c0-7000-8000-00000000002a',
  label: 'fraud',
  source: 'chargeback',
};

export const labelListParameters = z
  .strictObject({
    account_id: idParameter.optional().meta(shown('acc_17', 'Only transactions of this account.')),
    merchant_id: idParameter.optional().meta(shown('m_9', 'Only transactions of this merchant.')),
    transaction_id: transactionIdInput
      .optional()
      .meta(shown(SHOWN.transaction_id, 'Only labels of this transaction.')),
    label: value.optional().meta({ description: 'Only labels of this kind.' }),
    source: source.optional().meta(shown(SHOWN.source, 'Only labels of this source.')),
    from: timeParameter
      .optional()
      .meta(shown('2026-11-20T00:00:00.000Z', 'labelled_at is this time or later.')),
    to: timeParameter
      .optional()
      .meta(shown('2026-11-21T00:00:00.000Z', 'labelled_at is earlier than this time.')),
    limit: pageLimit,
    cursor: cursorParameter(decodeLabelCursor).meta(
      shown(encodeLabelCursor(SHOWN), CURSOR_DESCRIPTION),
    ),
  })
  .superRefine((asked, context) => refuseEmpty(context, findEmpty(asked, 'from', 'to', TIMES)));
export type LabelListParameters = z.output<typeof labelListParameters>;

/**
 * What a list of labels is asked for. It runs newest first by (labelled_at, transaction, label, source), which no two labels
 * share; a cursor names the last label that was looked at, as JSON in base64url.
 */
import { z } from 'zod';
import {
  LABEL_LIMITS,
  LABEL_VALUES,
  type LabelValue,
  TRANSACTION_ID,
} from '../../core/domain/label.ts';
import {
  CURSOR_DESCRIPTION,
  idParameter,
  pageLimit,
  shown,
  timeParameter,
} from '../../kit/words/list-parameters.ts';
import { plainText } from '../../kit/words/plain-text.ts';
import { WRITTEN_MS_MAX } from '../../kit/words/wire-time.ts';

export type LabelPosition = {
  readonly labelledAtMs: number;
  readonly transactionId: string;
  readonly label: LabelValue;
  readonly source: string;
};

const value = z.enum(LABEL_VALUES);
const source = plainText(LABEL_LIMITS.sourceChars);
const transactionId = z.string().regex(TRANSACTION_ID, 'must be a lower-case UUID');
const positionSchema = z.tuple([z.int().min(0).max(WRITTEN_MS_MAX), transactionId, value, source]);

export function encodeLabelCursor(position: LabelPosition): string {
  const fields = [position.labelledAtMs, position.transactionId, position.label, position.source];
  return Buffer.from(JSON.stringify(fields)).toString('base64url');
}

/** Reads a cursor; undefined when it is none of ours. */
function decodeLabelCursor(cursor: string): LabelPosition | undefined {
  const parsed = positionSchema.safeParse(parseJson(Buffer.from(cursor, 'base64url').toString()));
  if (!parsed.success) return undefined;
  const [labelledAtMs, id, label, by] = parsed.data;
  const position = { labelledAtMs, transactionId: id, label, source: by };
  return encodeLabelCursor(position) === cursor ? position : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The label that examples of parameters name. */
const SHOWN: LabelPosition = {
  labelledAtMs: Date.parse('2026-11-20T16:00:00.000Z'),
  transactionId: '01a1f84a-95c0-7000-8000-00000000002a',
  label: 'fraud',
  source: 'chargeback',
};

/** `GET /v1/labels?…` */
export const labelListParameters = z.strictObject({
  account_id: idParameter.optional().meta(shown('acc_17', 'Only transactions of this account.')),
  merchant_id: idParameter.optional().meta(shown('m_9', 'Only transactions of this merchant.')),
  transaction_id: transactionId
    .optional()
    .meta(shown(SHOWN.transactionId, 'Only labels of this transaction.')),
  label: value.optional().meta({ description: 'Only labels of this kind.' }),
  source: source.optional().meta(shown(SHOWN.source, 'Only labels of this source.')),
  from: timeParameter
    .optional()
    .meta(shown('2026-11-20T00:00:00.000Z', 'labelled_at is this time or later.')),
  to: timeParameter
    .optional()
    .meta(shown('2026-11-21T00:00:00.000Z', 'labelled_at is earlier than this time.')),
  limit: pageLimit,
  cursor: z
    .string()
    .transform((text, context) => {
      const position = decodeLabelCursor(text);
      if (position !== undefined) return position;
      context.addIssue({
        code: 'custom',
        message: 'must be the next_cursor of this list',
        input: text,
      });
      return z.NEVER;
    })
    .optional()
    .meta(shown(encodeLabelCursor(SHOWN), CURSOR_DESCRIPTION)),
});
export type LabelListParameters = z.output<typeof labelListParameters>;

/** Legal holds in requests and answers of the API. */
import { z } from 'zod';
import { HOLD_KINDS } from '../../../core/store/partitions/legal-holds.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { InvalidFields } from '../../../kit/words/field-error.ts';
import { CURSOR_DESCRIPTION, pageLimit, shown } from '../../../kit/words/list-parameters.ts';
import { parseMonth } from '../../../kit/words/month.ts';
import { ID_CHARS_MAX, plainText } from '../../../kit/words/plain-text.ts';

const REASON_CHARS_MAX = 500;
const ID = /^[1-9]\d{0,17}$/;

const reason = plainText(REASON_CHARS_MAX);
const kind = z.enum(HOLD_KINDS);
const subject = plainText(ID_CHARS_MAX).nullable();

export const holdSchema = z
  .object({
    hold_id: z.string(),
    kind,
    subject: subject.meta({
      description: 'The month (2026-03) or the account; null: the market.',
    }),
    reason: z.string(),
    set_by: z.string(),
    set_at: z.iso.datetime(),
    lifted_by: z.string().nullable(),
    lifted_at: z.iso.datetime().nullable().meta({ description: 'Null: the hold is in force.' }),
    lift_reason: z.string().nullable(),
  })
  .meta({ id: 'LegalHold' });
export type HoldJson = z.infer<typeof holdSchema>;

export const hold: HoldJson = {
  hold_id: '7',
  kind: 'month',
  subject: '2026-03',
  reason: 'order of the court, 17 C 204/26',
  set_by: 'Ann',
  set_at: '2026-11-27T09:30:00.000Z',
  lifted_by: null,
  lifted_at: null,
  lift_reason: null,
};

export const newHoldSchema = z
  .strictObject({
    kind,
    subject: subject
      .optional()
      .meta({ description: 'A month (2026-03) or an account; left out for the market.' }),
    reason: reason.meta({ description: 'Who asked for the hold, and why.' }),
  })
  .meta({ id: 'NewLegalHold' });
export type NewHold = {
  readonly kind: HoldJson['kind'];
  readonly subject: string | null;
  readonly reason: string;
};

export const liftSchema = z
  .strictObject({ reason: reason.meta({ description: 'For the audit log.' }) })
  .meta({ id: 'LiftLegalHold' });

export const holdPath = z.object({
  id: z
    .string()
    .regex(ID, 'must be the id of a hold')
    .meta({ description: 'The hold.', example: '7' }),
});

export const holdParameters = z.strictObject({
  state: z
    .enum(['in_force', 'lifted'])
    .optional()
    .meta({ description: 'Only holds in force, or only those that were lifted.' }),
  limit: pageLimit,
  cursor: z
    .string()
    .regex(ID, 'must be the next_cursor of this list')
    .optional()
    .meta(shown('41', CURSOR_DESCRIPTION)),
});

/** @throws InvalidFields where kind and subject do not fit */
export function readNewHold({
  kind,
  subject = null,
  reason,
}: z.infer<typeof newHoldSchema>): NewHold {
  const refuse = (detail: string): never => {
    throw new InvalidFields([{ pointer: '/subject', detail }]);
  };
  if (kind === 'market') {
    if (subject !== null) refuse(`must be left out for the market, not ${given(subject)}`);
  } else if (subject === null) {
    refuse(kind === 'month' ? 'must be a month, as 2026-03' : 'must be an account');
  } else if (kind === 'month' && parseMonth(subject) === undefined) {
    refuse(`must be a month as 2026-03, not ${given(subject)}`);
  }
  return { kind, subject, reason };
}

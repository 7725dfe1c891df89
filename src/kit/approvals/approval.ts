/** A decision that one person proposes and another person confirms, as the store and the API have it. */
import { z } from 'zod';

/** More: a decision that fitted when it was proposed is carried out in another situation. Less: a holiday ends decisions. */
export const APPROVAL_DAYS = 7;
export const APPROVAL_STATES = ['waiting', 'confirmed', 'withdrawn', 'expired'] as const;

const time = z.iso.datetime();
const facts = z.record(z.string(), z.unknown());

export const approvalSchema = z
  .object({
    approval_id: z.string().meta({ example: '12' }),
    kind: z.string().meta({ description: 'Rooms add kinds.', example: 'list-entry' }),
    subject: z.string().meta({ description: 'What the decision is about.', example: 'vip acc_17' }),
    state: z.enum(APPROVAL_STATES),
    reason: z.string().nullable(),
    proposed_by: z.string(),
    proposed_at: time,
    ends_at: time.meta({
      description: 'From this time on nobody may confirm it, and no command may carry it out.',
    }),
    confirmed_by: z.string().nullable(),
    confirmed_at: time.nullable(),
    withdrawn_by: z.string().nullable(),
    detail: facts.meta({ description: 'What the confirmation does.' }),
    result: facts.nullable().meta({ description: 'What the confirmation did; null: not yet.' }),
  })
  .meta({ id: 'Approval' });
export type Approval = z.output<typeof approvalSchema>;

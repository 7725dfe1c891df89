/** A decision that one person proposes and another person confirms, as the store and the API have it. */
import { z } from 'zod';

/** More: a decision that fitted when it was proposed is carried out in another situation. Less: a holiday ends decisions. */
export const APPROVAL_DAYS = 7;
/** The kinds of decisions; each is carried out by an executor of the room that proposes it. */
export const APPROVAL_KINDS = [
  'list-entry',
  'list-import',
  'rule-set',
  'rule-set-rollout',
  'model-rollout',
  'control',
  'corridor',
  'erasure',
  'market-rollback',
] as const;
export type ApprovalKind = (typeof APPROVAL_KINDS)[number];
export const APPROVAL_STATES = ['waiting', 'confirmed', 'withdrawn', 'expired'] as const;

const time = z.iso.datetime();
const facts = z.record(z.string(), z.unknown());

export const approvalSchema = z
  .object({
    approval_id: z.string().meta({ example: '12' }),
    kind: z.enum(APPROVAL_KINDS),
    subject: z.string().meta({ description: 'What the decision is about.', example: 'vip acc_17' }),
    state: z.enum(APPROVAL_STATES),
    reason: z.string().nullable(),
    proposed_by: z.string(),
    proposed_at: time,
    ends_at: time.meta({ description: 'From this time on nobody may confirm it.' }),
    confirmed_by: z.string().nullable(),
    confirmed_at: time.nullable(),
    withdrawn_by: z.string().nullable(),
    detail: facts.meta({ description: 'What the confirmation does.' }),
    result: facts.nullable().meta({ description: 'What the confirmation did; null: not yet.' }),
  })
  .meta({ id: 'Approval' });
export type Approval = z.output<typeof approvalSchema>;

/** The contents of the review's events, for the document. */
import { z } from 'zod';
import { eventOf, eventsDocument } from '../../kit/http/event-document.ts';
import { caseSchema, claimedCase } from './case.ts';
import { finalDecision, finalDecisionSchema } from './final-decision.ts';
import { priorityNames } from './policy.ts';

/** An endpoint of a client is not told who decided why. */
const toldSchema = finalDecisionSchema
  .partial({
    source: true,
    priority: true,
    reason: true,
    decided_by: true,
    decided_at: true,
    confirmed_by: true,
    label: true,
  })
  .meta({ id: 'EventDecision' });

const nearCaseSchema = caseSchema.pick({
  transaction_id: true,
  priority: true,
  due_at: true,
  opened_at: true,
  state: true,
  assignee: true,
  locked_by: true,
  account_id: true,
  merchant_id: true,
  corridor: true,
  score: true,
  verdict: true,
});

const overflowSchema = z.object({
  alert: z.literal('review_overflow'),
  priority: z.enum(priorityNames),
  older_than_minutes: z.number(),
  cases: z.int(),
});

export const eventsPart = eventsDocument([
  eventOf({
    type: 'transaction.final_decision',
    summary: 'Decisions of a review can no longer be undone',
    data: z.object({ decisions: z.array(toldSchema) }),
    example: { decisions: [finalDecision] },
  }),
  eventOf({
    type: 'review.deadline_near',
    summary: 'A case without a decision is due soon, or was due within the last day',
    data: nearCaseSchema,
    example: nearCaseSchema.parse({ ...claimedCase, state: 'open' }),
  }),
  eventOf({
    type: 'alert.raised',
    variant: 'review_overflow',
    summary: 'More cases wait for too long than a rule of the policy allows',
    data: overflowSchema,
    example: { alert: 'review_overflow', priority: 'P1', older_than_minutes: 240, cases: 12 },
  }),
]);

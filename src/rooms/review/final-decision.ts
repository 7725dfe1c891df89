/** A decision that nobody can undo any more, as it is stored, answered and sent. */
import { z } from 'zod';
import { DISPOSITIONS } from '../../core/domain/disposition.ts';
import { VERDICTS } from '../../core/domain/score-record.ts';
import type { DecisionEvent } from '../../core/events.ts';
import { CASE_SOURCES, priorityNames } from './policy.ts';

/** `none`: an unsure decision; `month_detached`: the month of the transaction takes none. */
const LABEL_OUTCOMES = ['posted', 'none', 'month_detached'] as const;
export type LabelOutcome = (typeof LABEL_OUTCOMES)[number];

const time = z.iso.datetime();

export const finalDecisionSchema = z
  .object({
    decision_id: z.string().meta({ description: 'Ascends in the order of commits.' }),
    transaction_id: z.uuid(),
    created_at: time,
    account_id: z.string(),
    merchant_id: z.string(),
    corridor: z.string(),
    score: z.int().nullable(),
    verdict: z.enum(VERDICTS).nullable(),
    source: z.enum(CASE_SOURCES),
    priority: z.enum(priorityNames),
    disposition: z.enum(DISPOSITIONS),
    reason: z.string(),
    decided_by: z.string(),
    decided_at: time,
    confirmed_by: z.string().nullable(),
    label: z.enum(LABEL_OUTCOMES),
    final_at: time,
  })
  .meta({ id: 'FinalDecision' });
export type FinalDecision = z.infer<typeof finalDecisionSchema>;

/** A client learns what `GET /v1/transactions/{id}` tells it, and nothing of who decided why. */
export function toEvent(decision: FinalDecision): DecisionEvent {
  const { decision_id, transaction_id, created_at, account_id, merchant_id, corridor } = decision;
  const { score, verdict, disposition, final_at } = decision;
  const ids = { decision_id, transaction_id, created_at, account_id, merchant_id, corridor };
  return {
    type: 'transaction.final_decision',
    transactionId: transaction_id,
    corridor,
    at: new Date(final_at),
    data: decision,
    clientData: { ...ids, score, verdict, disposition, final_at },
  };
}

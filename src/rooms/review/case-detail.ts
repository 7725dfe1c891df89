/** A case with all that is known of it, in the form of the API. */
import { z } from 'zod';
import { CASE_LIMITS, caseSchema, claimedCase } from './case.ts';
import { finalDecisionSchema } from './final-decision.ts';

const time = z.iso.datetime();

const noteSchema = z
  .object({
    note_id: z.string(),
    written_at: time,
    written_by: z.string(),
    note: z.string(),
  })
  .meta({ id: 'StoredCaseNote' });
export type CaseNote = z.infer<typeof noteSchema>;

const changeSchema = z
  .object({
    changed_at: time,
    who: z.string(),
    action: z.string(),
    after: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: 'CaseChange' });
export type CaseChange = z.infer<typeof changeSchema>;

export const caseDetailSchema = caseSchema
  .extend({
    notes: z.array(noteSchema).meta({ description: 'Oldest first.' }),
    history: z
      .array(changeSchema)
      .meta({ description: `Newest first, at most ${CASE_LIMITS.shownRows}.` }),
    final_decisions: z.array(finalDecisionSchema).meta({ description: 'Newest first.' }),
  })
  .meta({ id: 'ReviewCaseDetail' });
export type CaseDetail = z.infer<typeof caseDetailSchema>;

export const caseDetail: CaseDetail = {
  ...claimedCase,
  notes: [
    {
      note_id: '3',
      written_at: '2026-11-20T09:41:00.000Z',
      written_by: 'Ann',
      note: 'Called the cardholder',
    },
  ],
  history: [
    {
      changed_at: '2026-11-20T09:40:00.000Z',
      who: 'Ann',
      action: 'case.claim',
      after: { locked_by: 'Ann', locked_until: '2026-11-20T09:55:00.000Z' },
    },
  ],
  final_decisions: [],
};

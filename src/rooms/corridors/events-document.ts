/** The contents of the event of a decision that another person completes, for the document. */
import { z } from 'zod';
import { eventOf, eventsDocument, schemaOf } from '../../kit/http/event-document.ts';
import type { proposalSchema } from './proposal-routes.ts';

export const eventsPart = eventsDocument([
  eventOf({
    type: 'decision.second_authority',
    summary: 'A person stopped or proposed something, or figures propose it',
    data: z.object({
      action: z.string().meta({ description: 'Action of the audit log, or of the proposal.' }),
      subject: z.string(),
      reason: z.string().nullable(),
      who: z.string(),
      at: z.iso.datetime(),
      is_waiting: z.boolean().meta({ description: 'Whether another person has to act.' }),
      next: z.string(),
      recipients: z.array(z.string()).meta({ description: 'People who may act.' }),
      // Proposals of figures are told whole.
      proposal: schemaOf<z.output<typeof proposalSchema>>('Proposal').optional(),
    }),
    example: {
      action: 'scope.freeze',
      subject: 'corridor:US-EG',
      reason: 'the bank sees fraud',
      who: 'Ann',
      at: '2026-11-20T12:00:00.000Z',
      is_waiting: false,
      next: 'To resume takes another person than Ann with the role risk_officer.',
      recipients: ['Zoe'],
    },
  }),
]);

/** Operations of corridors and their controls, and the event about decisions of a second person. */
import { z } from 'zod';
import { routesUnder } from '../../core/room.ts';
import { eventOf, eventsDocument, schemaOf } from '../../kit/http/event-document.ts';
import { executeControl } from './control-change.ts';
import { historyOperations } from './control-history.ts';
import { controlOperations } from './control-routes.ts';
import { executeCorridor } from './corridor-change.ts';
import { corridorOperations } from './corridor-routes.ts';
import { levelOperations } from './levels-routes.ts';
import { proposalOperations } from './proposal-routes.ts';
import type { Proposal } from './proposals.ts';

/** The contents of the event of a decision that another person completes, for the document. */
const eventsPart = eventsDocument([
  eventOf({
    type: 'decision.second_authority',
    summary: 'A person stopped something, or figures propose it',
    data: z.object({
      action: z.string().meta({ description: 'Action of the audit log, or of the proposal.' }),
      subject: z.string(),
      reason: z.string().nullable(),
      who: z.string(),
      at: z.iso.datetime(),
      is_waiting: z.boolean().meta({ description: 'Whether another person has to act.' }),
      next: z.string(),
      recipients: z.array(z.string()).meta({ description: 'People who may act.' }),
      // The event of a proposal that figures make has the whole proposal.
      proposal: schemaOf<Proposal>('Proposal').optional(),
    }),
    example: {
      action: 'control.set',
      subject: 'freeze:corridor:US-EG',
      reason: 'the bank sees fraud',
      who: 'Ann',
      at: '2026-11-20T12:00:00.000Z',
      is_waiting: false,
      next: 'To end freeze:corridor:US-EG takes another person than Ann with the role risk_officer.',
      recipients: ['Zoe'],
    },
  }),
]);

const operations = [
  ...controlOperations,
  ...historyOperations,
  ...corridorOperations,
  ...levelOperations,
  ...proposalOperations,
];

const SUMMARY = 'Corridors and markets: their states, and the controls that bound them.';
const routes = routesUnder('corridors', SUMMARY, operations);
export const document = { ...routes.document, ...eventsPart };
export const { open } = routes;

export const executors = { control: executeControl, corridor: executeCorridor };

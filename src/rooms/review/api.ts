/** Additions of the review to an API process. */

import { z } from 'zod';
import { refusalOf } from '../../core/require-on.ts';
import type { Api, ApiRoom } from '../../core/room.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { eventOf, eventsDocument } from '../../kit/http/event-document.ts';
import { createLive } from '../../kit/http/live.ts';
import { pathsOf, routesOf } from '../../kit/http/operation.ts';
import { caseSchema, claimedCase } from './case.ts';
import { finalDecision, finalDecisionSchema } from './final-decision.ts';
import { createReviewMetrics } from './metrics.ts';
import { priorityNames } from './policy.ts';
import { readStatus } from './queries/status.ts';
import { caseOperations } from './routes/cases.ts';
import { figureOperations, READERS, STATUS_EVERY_MS } from './routes/figures.ts';
import { stepOperations } from './routes/steps.ts';
import { toReviewPoint } from './status.ts';

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

/** The contents of the review's events, for the document. */
const eventsPart = eventsDocument([
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

/** `/v1/reviews/{id}` comes behind the figures, whose paths it would take. */
const operations = [...figureOperations, ...caseOperations, ...stepOperations];

export const document: DocumentPart = {
  paths: pathsOf(operations, 'reviews'),
  tags: { reviews: 'Cases that people decide.' },
  ...eventsPart,
};

export function openReview(api: Api): ApiRoom {
  const { databases, limits, metrics, authenticate, draining, log, switches } = api;
  const { primary, now } = databases;
  const answerStatus = createLive({
    authenticate,
    log,
    everyMs: STATUS_EVERY_MS,
    signal: draining,
    readers: READERS,
    refusal: () => refusalOf(switches, 'live-figures'),
    read: () => readStatus(primary.query, now()),
    toPoint: toReviewPoint,
  });
  const parts = { database: primary, metrics: createReviewMetrics(metrics.make), answerStatus };
  return { routes: [routesOf(operations, limits, parts)] };
}

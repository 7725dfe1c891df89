/** Additions of the review to an API process. */
import { z } from 'zod';
import { refusalOf } from '../../core/require-on.ts';
import type { Api, ApiRoom } from '../../core/room.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { eventOf, eventsDocument } from '../../kit/http/event-document.ts';
import { createLive } from '../../kit/http/live.ts';
import {
  answer,
  bodyOf,
  change,
  type DescribedBody,
  type Operation,
  pathsOf,
  routesOf,
} from '../../kit/http/operation.ts';
import type { Role } from '../../kit/words/principal.ts';
import { caseSchema } from './case.ts';
import { decideSchema } from './case-steps.ts';
import {
  assignSchema,
  reasonSchema,
  reviewerOf,
  STEPS,
  type Step,
  takeStep,
} from './change/steps.ts';
import { finalDecisionSchema } from './final-decision.ts';
import { createReviewMetrics } from './metrics.ts';
import { priorityNames } from './policy.ts';
import { readStatus } from './queries/status.ts';
import { caseOperations, casePath, OFFICERS, type Parts, REVIEWERS } from './routes/cases.ts';
import { figureOperations, READERS, STATUS_EVERY_MS } from './routes/figures.ts';
import { toReviewPoint } from './status.ts';

/** `/v1/reviews/{id}/…`: what reviewers do with a case, a path each. */

type StepOperation<Input> = {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly roles: readonly Role[];
  readonly step: Step<Input>;
  readonly body?: DescribedBody<Input>;
};

/** @param name the last part of the path */
function stepOperation<Input = void>(
  name: keyof typeof STEPS,
  { step, ...described }: StepOperation<Input>,
): Operation<Parts> {
  return change({
    'x-command': `review ${name}`,
    ...described,
    at: `/v1/reviews/{id}/${name}`,
    path: casePath,
    answers: { 200: answer('The case as it is now.', caseSchema) },
    run: ({ path: { id }, body, by }, { database }: Parts) =>
      takeStep(database, step, id, reviewerOf(by), body),
  });
}

const stepOperations: readonly Operation<Parts>[] = [
  stepOperation('claim', {
    operationId: 'claimCase',
    summary: 'Claim a case',
    description:
      'Only one person has it at a time, until the lock expires. A repetition extends the lock.',
    roles: REVIEWERS,
    step: STEPS.claim,
  }),
  stepOperation('lock', {
    operationId: 'keepCaseLock',
    summary: 'Extend the lock of a claimed case',
    roles: REVIEWERS,
    step: STEPS.lock,
  }),
  stepOperation('assign', {
    operationId: 'assignCase',
    summary: 'Assign a case to a person, or to nobody',
    description: 'Anybody else who has claimed it loses it.',
    roles: OFFICERS,
    step: STEPS.assign,
    body: bodyOf(assignSchema, { assignee: null }),
  }),
  stepOperation('decide', {
    operationId: 'decideCase',
    summary: 'Decide a claimed case',
    description:
      'The decision can be undone until final_at; then it is a label of source review, and stands on the transaction. From the amount of the policy on it first waits for a second person (state confirming).',
    roles: REVIEWERS,
    step: STEPS.decide,
    body: bodyOf(decideSchema),
  }),
  stepOperation('undo', {
    operationId: 'undoDecision',
    summary: 'Take a decision back before it is final',
    roles: REVIEWERS,
    step: STEPS.undo,
  }),
  stepOperation('escalate', {
    operationId: 'escalateCase',
    summary: 'Leave a claimed case to a risk officer',
    roles: REVIEWERS,
    step: STEPS.escalate,
    body: bodyOf(reasonSchema),
  }),
  stepOperation('release', {
    operationId: 'releaseCase',
    summary: 'Give a claimed case back to the queue',
    roles: REVIEWERS,
    step: STEPS.release,
  }),
  stepOperation('confirm', {
    operationId: 'confirmDecision',
    summary: "Confirm another person's decision",
    description: 'The makers of a key count as its holders, as with models.',
    roles: OFFICERS,
    step: STEPS.confirm,
  }),
  stepOperation('return', {
    operationId: 'returnCase',
    summary: 'Refuse to confirm: the case is open again',
    roles: OFFICERS,
    step: STEPS.return,
    body: bodyOf(reasonSchema),
  }),
];

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
  }),
  eventOf({
    type: 'review.deadline_near',
    summary: 'A case without a decision is due soon, or was due within the last day',
    data: nearCaseSchema,
  }),
  eventOf({
    type: 'alert.raised',
    variant: 'review_overflow',
    summary: 'More cases wait for too long than a rule of the policy allows',
    data: overflowSchema,
  }),
]);

/** `/v1/reviews/{id}` comes behind the figures, whose paths it would take. */
const operations = [...figureOperations, ...caseOperations, ...stepOperations];

export const document: DocumentPart = {
  paths: pathsOf(operations, 'reviews'),
  tags: { reviews: 'Cases that people decide.' },
  ...eventsPart,
};

export function open(api: Api): ApiRoom {
  const { databases, limits, metrics, authenticate, draining, log, controls } = api;
  const { primary, now } = databases;
  const answerStatus = createLive({
    authenticate,
    log,
    everyMs: STATUS_EVERY_MS,
    signal: draining,
    readers: READERS,
    refusal: () => refusalOf(controls, 'live-figures'),
    read: () => readStatus(primary.query, now()),
    toPoint: toReviewPoint,
  });
  const parts = { database: primary, metrics: createReviewMetrics(metrics.make), answerStatus };
  return { routes: [routesOf(operations, limits, parts)] };
}

/** `/v1/reviews/{id}/…`: what reviewers do with a case, a path each. */
import {
  answer,
  bodyOf,
  type DescribedBody,
  type Operation,
  operation,
} from '../../../kit/http/operation.ts';
import type { Role } from '../../../kit/words/principal.ts';
import { type CaseJson, caseSchema, claimedCase, decidedCase, openCase } from '../case.ts';
import { decideSchema } from '../case-steps.ts';
import {
  assignSchema,
  reasonSchema,
  reviewerOf,
  STEPS,
  type Step,
  takeStep,
} from '../change/steps.ts';
import { casePath, OFFICERS, type Parts, REVIEWERS } from './cases.ts';

type StepOperation<Input> = {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly roles: readonly Role[];
  readonly example: CaseJson;
  readonly step: Step<Input>;
  readonly body?: DescribedBody<Input>;
};

/** @param name the last part of the path */
function stepOperation<Input = void>(
  name: keyof typeof STEPS,
  { example, step, ...described }: StepOperation<Input>,
): Operation<Parts> {
  return operation({
    ...described,
    method: 'post',
    at: `/v1/reviews/{id}/${name}`,
    path: casePath,
    answers: { 200: answer('The case as it is now.', caseSchema, example) },
    problems: [404, 409],
    run: ({ path: { id }, body, by }, { database }: Parts) =>
      takeStep(database, step, id, reviewerOf(by), body),
  });
}

export const stepOperations: readonly Operation<Parts>[] = [
  stepOperation('claim', {
    operationId: 'claimCase',
    summary: 'Claim a case',
    description:
      'Only one person has it at a time, until the lock expires. A repetition extends the lock.',
    roles: REVIEWERS,
    example: claimedCase,
    step: STEPS.claim,
  }),
  stepOperation('lock', {
    operationId: 'keepCaseLock',
    summary: 'Extend the lock of a claimed case',
    roles: REVIEWERS,
    example: claimedCase,
    step: STEPS.lock,
  }),
  stepOperation('assign', {
    operationId: 'assignCase',
    summary: 'Assign a case to a person, or to nobody',
    description: 'Anybody else who has claimed it loses it.',
    roles: OFFICERS,
    example: openCase,
    step: STEPS.assign,
    body: bodyOf(assignSchema, { assignee: null }),
  }),
  stepOperation('decide', {
    operationId: 'decideCase',
    summary: 'Decide a claimed case',
    description:
      'The decision can be undone until final_at; then it is a label of source review, and stands on the transaction. From the amount of the policy on it first waits for a second person (state confirming).',
    roles: REVIEWERS,
    example: decidedCase,
    step: STEPS.decide,
    body: bodyOf(decideSchema, { disposition: 'fraud', reason: 'The cardholder did not make it' }),
  }),
  stepOperation('undo', {
    operationId: 'undoDecision',
    summary: 'Take a decision back before it is final',
    roles: REVIEWERS,
    example: claimedCase,
    step: STEPS.undo,
  }),
  stepOperation('escalate', {
    operationId: 'escalateCase',
    summary: 'Leave a claimed case to a risk officer',
    roles: REVIEWERS,
    example: openCase,
    step: STEPS.escalate,
    body: bodyOf(reasonSchema, { reason: 'It may be a ring' }),
  }),
  stepOperation('release', {
    operationId: 'releaseCase',
    summary: 'Give a claimed case back to the queue',
    roles: REVIEWERS,
    example: openCase,
    step: STEPS.release,
  }),
  stepOperation('confirm', {
    operationId: 'confirmDecision',
    summary: "Confirm another person's decision",
    description: 'The makers of a key count as its holders, as with models.',
    roles: OFFICERS,
    example: decidedCase,
    step: STEPS.confirm,
  }),
  stepOperation('return', {
    operationId: 'returnCase',
    summary: 'Refuse to confirm: the case is open again',
    roles: OFFICERS,
    example: openCase,
    step: STEPS.return,
    body: bodyOf(reasonSchema, { reason: 'The receipt is missing' }),
  }),
];

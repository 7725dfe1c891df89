/** `/v1/reviews`: the queue of cases, one case, its notes, and final decisions. Steps are in steps.ts. */

import type { Context } from 'hono';
import { z } from 'zod';
import { TRANSACTION_ID } from '../../../core/accept/examples.ts';
import type { Database } from '../../../kit/database/pool.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { answer, bodyOf, change, list, type Operation, read } from '../../../kit/http/operation.ts';
import { CURSOR_DESCRIPTION, pageLimit, shown } from '../../../kit/words/list-parameters.ts';
import { pageSchema } from '../../../kit/words/page.ts';
import { caseDetailSchema, caseSchema } from '../case.ts';
import { decideMany, manySchema, refusedCaseSchema } from '../change/decide-many.ts';
import { newCaseSchema, openByHand } from '../change/raise-cases.ts';
import { addNote, claimNext, nextSchema, noteSchema, reviewerOf } from '../change/steps.ts';
import { finalDecisionSchema } from '../final-decision.ts';
import type { ReviewMetrics } from '../metrics.ts';
import { priorityNames } from '../policy.ts';
import { caseListParameters, listCases, readCaseDetail } from '../queries/cases.ts';
import { listDecisions } from '../store/decisions.ts';

export const REVIEWERS = ['analyst', 'risk_officer'] as const;

/** Parts of the process that the routes of the review need. */
export type Parts = {
  /** The primary: a case that somebody has claimed must not look free. */
  readonly database: Pick<Database, 'query' | 'transaction'>;
  readonly metrics: ReviewMetrics;
  /** Answers the status, once or live. */
  readonly answerStatus: (c: Context<AppEnv>) => Promise<Response>;
};

export const OFFICERS = ['risk_officer'] as const;

/** No stored case has this id, so that running the example decides no case that a later example needs. */
const OTHER_ID = '01a1f84a-95c0-7000-8000-00000000002b';

export const casePath = z.object({
  id: z.uuid().toLowerCase().meta({ description: 'The transaction.', example: TRANSACTION_ID }),
});
const decisionParameters = z.strictObject({
  limit: pageLimit,
  cursor: z
    .string()
    .refine((text) => /^\d{1,18}$/.test(text), 'must be the id of a decision')
    .optional()
    .meta(shown('0', `${CURSOR_DESCRIPTION} Any decision_id: the list goes on after it.`)),
});
const nextAnswer = z.object({ case: caseSchema.nullable() }).meta({ id: 'ClaimedCase' });
const noteAnswer = z.object({ note_id: z.string() }).meta({ id: 'AddedNote' });
const manyAnswer = z
  .object({ items: z.array(caseSchema), refused: z.array(refusedCaseSchema) })
  .meta({ id: 'DecidedMany' });

/** `/v1/reviews/{id}` comes behind the paths that it would take. */
export const caseOperations: readonly Operation<Parts>[] = [
  read({
    at: '/v1/reviews',
    operationId: 'listCases',
    summary: 'Cases, the most urgent first',
    description:
      'In the order of priority and deadline; closed ones by the time they were closed, newest first.',
    roles: REVIEWERS,
    query: caseListParameters,
    answers: { 200: answer('One page.', pageSchema(caseSchema)) },
    run: ({ query }, { database }: Parts) => listCases(database.query, query),
  }),
  change({
    at: '/v1/reviews',
    operationId: 'openCase',
    summary: 'Open a case by hand',
    description: 'A transaction has one case: where there is one, it is answered unchanged.',
    roles: REVIEWERS,
    body: bodyOf(newCaseSchema),
    answers: {
      200: answer('The case that the transaction has already.', caseSchema),
      201: answer('The new case.', caseSchema),
    },
    problems: [404],
    run: async ({ body, by, c }, { database, metrics }: Parts) => {
      const { isNew, opened } = await openByHand(database, body, by);
      if (!isNew) return opened;
      metrics.casesOpened.inc({ source: opened.source, priority: opened.priority });
      if (opened.market_amount === null) metrics.casesUnrated.inc();
      return c.json(opened, 201);
    },
  }),
  change({
    at: '/v1/reviews/next',
    operationId: 'claimNextCase',
    summary: 'Claim the most urgent case',
    description:
      'Nobody else gets it until its lock expires. Cases that others have claimed, that are assigned to others, or left to a risk officer are passed by.',
    roles: REVIEWERS,
    body: bodyOf(nextSchema),
    answers: { 200: answer('The case; null where none waits.', nextAnswer) },
    run: async ({ body: { corridor, priority }, by }, { database }: Parts) => {
      const filter = { corridor, priority: priority && priorityNames.indexOf(priority) };
      return { case: await claimNext(database, filter, reviewerOf(by)) };
    },
  }),
  change({
    at: '/v1/reviews/decide',
    operationId: 'decideCases',
    summary: 'Decide up to 100 named cases at once, with one reason',
    description:
      'Each case is decided or refused by itself, and needs no claim before. The same request sent again changes nothing.',
    roles: REVIEWERS,
    body: bodyOf(manySchema, {
      cases: [OTHER_ID],
      disposition: 'fraud',
      reason: 'The cardholder did not make them',
    }),
    answers: { 200: answer('The decided cases, and why others were refused.', manyAnswer) },
    run: ({ body, by }, { database }: Parts) => decideMany(database, body, reviewerOf(by)),
  }),
  list({
    at: '/v1/reviews/decisions',
    operationId: 'listFinalDecisions',
    summary: 'Final decisions in the order of their commits',
    description: 'A reader that keeps the last decision_id and goes on from there misses none.',
    roles: REVIEWERS,
    query: decisionParameters,
    row: finalDecisionSchema,
    says: 'One page, oldest first.',
    rows: ({ query: { cursor = '0', limit } }, { database }: Parts) =>
      listDecisions(database.query, cursor, limit),
    cursorOf: ({ decision_id: id }) => id,
  }),
  read({
    at: '/v1/reviews/{id}',
    operationId: 'readCase',
    summary: 'One case with its notes, its history and its final decisions',
    roles: REVIEWERS,
    path: casePath,
    answers: { 200: answer('The case.', caseDetailSchema) },
    run: ({ path: { id } }, { database }: Parts) => readCaseDetail(database.query, id),
  }),
  change({
    at: '/v1/reviews/{id}/notes',
    operationId: 'addNote',
    summary: 'Write a note',
    roles: REVIEWERS,
    path: casePath,
    body: bodyOf(noteSchema),
    answers: { 201: answer('Written.', noteAnswer) },
    run: ({ path: { id }, body, by }, { database }: Parts) => addNote(database, id, body, by),
  }),
];

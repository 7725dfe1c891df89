/** `/v1/reviews/{id}/…`: what reviewers do with a case, a path each. */
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { TRANSACTION_ID } from '../../../core/accept/examples.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { actorOf, requireRole } from '../../../kit/http/auth/auth.ts';
import { type BodyLimits, checkFields, readJson } from '../../../kit/http/body/body.ts';
import { allowedRoles, json, problemResponses } from '../../../kit/http/openapi.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { Role } from '../../../kit/words/principal.ts';
import { type By, type Reviewing, reviewerOf } from '../change/reviewing.ts';
import { decidedCase, openCase, reviewCase } from '../examples/reviews.ts';
import type { ReviewMetrics } from '../metrics.ts';
import {
  assignSchema,
  type CaseJson,
  caseSchema,
  decideSchema,
  reasonSchema,
} from '../review-case.ts';

const REVIEWERS = ['analyst', 'risk_officer'] as const;
const OFFICERS = ['risk_officer'] as const;

const path = z.object({
  id: z.uuid().toLowerCase().meta({ description: 'The transaction.', example: TRANSACTION_ID }),
});

export function reviewStepsRoutes(
  reviewing: Reviewing,
  limits: BodyLimits,
  { claims }: Pick<ReviewMetrics, 'claims'>,
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  const serve = (
    name: string,
    roles: readonly Role[],
    run: (id: string, by: By, c: Context<AppEnv>) => Promise<CaseJson>,
  ) =>
    routes.post(`/v1/reviews/:id/${name}`, requireRole(...roles), async (c) => {
      const { id } = checkFields(path, { id: c.req.param('id') });
      return c.json(await run(id, reviewerOf(actorOf(c), c.get('principal')), c));
    });
  const body = async <T>(c: Context<AppEnv>, schema: z.ZodType<T>) =>
    checkFields(schema, await readJson(c, limits));

  serve('claim', REVIEWERS, async (id, by) => {
    const claimed = await reviewing.claim(id, by).catch((error: unknown) => {
      if (error instanceof Failure && error.code === 'CASE_LOCKED') claims.inc({ outcome: 'lost' });
      throw error;
    });
    claims.inc({ outcome: 'won' });
    return claimed;
  });
  serve('lock', REVIEWERS, (id, by) => reviewing.keepLock(id, by));
  serve('release', REVIEWERS, (id, by) => reviewing.release(id, by));
  serve('assign', OFFICERS, async (id, by, c) =>
    reviewing.assign(id, (await body(c, assignSchema)).assignee, by),
  );
  serve('escalate', REVIEWERS, async (id, by, c) =>
    reviewing.escalate(id, (await body(c, reasonSchema)).reason, by),
  );
  serve('decide', REVIEWERS, async (id, by, c) =>
    reviewing.decide(id, await body(c, decideSchema), by),
  );
  serve('confirm', OFFICERS, (id, by) => reviewing.confirm(id, by));
  serve('return', OFFICERS, async (id, by, c) =>
    reviewing.giveBack(id, (await body(c, reasonSchema)).reason, by),
  );
  serve('undo', REVIEWERS, (id, by) => reviewing.undo(id, by));
  return routes;
}

type Step = {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly roles: readonly Role[];
  readonly answer: CaseJson;
};

function post({ roles, answer, ...step }: Step, content?: ReturnType<typeof json>) {
  const bodyProblems = content === undefined ? [] : ([400, 408, 413, 415] as const);
  return {
    post: {
      ...step,
      tags: ['reviews'],
      security: allowedRoles(...roles),
      requestParams: { path },
      ...(content === undefined ? {} : { requestBody: { required: true, content } }),
      responses: {
        200: { description: 'The case as it is now.', content: json(caseSchema, answer) },
        ...problemResponses(...bodyProblems, 404, 409, 422),
      },
    },
  };
}

export const reviewStepsPaths: ZodOpenApiPathsObject = {
  '/v1/reviews/{id}/claim': post({
    ...{ operationId: 'claimCase', summary: 'Claim a case', roles: REVIEWERS, answer: reviewCase },
    description:
      'Only one person has it at a time, until the lock expires. A repetition extends the lock.',
  }),
  '/v1/reviews/{id}/lock': post({
    ...{ operationId: 'keepCaseLock', summary: 'Extend the lock of a claimed case' },
    ...{ roles: REVIEWERS, answer: reviewCase },
  }),
  '/v1/reviews/{id}/assign': post(
    {
      ...{ operationId: 'assignCase', summary: 'Assign a case to a person, or to nobody' },
      ...{ roles: OFFICERS, answer: openCase },
      description: 'Anybody else who has claimed it loses it.',
    },
    json(assignSchema, { assignee: null }),
  ),
  '/v1/reviews/{id}/decide': post(
    {
      ...{ operationId: 'decideCase', summary: 'Decide a claimed case' },
      ...{ roles: REVIEWERS, answer: decidedCase },
      description:
        'The decision can be undone until final_at; then it is a label of source review, and stands on the transaction. From the amount of the policy on it first waits for a second person (state confirming).',
    },
    json(decideSchema, { disposition: 'fraud', reason: 'The cardholder did not make it' }),
  ),
  '/v1/reviews/{id}/undo': post({
    ...{ operationId: 'undoDecision', summary: 'Take a decision back before it is final' },
    ...{ roles: REVIEWERS, answer: reviewCase },
  }),
  '/v1/reviews/{id}/escalate': post(
    {
      ...{ operationId: 'escalateCase', summary: 'Leave a claimed case to a risk officer' },
      ...{ roles: REVIEWERS, answer: openCase },
    },
    json(reasonSchema, { reason: 'It may be a ring' }),
  ),
  '/v1/reviews/{id}/release': post({
    ...{ operationId: 'releaseCase', summary: 'Give a claimed case back to the queue' },
    ...{ roles: REVIEWERS, answer: openCase },
  }),
  '/v1/reviews/{id}/confirm': post({
    ...{ operationId: 'confirmDecision', summary: "Confirm another person's decision" },
    ...{ roles: OFFICERS, answer: decidedCase },
    description: 'The makers of a key count as its holders, as with models.',
  }),
  '/v1/reviews/{id}/return': post(
    {
      ...{ operationId: 'returnCase', summary: 'Refuse to confirm: the case is open again' },
      ...{ roles: OFFICERS, answer: openCase },
    },
    json(reasonSchema, { reason: 'The receipt is missing' }),
  ),
};

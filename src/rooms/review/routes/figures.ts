/** `/v1/reviews/status`, `/shift`, `/capacity` and `/policy`: how the review stands, and the rules that it follows. */
import { Hono } from 'hono';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { actorOf, requireRole } from '../../../kit/http/auth/auth.ts';
import { type BodyLimits, checkFields, readJson, readQuery } from '../../../kit/http/body/body.ts';
import {
  createLive,
  describeLive,
  type LiveDependencies,
  liveContent,
} from '../../../kit/http/live/answer-live.ts';
import { allowedRoles, json, problemResponses } from '../../../kit/http/openapi.ts';
import type { Policies } from '../change/policies.ts';
import {
  reviewCapacity,
  reviewPolicy,
  reviewShift,
  reviewStatus,
} from '../examples/review-policy.ts';
import { reviewPolicySchema, type StoredPolicy } from '../policy.ts';
import { capacityParameters, capacitySchema } from '../queries/capacity.ts';
import type { ReadCases } from '../queries/reading-cases.ts';
import { shiftParameters, shiftSchema } from '../queries/shift.ts';
import { reviewStatusSchema, storedPolicySchema, toReviewPoint } from '../queries/status.ts';

/** Each reading counts the cases that wait: 10 statements, 0.4 s of 200,000 open cases. */
const TIMES = { everyMs: 5000, isAlwaysRead: false };
const READERS = ['analyst', 'operator', 'risk_officer'] as const;
const REVIEWERS = ['analyst', 'risk_officer'] as const;

export function reviewPolicyRoutes(
  { read, change }: Policies,
  { readReviewStatus, readShift, readCapacity }: ReadCases,
  limits: BodyLimits,
  live: LiveDependencies,
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  const figures = { read: readReviewStatus, toPoint: toReviewPoint, readers: READERS };
  const status = createLive({ ...live, ...figures, ...TIMES });

  routes.get('/v1/reviews/status', requireRole(...READERS), status);

  routes.get('/v1/reviews/shift', requireRole(...REVIEWERS), async (c) =>
    c.json(await readShift(actorOf(c).name, readQuery(c, shiftParameters))),
  );

  routes.get('/v1/reviews/capacity', requireRole(...READERS), async (c) =>
    c.json(await readCapacity(readQuery(c, capacityParameters))),
  );

  routes.get('/v1/reviews/policy', requireRole(...READERS), async (c) =>
    c.json(toPolicyJson(await read())),
  );

  routes.post('/v1/reviews/policy', requireRole('risk_officer'), async (c) => {
    const policy = checkFields(reviewPolicySchema, await readJson(c, limits));
    return c.json(toPolicyJson(await change(policy, actorOf(c))), 201);
  });

  return routes;
}

function toPolicyJson({ version, policy, madeAt, madeBy }: StoredPolicy) {
  return { version, made_at: madeAt.toISOString(), made_by: madeBy, policy };
}

const stored = {
  version: 1,
  ...{ made_at: '2026-11-20T08:00:00.000Z', made_by: 'engine', policy: reviewPolicy },
};
const tags = ['reviews'];
const security = allowedRoles(...READERS);

export const reviewPolicyPaths: ZodOpenApiPathsObject = {
  '/v1/reviews/status': {
    get: {
      ...{ operationId: 'readReviewStatus', tags, security },
      summary: 'What waits, what will miss its deadline, and which overflow rules are met',
      description: describeLive(TIMES),
      responses: {
        200: { description: 'As of now.', content: liveContent(reviewStatusSchema, reviewStatus) },
        ...problemResponses(),
      },
    },
  },
  '/v1/reviews/shift': {
    get: {
      ...{ operationId: 'readReviewShift', tags, security: allowedRoles(...REVIEWERS) },
      summary: 'What you have decided since the begin of your shift',
      requestParams: { query: shiftParameters },
      responses: {
        200: { description: 'As of now.', content: json(shiftSchema, reviewShift) },
        ...problemResponses(422),
      },
    },
  },
  '/v1/reviews/capacity': {
    get: {
      ...{ operationId: 'readReviewCapacity', tags, security },
      summary: 'How many officers the reviews take, now and with growth',
      description: 'From measured figures, unless the question gives others.',
      requestParams: { query: capacityParameters },
      responses: {
        200: { description: 'The figures.', content: json(capacitySchema, reviewCapacity) },
        ...problemResponses(422),
      },
    },
  },
  '/v1/reviews/policy': {
    get: {
      ...{ operationId: 'readReviewPolicy', tags, security },
      summary: 'The policy in force: priorities, deadlines, overflow rules, bounds',
      responses: {
        200: { description: 'The newest version.', content: json(storedPolicySchema, stored) },
        ...problemResponses(),
      },
    },
    post: {
      ...{ operationId: 'changeReviewPolicy', tags, security: allowedRoles('risk_officer') },
      summary: 'Put a new version of the policy in force',
      description: 'Cases that are open keep their priority and deadline.',
      requestBody: { required: true, content: json(reviewPolicySchema, reviewPolicy) },
      responses: {
        201: { description: 'The new version.', content: json(storedPolicySchema, stored) },
        ...problemResponses(400, 408, 413, 415, 422),
      },
    },
  },
};

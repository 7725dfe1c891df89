/** `/v1/reviews`: the queue of cases, one case, notes and files, and final decisions. Steps are in review-steps.ts. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { TRANSACTION_ID } from '../../../core/accept/examples.ts';
import { pageSchema } from '../../../core/read/page.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { actorOf, requireRole } from '../../../kit/http/auth/auth.ts';
import { type BodyLimits, checkFields, readJson, readQuery } from '../../../kit/http/body/body.ts';
import { allowedRoles, json, problemResponses } from '../../../kit/http/openapi.ts';
import { CURSOR_DESCRIPTION, pageLimit, shown } from '../../../kit/words/list-parameters.ts';
import { type Reviewing, reviewerOf } from '../change/reviewing.ts';
import {
  caseDetail,
  decidedCase,
  finalDecision,
  openCase,
  reviewCase,
} from '../examples/reviews.ts';
import type { ReviewMetrics } from '../metrics.ts';
import { caseDetailSchema, caseFileSchema, finalDecisionSchema } from '../queries/read-cases.ts';
import type { ReadCases } from '../queries/reading-cases.ts';
import {
  caseListParameters,
  caseSchema,
  fileSchema,
  newCaseSchema,
  nextSchema,
  noteSchema,
  ringSchema,
} from '../review-case.ts';
import { priorityNames } from '../review-policy.ts';

const REVIEWERS = ['analyst', 'risk_officer'] as const;

const path = z.object({
  id: z.uuid().toLowerCase().meta({ description: 'The transaction.', example: TRANSACTION_ID }),
});
const filePath = path.extend({
  note_id: z.string().meta({ description: 'Of a note with a file.', example: '3' }),
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
const ringAnswer = z
  .object({
    items: z.array(caseSchema),
    more: z.boolean().meta({ description: 'Further cases of the party are open: call again.' }),
  })
  .meta({ id: 'DecidedRing' });

export function reviewsRoutes(
  reviewing: Reviewing,
  reading: ReadCases,
  limits: BodyLimits,
  {
    claims,
    casesOpened,
    casesUnrated,
  }: Pick<ReviewMetrics, 'claims' | 'casesOpened' | 'casesUnrated'>,
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  const mayReview = requireRole(...REVIEWERS);

  routes.get('/v1/reviews', mayReview, async (c) =>
    c.json(await reading.listCases(readQuery(c, caseListParameters))),
  );

  routes.post('/v1/reviews', mayReview, async (c) => {
    const input = checkFields(newCaseSchema, await readJson(c, limits));
    const by = reviewerOf(actorOf(c), c.get('principal'));
    const { isNew, case: one } = await reviewing.open(input.transaction_id, input.note ?? null, by);
    if (isNew) {
      casesOpened.inc({ source: one.source, priority: one.priority });
      if (one.market_amount === null) casesUnrated.inc();
    }
    return c.json(one, isNew ? 201 : 200);
  });

  routes.post('/v1/reviews/next', mayReview, async (c) => {
    const { corridor, priority } = checkFields(nextSchema, await readJson(c, limits));
    const filter = {
      corridor,
      priority: priority === undefined ? undefined : priorityNames.indexOf(priority),
    };
    const by = reviewerOf(actorOf(c), c.get('principal'));
    const claimed = (await reviewing.next(filter, by)) ?? null;
    claims.inc({ outcome: claimed === null ? 'empty' : 'won' });
    return c.json({ case: claimed });
  });

  routes.post('/v1/reviews/ring', mayReview, async (c) => {
    const input = checkFields(ringSchema, await readJson(c, limits));
    return c.json(await reviewing.decideRing(input, reviewerOf(actorOf(c), c.get('principal'))));
  });

  routes.get('/v1/reviews/decisions', mayReview, async (c) => {
    const { cursor = '0', limit } = readQuery(c, decisionParameters);
    return c.json(await reading.listFinalDecisions(cursor, limit));
  });

  routes.get('/v1/reviews/:id', mayReview, async (c) =>
    c.json(await reading.readCase(checkFields(path, c.req.param()).id)),
  );

  routes.post('/v1/reviews/:id/notes', mayReview, async (c) => {
    const { id } = checkFields(path, c.req.param());
    const { note } = checkFields(noteSchema, await readJson(c, limits));
    const by = reviewerOf(actorOf(c), c.get('principal'));
    return c.json(await reviewing.note(id, note, by), 201);
  });

  routes.post('/v1/reviews/:id/files', mayReview, async (c) => {
    const { id } = checkFields(path, c.req.param());
    const file = checkFields(fileSchema, await readJson(c, limits));
    const by = reviewerOf(actorOf(c), c.get('principal'));
    return c.json(await reviewing.attach(id, file, by), 201);
  });

  routes.get('/v1/reviews/:id/files/:note_id', mayReview, async (c) => {
    const { id, note_id: noteId } = checkFields(filePath, c.req.param());
    return c.json(await reading.readCaseFile(id, noteId));
  });

  return routes;
}

const common = { tags: ['reviews'], security: allowedRoles(...REVIEWERS) };
const BODY_PROBLEMS = [400, 408, 413, 415, 422] as const;

export const reviewsPaths: ZodOpenApiPathsObject = {
  '/v1/reviews': {
    get: {
      ...common,
      operationId: 'listCases',
      summary: 'Cases, the most urgent first',
      description:
        'In the order of priority and deadline; closed ones by the time they were closed, newest first.',
      requestParams: { query: caseListParameters },
      responses: {
        200: {
          description: 'One page.',
          content: json(pageSchema(caseSchema), { items: [reviewCase], next_cursor: null }),
        },
        ...problemResponses(422),
      },
    },
    post: {
      ...common,
      operationId: 'openCase',
      summary: 'Open a case by hand',
      description: 'A transaction has one case: where there is one, it is answered unchanged.',
      requestBody: {
        required: true,
        content: json(newCaseSchema, { transaction_id: TRANSACTION_ID, note: 'A customer called' }),
      },
      responses: {
        200: { description: 'There is one.', content: json(caseSchema, openCase) },
        201: { description: 'Opened.', content: json(caseSchema, openCase) },
        ...problemResponses(...BODY_PROBLEMS, 404),
      },
    },
  },
  '/v1/reviews/next': {
    post: {
      ...common,
      operationId: 'claimNextCase',
      summary: 'Claim the most urgent case',
      description:
        'Nobody else gets it until its lock expires. Cases that others have claimed, that are assigned to others, or left to a risk officer are passed by.',
      requestBody: { required: true, content: json(nextSchema, {}) },
      responses: {
        200: {
          description: 'The case; null where none waits.',
          content: json(nextAnswer, { case: reviewCase }),
        },
        ...problemResponses(...BODY_PROBLEMS, 409),
      },
    },
  },
  '/v1/reviews/{id}': {
    get: {
      ...common,
      operationId: 'readCase',
      summary: 'One case with its notes, its history and its final decisions',
      requestParams: { path },
      responses: {
        200: { description: 'The case.', content: json(caseDetailSchema, caseDetail) },
        ...problemResponses(404, 422),
      },
    },
  },
  '/v1/reviews/{id}/notes': {
    post: {
      ...common,
      operationId: 'addNote',
      summary: 'Write a note',
      requestParams: { path },
      requestBody: { required: true, content: json(noteSchema, { note: 'Called the cardholder' }) },
      responses: {
        201: { description: 'Written.', content: json(noteAnswer, { note_id: '3' }) },
        ...problemResponses(...BODY_PROBLEMS, 404, 409),
      },
    },
  },
  '/v1/reviews/{id}/files': {
    post: {
      ...common,
      operationId: 'attachFile',
      summary: 'Attach a small file',
      requestParams: { path },
      requestBody: {
        required: true,
        content: json(fileSchema, {
          ...{ file_name: 'call.txt', file_type: 'text/plain', content: 'bm8gYW5zd2VyCg==' },
        }),
      },
      responses: {
        201: { description: 'Attached.', content: json(noteAnswer, { note_id: '4' }) },
        ...problemResponses(...BODY_PROBLEMS, 404, 409),
      },
    },
  },
  '/v1/reviews/{id}/files/{note_id}': {
    get: {
      ...common,
      operationId: 'readCaseFile',
      summary: 'An attached file',
      description: 'As base64 within JSON, so that no browser shows it as a page.',
      requestParams: { path: filePath },
      responses: {
        200: {
          description: 'The file.',
          content: json(caseFileSchema, {
            ...{ file_name: 'call.txt', file_type: 'text/plain', content: 'bm8gYW5zd2VyCg==' },
          }),
        },
        ...problemResponses(404, 422),
      },
    },
  },
  '/v1/reviews/ring': {
    post: {
      ...common,
      operationId: 'decideRing',
      summary: 'Decide all open cases of an account, a merchant or a device at once',
      description:
        'At most 100 a call. Cases that others have claimed, that are assigned to others or left to a risk officer stay as they are. A case of a high amount waits for a second person, as any other.',
      requestBody: {
        required: true,
        content: json(ringSchema, {
          ...{ party: 'device', id: 'device-4f2a', disposition: 'fraud' },
          reason: 'One device behind many accounts',
        }),
      },
      responses: {
        200: {
          description: 'The cases as they are now.',
          content: json(ringAnswer, { items: [decidedCase], more: false }),
        },
        ...problemResponses(...BODY_PROBLEMS, 409),
      },
    },
  },
  '/v1/reviews/decisions': {
    get: {
      ...common,
      operationId: 'listFinalDecisions',
      summary: 'Final decisions in the order of their commits',
      description: 'A reader that keeps the last decision_id and goes on from there misses none.',
      requestParams: { query: decisionParameters },
      responses: {
        200: {
          description: 'One page, oldest first.',
          content: json(pageSchema(finalDecisionSchema), {
            items: [finalDecision],
            next_cursor: null,
          }),
        },
        ...problemResponses(422),
      },
    },
  },
};

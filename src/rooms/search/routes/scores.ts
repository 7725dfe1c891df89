/** `/v1/scores`: one score, its explanation, and the list that analysts search. */
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { foundScore, score, TRANSACTION_ID } from '../../../core/accept/examples.ts';
import { scoreSchema } from '../../../core/domain/score-record.ts';
import type { ScoreLookup } from '../../../core/read/read-score.ts';
import {
  foundScoreSchema,
  SEARCH_DESCRIPTION,
  searchPageSchema,
} from '../../../core/read/search-json.ts';
import { scoreSearchParameters } from '../../../core/read/search-parameters.ts';
import { ageHeaders, sayAge } from '../../../kit/http/answers/age.ts';
import { answerHeaders } from '../../../kit/http/answers/answer-headers.ts';
import {
  answerKept,
  conditionalHeader,
  KEEP_A_DAY,
  keptHeaders,
  notModified,
} from '../../../kit/http/answers/kept.ts';
import { Problem } from '../../../kit/http/answers/problem.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { requireRole } from '../../../kit/http/auth/auth.ts';
import { readQuery } from '../../../kit/http/body/body.ts';
import { readToken, tokenParameter } from '../../../kit/http/consistency.ts';
import { allowedRoles, json, ownClientAlone, problemResponses } from '../../../kit/http/openapi.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { clientSeen, type Role } from '../../../kit/words/principal.ts';
import { explanation, habit } from '../examples/explanations.ts';
import {
  explanationParameters,
  explanationSchema,
  type Unexplained,
} from '../queries/explain-score.ts';
import { habitSchema } from '../queries/habit.ts';
import type { Reading } from '../queries/reading.ts';

const PENDING_RETRY_AFTER_SECONDS = '1';

const pendingSchema = z
  .object({ transaction_id: z.uuid(), status: z.literal('accepted') })
  .meta({ id: 'PendingScore' });

/** The route of one score, and who may read it: hot-scores.ts answers it, too. */
export const SCORE_ROUTE = '/v1/scores/:id';
export const SCORE_READERS: readonly Role[] = ['analyst', 'ingest'];

export function scoresRoutes(reading: Reading): Hono<AppEnv> {
  const { readScore, explainScore, readHabit, searchScores } = reading;
  const routes = new Hono<AppEnv>();

  routes.get('/v1/scores', requireRole('analyst'), async (c) =>
    c.json(sayAge(c, await searchScores(readQuery(c, scoreSearchParameters), readToken(c)))),
  );

  routes.get(SCORE_ROUTE, requireRole(...SCORE_READERS), async (c) => {
    const transactionId = c.req.param('id');
    // A score never changes, and the primary is asked for one that is missing: the token needs nothing more.
    readToken(c);
    const lookup = await readScore(transactionId, clientSeen(c.get('principal')));
    switch (lookup.kind) {
      case 'scored':
        return answerKept(c, sayAge(c, lookup.served), KEEP_A_DAY);
      case 'pending':
        c.header('Retry-After', PENDING_RETRY_AFTER_SECONDS);
        return c.json({ transaction_id: transactionId, status: 'accepted' as const }, 202);
      case 'dead-letter':
      case 'unknown':
        throw unscored(lookup.kind, transactionId);
    }
  });

  routes.get('/v1/scores/:id/explanation', requireRole('analyst'), async (c) => {
    const { method } = readQuery(c, explanationParameters);
    const transactionId = c.req.param('id');
    const after = readToken(c);
    const result = sayAge(c, await explainScore(transactionId, method, after));
    if (result.kind === 'explained') return c.json(result.explanation);
    throw await findRefusal(c, { readScore }, transactionId, result);
  });

  routes.get('/v1/scores/:id/habit', requireRole('analyst'), async (c) => {
    const transactionId = c.req.param('id');
    const result = sayAge(c, await readHabit(transactionId, readToken(c)));
    if (result.kind === 'habit') return c.json(result.habit);
    throw await findRefusal(c, { readScore }, transactionId, result);
  });

  return routes;
}

/** Returns why a transaction has no score that this version explains. */
export async function findRefusal(
  c: Context<AppEnv>,
  { readScore }: Pick<Reading, 'readScore'>,
  transactionId: string,
  result: Unexplained,
): Promise<Problem> {
  switch (result.kind) {
    case 'not-scored': {
      const { kind } = await readScore(transactionId, clientSeen(c.get('principal')));
      return unscored(kind, transactionId);
    }
    case 'unknown-version': {
      const made = `rule set ${result.ruleSet} and feature schema ${result.featureSchema}`;
      return new Problem('conflict', `The score was made with ${made}, which this version lacks.`);
    }
    case 'unknown-model':
      return new Problem(
        'conflict',
        `The score was made by ${result.model}, which ${result.problem}.`,
      );
  }
}

/** Returns why there is no score to explain; a score that was stored meanwhile is found by the next request. */
function unscored(kind: ScoreLookup['kind'], id: string): Problem {
  switch (kind) {
    case 'dead-letter':
      return new Problem(
        'dead-letter',
        `Scoring of ${given(id)} was given up; an operator may replay it.`,
      );
    case 'unknown':
      return new Problem('not-found', `No transaction has the id ${given(id)}.`);
    case 'pending':
    case 'scored':
      return new Problem('not-found', `The transaction ${given(id)} is not scored yet.`, {
        headers: { 'Retry-After': PENDING_RETRY_AFTER_SECONDS },
      });
  }
}

const tags = ['scores'];
const path = z.object({
  id: z.string().meta({ description: 'The transaction.', example: TRANSACTION_ID }),
});

export const scoresPaths: ZodOpenApiPathsObject = {
  '/v1/scores': {
    get: {
      operationId: 'listScores',
      summary: 'Search scores',
      description: SEARCH_DESCRIPTION,
      tags,
      security: allowedRoles('analyst'),
      requestParams: { query: scoreSearchParameters, header: tokenParameter },
      responses: {
        200: {
          description: 'One page.',
          headers: ageHeaders,
          content: json(searchPageSchema(foundScoreSchema), {
            ...{ items: [foundScore], next_cursor: null, complete: true, searched_to: null },
          }),
        },
        ...problemResponses(422),
      },
    },
  },
  '/v1/scores/{id}': {
    get: {
      operationId: 'readScore',
      summary: 'One score',
      ...ownClientAlone('A stored score never changes: keep it, or ask again with If-None-Match.'),
      tags,
      security: allowedRoles('analyst', 'ingest'),
      requestParams: {
        path,
        header: conditionalHeader.extend(tokenParameter.shape),
      },
      responses: {
        200: {
          description: 'The score.',
          headers: keptHeaders,
          content: json(scoreSchema, score),
        },
        202: {
          description: 'Accepted and not scored yet; ask again after `Retry-After` seconds.',
          headers: answerHeaders('Retry-After'),
          content: json(pendingSchema, { transaction_id: TRANSACTION_ID, status: 'accepted' }),
        },
        ...notModified,
        ...problemResponses(404, 410, 422),
      },
    },
  },
  '/v1/scores/{id}/explanation': {
    get: {
      operationId: 'explainScore',
      summary: 'Why a score is what it is',
      tags,
      security: allowedRoles('analyst'),
      requestParams: { path, query: explanationParameters, header: tokenParameter },
      responses: {
        200: {
          description: 'Features, every rule, what the model made of it, and lineage.',
          headers: ageHeaders,
          content: json(explanationSchema, explanation),
        },
        ...problemResponses(404, 409, 410, 422),
      },
    },
  },
  '/v1/scores/{id}/habit': {
    get: {
      operationId: 'readHabit',
      summary: 'What was usual for the account when a transaction was scored',
      description:
        'From the vectors that were logged with the scores of the account before this one; what came later is in none.',
      tags,
      security: allowedRoles('analyst'),
      requestParams: { path, header: tokenParameter },
      responses: {
        200: {
          description: 'Median and range of each feature.',
          headers: ageHeaders,
          content: json(habitSchema, habit),
        },
        ...problemResponses(404, 409, 410, 422),
      },
    },
  },
};

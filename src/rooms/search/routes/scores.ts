/** `/v1/scores/{id}`: one score, its explanation, and what was usual for its account. */
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { score, TRANSACTION_ID } from '../../../core/accept/examples.ts';
import { scoreSchema } from '../../../core/domain/score-record.ts';
import type { Api } from '../../../core/room.ts';
import { type Databases, readAged } from '../../../kit/database/replica/choose-database.ts';
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
import {
  explainScore,
  explanationExample,
  explanationParameters,
  explanationSchema,
  type Unexplained,
} from '../queries/explain-score.ts';
import { habitExample, habitSchema, readHabit } from '../queries/habit.ts';
import { readScore, type ScoreCache, type ScoreLookup } from '../queries/read-score.ts';

const PENDING_RETRY_AFTER_SECONDS = '1';

const pendingSchema = z
  .object({ transaction_id: z.uuid(), status: z.literal('accepted') })
  .meta({ id: 'PendingScore' });

/** The route of one score, and who may read it: hot-scores.ts answers it, too. */
export const SCORE_ROUTE = '/v1/scores/:id';
export const SCORE_READERS: readonly Role[] = ['analyst', 'ingest'];

export function scoresRoutes(
  { databases, models }: Pick<Api, 'databases' | 'models'>,
  scores: ScoreCache,
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get(SCORE_ROUTE, requireRole(...SCORE_READERS), async (c) => {
    const transactionId = c.req.param('id');
    // A score never changes, and the primary is asked for one that is missing: the token needs nothing more.
    readToken(c);
    const client = clientSeen(c.get('principal'));
    const lookup = await readScore(databases, scores, { transactionId, client });
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
    const read = await readAged(databases, readToken(c), (from) =>
      explainScore(from, models, transactionId, method),
    );
    const result = sayAge(c, read);
    if (result.kind === 'explained') return c.json(result.explanation);
    throw await findRefusal(c, databases, scores, transactionId, result);
  });

  routes.get('/v1/scores/:id/habit', requireRole('analyst'), async (c) => {
    const transactionId = c.req.param('id');
    const read = await readAged(databases, readToken(c), (from) => readHabit(from, transactionId));
    const result = sayAge(c, read);
    if (result.kind === 'habit') return c.json(result.habit);
    throw await findRefusal(c, databases, scores, transactionId, result);
  });

  return routes;
}

/** Returns why a transaction has no score that this version explains. */
export async function findRefusal(
  c: Context<AppEnv>,
  databases: Databases,
  scores: ScoreCache,
  transactionId: string,
  result: Unexplained,
): Promise<Problem> {
  switch (result.kind) {
    case 'not-scored': {
      const client = clientSeen(c.get('principal'));
      const { kind } = await readScore(databases, scores, { transactionId, client });
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
          content: json(explanationSchema, explanationExample),
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
          content: json(habitSchema, habitExample),
        },
        ...problemResponses(404, 409, 410, 422),
      },
    },
  },
};

/** `/v1/transactions`: submit one, a batch or a stream of lines; read one; list. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { ageHeaders, sayAge } from '../../kit/http/answers/age.ts';
import { answerHeaders } from '../../kit/http/answers/answer-headers.ts';
import { answerJson } from '../../kit/http/answers/headers.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import type { AppEnv } from '../../kit/http/app-env.ts';
import { checkRole, requireRole } from '../../kit/http/auth/auth.ts';
import {
  type BodyLimits,
  bodyChunks,
  readJson,
  readMediaType,
  readQuery,
} from '../../kit/http/body/body.ts';
import {
  idempotencyKeyParameter,
  readIdempotencyKey,
  withKey,
} from '../../kit/http/body/idempotency-key.ts';
import { LINES_CONTENT_TYPE } from '../../kit/http/body/line-reader.ts';
import { readToken, sayToken, tokenParameter, withoutToken } from '../../kit/http/consistency.ts';
import {
  allowedRoles,
  json,
  ndjson,
  ownClientAlone,
  problemResponses,
} from '../../kit/http/openapi.ts';
import {
  notApplied,
  notAppliedField,
  preferParameter,
  readPreferences,
  waitApplied,
} from '../../kit/http/prefer.ts';
import type { Log } from '../../kit/metrics/log.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { clientSeen } from '../../kit/words/principal.ts';
import { transactionDetail } from '../../rooms/labels/examples.ts';
import type { Reading } from '../../rooms/search/queries/reading.ts';
import { scoreSchema } from '../domain/score-record.ts';
import { transactionInputSchema } from '../domain/transaction.ts';
import {
  foundTransactionSchema,
  SEARCH_DESCRIPTION,
  searchPageSchema,
} from '../read/search-json.ts';
import { transactionSearchParameters } from '../read/search-parameters.ts';
import { transactionDetailSchema, transactionParameters } from '../read/transaction-json.ts';
import { createAcceptBatch } from './accept-batch.ts';
import { createAcceptOne } from './accept-one.ts';
import {
  acceptedBatch,
  acceptedTransaction,
  foundTransaction,
  lineResults,
  NEXT_CURSOR,
  score,
  secondInput,
  TRANSACTION_ID,
  transactionInput,
} from './examples.ts';
import type { Ingest } from './ingest.ts';
import {
  batchInputSchema,
  batchItems,
  readBatchInput,
  readNamingAll,
  readOneInput,
  refusal,
} from './transaction-input.ts';
import { answerLines } from './transaction-lines.ts';
import type { Replies } from './wait-for-score.ts';

const acceptedSchema = z
  .object({
    transaction_id: z.uuid(),
    status: z.enum(['accepted', 'duplicate']),
    created_at: z.iso.datetime(),
    score: scoreSchema.nullable(),
  })
  .meta({ id: 'AcceptedTransaction' });
type Accepted = z.infer<typeof acceptedSchema>;

const batchResultSchema = z
  .object({
    accepted: z.int(),
    duplicates: z.int(),
    results: z.array(
      z.object({
        index: z.int(),
        transaction_id: z.uuid(),
        status: z.enum(['accepted', 'duplicate']),
      }),
    ),
    preferences_not_applied: notAppliedField,
  })
  .meta({ id: 'AcceptedBatch' });
type BatchResult = z.infer<typeof batchResultSchema>;

/** @param draining aborted when the process drains */
export function transactionsRoutes(
  ingest: Ingest,
  replies: Replies,
  { findScore, readTransaction, searchTransactions }: Reading,
  limits: BodyLimits & { readonly waitMsMax: number },
  draining: AbortSignal,
  log: Log,
): Hono<AppEnv> {
  const { waitMsMax } = limits;
  const acceptOne = createAcceptOne(ingest, replies, findScore);
  const acceptBatch = createAcceptBatch(ingest);
  const routes = new Hono<AppEnv>();

  routes.post('/v1/transactions', requireRole('ingest'), async (c) => {
    const headerKey = readIdempotencyKey(c.req.header('idempotency-key'));
    const { waitMs } = readPreferences(c.req.header('prefer'), waitMsMax);
    const value = await readJson(c, limits);
    const read = () => withKey(readOneInput(value), headerKey);
    const input = readNamingAll(read, ingest, [value], []);
    const { client } = c.get('principal');
    const result = await acceptOne({ client, input, waitMs });
    if (result.kind !== 'accepted') throw refusal(result, []);
    const { transactionId, createdAtMs, status, token } = result.outcome;
    const body: Accepted = {
      transaction_id: transactionId,
      status,
      created_at: new Date(createdAtMs).toISOString(),
      score: result.score,
    };
    sayToken(c, token);
    return answerJson(JSON.stringify(body), status === 'accepted' ? 201 : 200, {
      ...(waitMs > 0 ? { 'Preference-Applied': waitApplied(waitMs) } : {}),
      Location: `/v1/transactions/${transactionId}`,
    });
  });

  routes.post('/v1/transactions/batch', requireRole('ingest'), async (c) => {
    const { client } = c.get('principal');
    const preferences = readPreferences(c.req.header('prefer'), waitMsMax);
    if (readMediaType(c) === LINES_CONTENT_TYPE) {
      // The last line has it, as headers are sent before lines are stored.
      withoutToken(c);
      const { timeoutMs, waitForCpu } = limits;
      const body = bodyChunks(c);
      const request = { body, client, preferences, timeoutMs, waitForCpu, draining };
      return answerLines(ingest, log, request);
    }
    const value = await readJson(c, limits);
    const read = () => readBatchInput(value);
    const inputs = readNamingAll(read, ingest, batchItems(value), ['transactions']);
    const result = await acceptBatch({ client, inputs });
    if (result.kind !== 'accepted') throw refusal(result, ['transactions']);
    const body: BatchResult = {
      ...{ accepted: 0, duplicates: 0, results: [] },
      ...notApplied(preferences, []),
    };
    for (const [index, { transactionId, status }] of result.outcomes.entries()) {
      if (status === 'accepted') body.accepted++;
      else body.duplicates++;
      body.results.push({ index, transaction_id: transactionId, status });
    }
    sayToken(c, result.outcomes[0]?.token);
    return answerJson(JSON.stringify(body), 200);
  });

  routes.get('/v1/transactions', requireRole('analyst'), async (c) => {
    const parameters = readQuery(c, transactionSearchParameters);
    return c.json(sayAge(c, await searchTransactions(parameters, readToken(c))));
  });

  routes.get('/v1/transactions/:id', requireRole('analyst', 'ingest'), async (c) => {
    const client = clientSeen(c.get('principal'));
    const parameters = readQuery(c, transactionParameters);
    if (parameters.expand?.has('explanation') === true) checkRole(c, ['analyst']);
    const id = c.req.param('id');
    const transaction = sayAge(c, await readTransaction(id, client, parameters, readToken(c)));
    if (transaction === undefined) {
      throw new Problem('not-found', `No transaction has the id ${given(id)}.`);
    }
    return c.json(transaction);
  });

  return routes;
}

const SUBMIT_PROBLEMS = [400, 408, 409, 413, 415, 422] as const;
const tags = ['transactions'];
const preferHeader = z.object({ Prefer: preferParameter });
const acceptedHeaders = answerHeaders('Location', 'Preference-Applied');

export const transactionsPaths: ZodOpenApiPathsObject = {
  '/v1/transactions': {
    post: {
      operationId: 'acceptTransaction',
      summary: 'Submit one transaction',
      description: 'Success means that it is stored durably; scoring follows.',
      tags,
      security: allowedRoles('ingest'),
      requestParams: {
        header: preferHeader.extend({
          'Idempotency-Key': idempotencyKeyParameter,
        }),
      },
      requestBody: { required: true, content: json(transactionInputSchema, transactionInput) },
      responses: {
        200: {
          description: 'A duplicate of an earlier one.',
          headers: acceptedHeaders,
          content: json(acceptedSchema, { ...acceptedTransaction, status: 'duplicate', score }),
        },
        201: {
          description: 'Accepted.',
          headers: acceptedHeaders,
          content: json(acceptedSchema, acceptedTransaction),
        },
        ...problemResponses(...SUBMIT_PROBLEMS),
      },
    },
    get: {
      operationId: 'listTransactions',
      summary: 'Search transactions',
      description: SEARCH_DESCRIPTION,
      tags,
      security: allowedRoles('analyst'),
      requestParams: { query: transactionSearchParameters, header: tokenParameter },
      responses: {
        200: {
          description: 'One page.',
          headers: ageHeaders,
          content: json(searchPageSchema(foundTransactionSchema), {
            ...{ items: [foundTransaction], next_cursor: NEXT_CURSOR, complete: true },
            ...{ searched_to: foundTransaction.created_at, total: { count: 3, more: false } },
          }),
        },
        ...problemResponses(422),
      },
    },
  },
  '/v1/transactions/batch': {
    post: {
      operationId: 'acceptTransactions',
      summary: 'Submit up to 1,000 transactions, or a stream of lines',
      description:
        'JSON is all or nothing. Lines are stored in chunks; a bad line refuses only itself. `Prefer: wait` is not applied, as the answer then says in `preferences_not_applied`.',
      tags,
      security: allowedRoles('ingest'),
      requestParams: { header: preferHeader },
      requestBody: {
        required: true,
        content: {
          ...json(batchInputSchema, { transactions: [transactionInput, secondInput] }),
          ...ndjson(['TransactionInput'], [transactionInput, secondInput]),
        },
      },
      responses: {
        200: {
          description: 'Accepted; for lines, what became of each and a last line.',
          headers: answerHeaders('Preference-Applied'),
          content: {
            ...json(batchResultSchema, acceptedBatch),
            ...ndjson(['TransactionLine', 'TransactionLinesDone'], lineResults),
          },
        },
        ...problemResponses(...SUBMIT_PROBLEMS),
      },
    },
  },
  '/v1/transactions/{id}': {
    get: {
      operationId: 'readTransaction',
      summary: 'One transaction and what became of it',
      ...ownClientAlone(),
      tags,
      security: allowedRoles('analyst', 'ingest'),
      requestParams: {
        path: z.object({
          id: z.string().meta({ description: 'The transaction.', example: TRANSACTION_ID }),
        }),
        query: transactionParameters,
        header: tokenParameter,
      },
      responses: {
        200: {
          description: 'The transaction.',
          headers: ageHeaders,
          content: json(transactionDetailSchema, transactionDetail),
        },
        ...problemResponses(404, 410, 422),
      },
    },
  },
};

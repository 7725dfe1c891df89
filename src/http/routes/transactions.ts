/** `/v1/transactions`: submit one, a batch or a stream of lines; read one; list. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { InvalidFields } from '../../domain/field-error.ts';
import {
  type TransactionListParameters,
  transactionListParameters,
} from '../../domain/list-parameters.ts';
import { clientSeen } from '../../domain/principal.ts';
import { scoreSchema } from '../../domain/score-record.ts';
import { transactionInputSchema } from '../../domain/transaction.ts';
import type { AcceptBatch, AcceptResult } from '../../ingest/accept-batch.ts';
import type { AcceptLines } from '../../ingest/accept-lines.ts';
import type { AcceptOne } from '../../ingest/accept-one.ts';
import { monthlyPageSchema, type PageJson } from '../../query/page.ts';
import type { Aged } from '../../query/reading.ts';
import {
  type StoredTransactionJson,
  storedTransactionSchema,
} from '../../query/transaction-json.ts';
import type { Log } from '../../runtime/log.ts';
import { ageHeaders, sayAge } from '../age.ts';
import type { AppEnv } from '../app-env.ts';
import { requireRole } from '../auth.ts';
import { type BodyLimits, bodyChunks, readJson, readMediaType, readQuery } from '../body.ts';
import { answerJson } from '../headers.ts';
import { readIdempotencyKey, withKey } from '../idempotency-key.ts';
import { allowedRoles, ownClientAlone, problemResponses } from '../openapi.ts';
import { readPreferences, waitApplied } from '../prefer.ts';
import { Problem } from '../problem.ts';
import {
  batchInputSchema,
  batchItems,
  type FindInvalid,
  readBatchInput,
  readNamingAll,
  readOneInput,
  toFieldErrors,
} from '../transaction-input.ts';
import {
  answerLines,
  LINES_CONTENT_TYPE,
  lineResultSchema,
  linesDoneSchema,
} from '../transaction-lines.ts';

export type TransactionsDependencies = {
  readonly acceptOne: AcceptOne;
  readonly acceptBatch: AcceptBatch;
  readonly acceptLines: AcceptLines;
  readonly findInvalid: FindInvalid;
  readonly readTransaction: (
    transactionId: string,
    client: string | null,
  ) => Promise<Aged<StoredTransactionJson | undefined>>;
  readonly searchTransactions: (
    parameters: TransactionListParameters,
  ) => Promise<Aged<PageJson<StoredTransactionJson>>>;
  readonly limits: BodyLimits;
  readonly waitMsMax: number;
  /** Aborted when the process drains. */
  readonly draining: AbortSignal;
  readonly log: Log;
};

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
  })
  .meta({ id: 'AcceptedBatch' });
type BatchResult = z.infer<typeof batchResultSchema>;

export function transactionsRoutes(dependencies: TransactionsDependencies): Hono<AppEnv> {
  const { acceptOne, acceptBatch, findInvalid, limits, log, waitMsMax, draining } = dependencies;
  const routes = new Hono<AppEnv>();

  routes.post('/v1/transactions', requireRole('ingest'), async (c) => {
    const headerKey = readIdempotencyKey(c.req.header('idempotency-key'));
    const { waitMs } = readPreferences(c.req.header('prefer'), waitMsMax);
    const given = await readJson(c, limits);
    const read = () => withKey(readOneInput(given), headerKey);
    const input = readNamingAll(read, findInvalid, [given], []);
    const { client } = c.get('principal');
    const result = await acceptOne({ client, input, waitMs });
    if (result.kind !== 'accepted') throw refusal(result, []);
    const { transactionId, createdAtMs, status } = result.outcome;
    const body: Accepted = {
      transaction_id: transactionId,
      status,
      created_at: new Date(createdAtMs).toISOString(),
      score: result.score,
    };
    return answerJson(JSON.stringify(body), status === 'accepted' ? 201 : 200, {
      ...(waitMs > 0 ? { 'Preference-Applied': waitApplied(waitMs) } : {}),
      Location: `/v1/transactions/${transactionId}`,
    });
  });

  routes.post('/v1/transactions/batch', requireRole('ingest'), async (c) => {
    const { client } = c.get('principal');
    if (readMediaType(c) === LINES_CONTENT_TYPE) {
      const { isMinimal } = readPreferences(c.req.header('prefer'), waitMsMax);
      const { timeoutMs, takeTurn } = limits;
      const body = bodyChunks(c);
      const request = { body, client, isMinimal, timeoutMs, takeTurn, draining };
      return answerLines(dependencies.acceptLines, log, request);
    }
    const given = await readJson(c, limits);
    const read = () => readBatchInput(given);
    const inputs = readNamingAll(read, findInvalid, batchItems(given), ['transactions']);
    const result = await acceptBatch({ client, inputs });
    if (result.kind !== 'accepted') throw refusal(result, ['transactions']);
    const body: BatchResult = { accepted: 0, duplicates: 0, results: [] };
    for (const [index, { transactionId, status }] of result.outcomes.entries()) {
      if (status === 'accepted') body.accepted++;
      else body.duplicates++;
      body.results.push({ index, transaction_id: transactionId, status });
    }
    return c.json(body);
  });

  routes.get('/v1/transactions', requireRole('analyst'), async (c) =>
    c.json(
      sayAge(c, await dependencies.searchTransactions(readQuery(c, transactionListParameters))),
    ),
  );

  routes.get('/v1/transactions/:id', requireRole('analyst', 'ingest'), async (c) => {
    const client = clientSeen(c.get('principal'));
    const transaction = sayAge(c, await dependencies.readTransaction(c.req.param('id'), client));
    if (transaction === undefined) throw new Problem('not-found', 'No transaction has this id.');
    return c.json(transaction);
  });

  return routes;
}

function refusal(
  result: Exclude<AcceptResult, { kind: 'accepted' }>,
  at: readonly string[],
): Error {
  const errors = toFieldErrors(result.errors, at);
  switch (result.kind) {
    case 'invalid':
      return new InvalidFields(errors);
    case 'conflict':
      return new Problem('key-conflict', 'A key is used with two bodies; nothing was stored.', {
        errors,
      });
    case 'month-detached':
    case 'too-many-new-months':
      return new Problem(result.kind, result.detail, { errors });
  }
}

const SUBMIT_PROBLEMS = [400, 408, 409, 413, 415, 422] as const;
const tags = ['transactions'];
const json = <Schema extends z.ZodType>(schema: Schema) => ({ 'application/json': { schema } });
const preferHeader = z.object({
  Prefer: z
    .string()
    .optional()
    .meta({ example: 'wait=2', description: '`wait=SECONDS` on one, `return=minimal` on lines.' }),
});

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
          'Idempotency-Key': z.string().optional().meta({ description: 'In place of the field.' }),
        }),
      },
      requestBody: { required: true, content: json(transactionInputSchema) },
      responses: {
        200: { description: 'A duplicate of an earlier one.', content: json(acceptedSchema) },
        201: { description: 'Accepted.', content: json(acceptedSchema) },
        ...problemResponses(...SUBMIT_PROBLEMS),
      },
    },
    get: {
      operationId: 'listTransactions',
      summary: 'Transactions, newest first',
      tags,
      security: allowedRoles('analyst'),
      requestParams: { query: transactionListParameters },
      responses: {
        200: {
          description: 'One page.',
          headers: ageHeaders,
          content: json(monthlyPageSchema(storedTransactionSchema)),
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
        'JSON is all or nothing. Lines are stored in chunks; a bad line refuses only itself.',
      tags,
      security: allowedRoles('ingest'),
      requestParams: { header: preferHeader },
      requestBody: {
        required: true,
        content: {
          ...json(batchInputSchema),
          [LINES_CONTENT_TYPE]: { schema: transactionInputSchema },
        },
      },
      responses: {
        200: {
          description: 'Accepted; for lines, what became of each and a last line.',
          content: {
            ...json(batchResultSchema),
            [LINES_CONTENT_TYPE]: { schema: z.union([lineResultSchema, linesDoneSchema]) },
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
      requestParams: { path: z.object({ id: z.string() }) },
      responses: {
        200: {
          description: 'The transaction.',
          headers: ageHeaders,
          content: json(storedTransactionSchema),
        },
        ...problemResponses(404, 410),
      },
    },
  },
};

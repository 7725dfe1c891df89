/** `POST /v1/transactions` and `/v1/transactions/batch`: submit one, a batch or a stream of lines. */
import type { Hono } from 'hono';
import { z } from 'zod';
import type { Config } from '../../kit/config/config.ts';
import type { Databases } from '../../kit/database/replica/choose-database.ts';
import { answerHeaders, answerJson } from '../../kit/http/answers/answer-headers.ts';
import type { AppEnv } from '../../kit/http/app-env.ts';
import { type Authenticate, holdsOne } from '../../kit/http/auth/auth.ts';
import { type BodyLimits, bodyChunks, readJson, readMediaType } from '../../kit/http/body/body.ts';
import { isLines, LINES_CONTENT_TYPE } from '../../kit/http/body/line-reader.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { json, ndjson } from '../../kit/http/openapi.ts';
import { answer, change, type Operation, pathsOf, routesOf } from '../../kit/http/operation.ts';
import {
  LENIENT_APPLIED,
  notApplied,
  notAppliedField,
  preferOfMany,
  preferOfOne,
  readPreferences,
  waitApplied,
} from '../../kit/http/prefer.ts';
import type { Log } from '../../kit/metrics/log.ts';
import { inSlices } from '../../kit/process/pauses.ts';
import { withReleases } from '../domain/control.ts';
import { scoreSchema } from '../domain/score-record.ts';
import { transactionInputSchema } from '../domain/transaction.ts';
import type { ControlWatch } from '../store/controls/watch-controls.ts';
import { findScore } from '../store/scores/read-scores.ts';
import type { Replies } from '../stream/settle/replies.ts';
import { createAcceptBatch } from './accept-batch.ts';
import { createAcceptOne } from './accept-one.ts';
import { lineResults, secondInput, transactionInput } from './examples.ts';
import { type Closed, GATE_PROBLEMS } from './gate.ts';
import {
  idempotencyKeyParameter,
  KEY_REQUIRED,
  readIdempotencyKey,
  withKey,
} from './idempotency-key.ts';
import type { Ingest } from './ingest.ts';
import type { InputError } from './prepare-transactions.ts';
import {
  batchInputSchema,
  batchInputs,
  readBatchInput,
  readNamingAll,
  readOneInput,
  refusal,
} from './transaction-input.ts';
import {
  answerLines,
  LINE_BYTES_MAX,
  lineResultSchema,
  linesDoneSchema,
} from './transaction-lines.ts';

const acceptedSchema = z
  .object({
    transaction_id: z.uuid(),
    status: z.enum(['accepted', 'duplicate']),
    created_at: z.iso.datetime(),
    score: scoreSchema.nullable(),
    preferences_not_applied: notAppliedField,
  })
  .meta({ id: 'AcceptedTransaction' });
type Accepted = z.infer<typeof acceptedSchema>;

const batchResultSchema = z
  .object({
    accepted: z.int(),
    duplicates: z.int(),
    refused: z
      .array(
        z
          .object({
            index: z.int(),
            code: z.enum(GATE_PROBLEMS),
            detail: z.string(),
            retry_after_seconds: z.int().optional(),
          })
          .meta({ id: 'RefusedTransaction' }),
      )
      .optional()
      .meta({
        description:
          'With `Prefer: handling=lenient`, transactions of stopped scopes and over limits.',
      }),
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

type Parts = {
  readonly authenticate: Authenticate;
  readonly config: Pick<Config, 'RISK_WAIT_MS_MAX'>;
  readonly ingest: Ingest;
  readonly replies: Replies;
  readonly databases: Databases;
  readonly limits: BodyLimits;
  readonly controls: Pick<ControlWatch, 'current'>;
  /** Aborted when the process drains. */
  readonly draining: AbortSignal;
  readonly log: Log;
};
type Accepting = Parts & {
  readonly acceptOne: ReturnType<typeof createAcceptOne>;
  readonly acceptBatch: ReturnType<typeof createAcceptBatch>;
};

const SUBMITTERS = ['ingest'] as const;
/** Clauses for the sender of lines. */
const LINES_TYPE = `; lines take the Content-Type ${LINES_CONTENT_TYPE}`;
const LINES_PATH = `${LINES_TYPE}, at POST /v1/transactions/batch`;
const acceptedHeaders = answerHeaders('Location', 'Preference-Applied');

const operations: readonly Operation<Accepting>[] = [
  change({
    at: '/v1/transactions',
    operationId: 'acceptTransaction',
    summary: 'Submit one transaction',
    description: 'Success means that it is stored durably; scoring follows.',
    roles: SUBMITTERS,
    header: z.object({ Prefer: preferOfOne, 'Idempotency-Key': idempotencyKeyParameter }),
    ownBody: json(transactionInputSchema, transactionInput),
    answers: {
      200: answer('The earlier transaction.', acceptedSchema, acceptedHeaders),
      201: answer('Accepted.', acceptedSchema, acceptedHeaders),
    },
    problems: [409],
    run: async ({ c }, { config, ingest, limits, controls, acceptOne }: Accepting) => {
      const headerKey = readIdempotencyKey(c.req.header('idempotency-key'));
      const preferences = readPreferences(c.req.header('prefer'), config.RISK_WAIT_MS_MAX);
      const { waitMs } = preferences;
      const value = await readJson(c, limits, LINES_PATH);
      const read = () => withKey(readOneInput(value), headerKey);
      const keyMissing = headerKey === undefined ? KEY_REQUIRED : null;
      const input = await readNamingAll(read, { ingest, inputs: [value], at: [], keyMissing });
      c.set('corridors', new Set([input.corridor]));
      const result = await acceptOne({
        by: c.get('principal'),
        input,
        waitMs,
        trace: c.get('trace'),
      });
      if (result.kind !== 'accepted') throw refusal(result, []);
      const { transactionId, createdAtMs, status } = result.outcome;
      const body: Accepted = {
        transaction_id: transactionId,
        status,
        created_at: new Date(createdAtMs).toISOString(),
        score: result.score && withReleases(controls.current(), result.score),
        ...notApplied(preferences, ['wait']),
      };
      return answerJson(JSON.stringify(body), status === 'accepted' ? 201 : 200, {
        ...(waitMs > 0 ? { 'Preference-Applied': waitApplied(waitMs) } : {}),
        Location: `/v1/transactions/${transactionId}`,
      });
    },
  }),
  change({
    at: '/v1/transactions/batch',
    operationId: 'acceptTransactions',
    summary: 'Submit up to 1,000 transactions, or a stream of lines',
    description: `JSON is all or nothing; with \`Prefer: handling=lenient\` transactions of stopped scopes and over limits are refused alone. Lines of at most ${LINE_BYTES_MAX} bytes are stored in chunks; a bad line refuses only itself. \`Prefer: wait\` is not applied, as the answer then says in \`preferences_not_applied\`: await \`GET /v1/scores/{id}\` of each result, or receive webhooks.`,
    roles: SUBMITTERS,
    header: z.object({ Prefer: preferOfMany }),
    ownBody: {
      ...json(batchInputSchema, { transactions: [transactionInput, secondInput] }),
      ...ndjson(['TransactionInput'], [transactionInput, secondInput]),
    },
    answers: {
      200: {
        description: 'Accepted; for lines, what became of each and a last line.',
        headers: answerHeaders('Preference-Applied'),
        content: {
          ...json(batchResultSchema),
          ...ndjson(['TransactionLine', 'TransactionLinesDone'], lineResults),
        },
      },
    },
    problems: [409],
    run: async ({ c }, parts: Accepting) => {
      const { authenticate, config, ingest, limits, draining, log, acceptBatch } = parts;
      const by = c.get('principal');
      const trace = c.get('trace');
      const preferences = readPreferences(c.req.header('prefer'), config.RISK_WAIT_MS_MAX);
      if (isLines(readMediaType(c))) {
        const { timeoutMs, waitForCpu } = limits;
        const body = bodyChunks(c);
        const credential = c.get('credential');
        const isAllowed = async () => {
          const now = await authenticate(credential, c.env?.incoming, 'recent');
          return now !== undefined && holdsOne(now, SUBMITTERS);
        };
        const request = {
          body,
          by,
          isAllowed,
          trace,
          preferences,
          timeoutMs,
          waitForCpu,
          draining,
        };
        return answerLines(ingest, log, request);
      }
      const value = await readJson(c, limits, LINES_TYPE);
      const read = () => inSlices(readBatchInput(value));
      const at = ['transactions'];
      const inputs = await readNamingAll(read, { ingest, inputs: batchInputs(value), at });
      c.set('corridors', new Set(inputs.map(({ corridor }) => corridor)));
      const { isLenient } = preferences;
      const { result, refused } = await acceptBatch({ by, inputs, isLenient, trace });
      const indexes = [...inputs.keys()].filter((index) => !refused.has(index));
      if (result.kind !== 'accepted') throw refusal(inBody(result, indexes), at);
      const body: BatchResult = {
        accepted: 0,
        duplicates: 0,
        results: [],
        ...(refused.size === 0 ? {} : { refused: toRefused(refused) }),
        ...notApplied(preferences, ['handling']),
      };
      for (const [at, { transactionId, status }] of result.outcomes.entries()) {
        const index = indexes[at] ?? at;
        if (status === 'accepted') body.accepted++;
        else body.duplicates++;
        body.results.push({ index, transaction_id: transactionId, status });
      }
      return answerJson(
        JSON.stringify(body),
        200,
        isLenient ? { 'Preference-Applied': LENIENT_APPLIED } : {},
      );
    },
  }),
];

function toRefused(closed: ReadonlyMap<number, Closed>): NonNullable<BatchResult['refused']> {
  return [...closed].map(([index, { problem, detail, retryAfterSeconds }]) => ({
    index,
    code: problem,
    detail,
    ...(retryAfterSeconds === null ? {} : { retry_after_seconds: retryAfterSeconds }),
  }));
}

/** Errors name the indexes that inputs have in the body. */
function inBody<R extends { readonly errors: readonly InputError[] }>(
  result: R,
  indexes: readonly number[],
): R {
  const errors = result.errors.map((error) => ({ ...error, index: indexes[error.index] ?? 0 }));
  return { ...result, errors };
}

export function acceptRoutes(parts: Parts): Hono<AppEnv> {
  const { ingest, replies, databases, limits } = parts;
  return routesOf(operations, limits, {
    ...parts,
    acceptOne: createAcceptOne(ingest, replies, (id) => findScore(databases, id)),
    acceptBatch: createAcceptBatch(ingest),
  });
}

export const document: DocumentPart = {
  paths: pathsOf(operations, 'transactions'),
  tags: { transactions: 'Transactions: submitted, read and listed.' },
  // Lines of a stream are named in no schema of a whole body.
  schemas: { TransactionLine: lineResultSchema, TransactionLinesDone: linesDoneSchema },
};

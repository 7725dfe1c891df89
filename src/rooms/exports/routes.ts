/** `/v1/exports/transactions`: the whole result of a search, as a file. */
import { type Context, Hono } from 'hono';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { requireCorridor } from '../../core/read/require-known.ts';
import type { Api, ApiRoom } from '../../core/room.ts';
import { answerHeaders } from '../../kit/http/answers/answer-headers.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import type { AppEnv } from '../../kit/http/app-env.ts';
import { actorOf, requireRole } from '../../kit/http/auth/auth.ts';
import { readQuery } from '../../kit/http/body/body.ts';
import { readToken, tokenParameter } from '../../kit/http/consistency.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { allowedRoles, ndjson, problemResponses } from '../../kit/http/openapi.ts';
import type { Log } from '../../kit/metrics/log.ts';
import { isUnavailable, toError } from '../../kit/words/failure.ts';
import { exportedCsv, exportedLines } from './examples.ts';
import { createSlowedStream } from './slowed-stream.ts';
import { exportDoneSchema, formOf } from './write/export-body.ts';
import {
  type ExportParameters,
  exportParameters,
  PARQUET_ROWS_MAX,
} from './write/export-parameters.ts';
import { type BegunExport, createExports, type Exports } from './write/exports.ts';

const READERS = ['analyst', 'risk_officer'] as const;
const BUSY_RETRY_AFTER_SECONDS = '10';

type Options = {
  /** Names of the corridors that transactions may have. */
  readonly corridors: () => ReadonlySet<string>;
  /** How long a reader may take nothing. */
  readonly idleMsMax: number;
  /** Aborted when the process drains: its exports break off, and go on at another. */
  readonly draining: AbortSignal;
  readonly log: Log;
};

export function exportsRoutes(exports: Exports, options: Options): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  routes.get('/v1/exports/transactions', requireRole(...READERS), async (c) => {
    const asked = readQuery(c, exportParameters);
    requireCorridor(options.corridors(), asked.corridor);
    const write = readToken(c);
    // A question for the headers alone reads nothing.
    if (c.req.raw.method === 'HEAD') return new Response(null, { headers: headersOf(asked) });
    const begun = await exports.begin(asked, c.req.query(), actorOf(c), write);
    if (begun === undefined) {
      const detail = `${exports.exportsMax} exports are running, the most of an API process.`;
      const headers = { 'Retry-After': BUSY_RETRY_AFTER_SECONDS };
      throw new Problem('overloaded', detail, { headers });
    }
    return stream(c, begun, asked, options);
  });
  return routes;
}

function stream(
  c: Context<AppEnv>,
  { exportId, run }: BegunExport,
  asked: ExportParameters,
  { idleMsMax, draining, log }: Options,
): Response {
  const { body, send, close, breakOff, gone } = createSlowedStream(idleMsMax);
  const signal = AbortSignal.any([gone, draining]);
  run({ send, close, signal }).catch(async (error: unknown) => {
    // Without a last chunk the transfer is seen to be broken.
    c.env?.outgoing?.destroy();
    await breakOff(error);
    if (gone.aborted || draining.aborted || isUnavailable(error)) {
      log.warn({ exportId, cause: String(error) }, 'an export broke off');
    } else log.error({ exportId, err: toError(error) }, 'bug: an export failed unexpectedly');
  });
  return new Response(body, { headers: headersOf(asked) });
}

function headersOf({ format, after }: ExportParameters): Record<string, string> {
  const [type, end] = formOf(format, after !== undefined);
  return {
    'Content-Type': type,
    'Content-Disposition': `attachment; filename="transactions.${end}"`,
  };
}

const DESCRIPTION = `Every row that the search of /v1/transactions finds with the same parameters, in the order of created_at and id. It is read as it is sent: rows that arrive or change meanwhile are in it as they are when their turn comes.

A transfer that breaks off lacks its last chunk, a line of NDJSON its last line \`done\`, a Parquet file its footer. It goes on with \`after\`, the transaction_id of the last row that you have; CSV has no header then. A Parquet file holds ${PARQUET_ROWS_MAX.toLocaleString('en-US')} rows at most: where it has as many, ask for the next part in the same way.

In CSV a text that begins with = + - @ or ' has an apostrophe in front, so that no spreadsheet takes it for a formula.

A range with a detached month is refused. So is an export beyond the number that an API process runs at a time, and one whose reader takes nothing for a minute breaks off. The audit log names each, as it begins and as it ends.`;

const paths: ZodOpenApiPathsObject = {
  '/v1/exports/transactions': {
    get: {
      operationId: 'exportTransactions',
      summary: 'Export what a search finds',
      description: DESCRIPTION,
      tags: ['transactions'],
      security: allowedRoles(...READERS),
      requestParams: { query: exportParameters, header: tokenParameter },
      responses: {
        200: {
          description: 'The file.',
          headers: answerHeaders('Content-Disposition'),
          content: {
            'text/csv': { schema: { type: 'string' }, example: exportedCsv },
            ...ndjson(['FoundTransaction', 'ExportDone'], exportedLines),
            'application/vnd.apache.parquet': { schema: { type: 'string', format: 'binary' } },
          },
        },
        ...problemResponses(422),
      },
    },
  },
};

export const document: DocumentPart = { paths, schemas: { ExportDone: exportDoneSchema } };

export function openExports(api: Api): ApiRoom {
  const { config, databases, metrics, isSubmitting, ingest, draining, log } = api;
  const exportsMax = config.RISK_EXPORTS_MAX;
  const primary = api.openPool('api-exports', { connectionsMax: exportsMax });
  const exports = createExports({ ...databases, primary }, exportsMax, metrics, isSubmitting);
  const idleMsMax = config.RISK_EXPORT_IDLE_MS;
  return {
    routes: [exportsRoutes(exports, { corridors: ingest.corridors, idleMsMax, draining, log })],
    ended: exports.ended,
  };
}

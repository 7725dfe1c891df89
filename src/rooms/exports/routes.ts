/** `/v1/exports/transactions`: the whole result of a search, as a file. */
import type { Context } from 'hono';
import { z } from 'zod';
import { foundTransaction } from '../../core/accept/examples.ts';
import { databasesFor } from '../../core/read-for.ts';
import { refusalOf, requireOn } from '../../core/require-on.ts';
import type { Api, ApiRoom } from '../../core/room.ts';
import { requireCorridor } from '../../core/store/search/require-known.ts';
import { answerHeaders } from '../../kit/http/answers/answer-headers.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import type { AppEnv } from '../../kit/http/app-env.ts';
import { LINES_CONTENT_TYPE } from '../../kit/http/body/line-reader.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { ndjson } from '../../kit/http/openapi.ts';
import { pathsOf, read, routesOf } from '../../kit/http/operation.ts';
import { withTokens } from '../../kit/http/personal-edge.ts';
import { isUnavailable, toError } from '../../kit/words/failure.ts';
import { FLAT_COLUMNS } from './columns.ts';
import {
  type BegunExport,
  beginExport,
  createSlowedStream,
  type Exports,
  runExport,
} from './exports.ts';
import { createExportMetrics } from './metrics.ts';
import { type ExportParameters, exportParameters, PARQUET_ROWS_MAX } from './parameters.ts';
import { csvHeader } from './write/csv.ts';

const BUSY_RETRY_AFTER_SECONDS = '10';

type Parts = Pick<Api, 'authenticate' | 'ingest' | 'draining' | 'log' | 'controls'> & {
  readonly exports: Exports;
};

function stream(
  c: Context<AppEnv>,
  begun: BegunExport,
  { exports, draining, log, authenticate }: Parts,
): Response {
  const { exportId, asked } = begun;
  const { body, send, close, breakOff, gone } = createSlowedStream();
  const signal = AbortSignal.any([gone, draining]);
  const credential = c.get('credential');
  const isAllowed = async () =>
    (await authenticate(credential, c.env?.incoming, 'recent')) !== undefined;
  // A drain waits for no reader.
  const stop = () => breakOff(draining.reason);
  draining.addEventListener('abort', stop);
  const running = runExport(exports, begun, { send, close, signal, isAllowed });
  const ended = running.finally(() => draining.removeEventListener('abort', stop));
  ended.catch(async (error: unknown) => {
    // Without a last chunk the transfer is seen to be broken.
    c.env?.outgoing?.destroy();
    await breakOff(error);
    if (gone.aborted || draining.aborted || isUnavailable(error)) {
      log.warn({ exportId, cause: String(error) }, 'an export broke off');
    } else log.error({ exportId, err: toError(error) }, 'bug: an export failed unexpectedly');
  });
  return new Response(body, { headers: headersOf(asked) });
}

const MEDIA_TYPES = {
  csv: 'text/csv',
  ndjson: LINES_CONTENT_TYPE,
  parquet: 'application/vnd.apache.parquet',
} as const;

function headersOf({ format, after }: ExportParameters): Record<string, string> {
  const header = after === undefined ? 'present' : 'absent';
  const parameters = format === 'csv' ? `; charset=utf-8; header=${header}` : '';
  return {
    'Content-Type': `${MEDIA_TYPES[format]}${parameters}`,
    'Content-Disposition': `attachment; filename="transactions.${format}"`,
  };
}

const DESCRIPTION = `Every row that the search of /v1/transactions finds with the same parameters, in the order of created_at and id. It is read as it is sent: rows that arrive or change meanwhile are in it as they are when their turn comes.

A transfer that breaks off lacks its last chunk, a line of NDJSON its last line \`done\`, a Parquet file its footer. It goes on with \`after\`, the transaction_id of the last row that you have; CSV has no header then. A Parquet file holds ${PARQUET_ROWS_MAX.toLocaleString('en-US')} rows at most: where it has as many, ask for the next part in the same way.

In CSV a text that begins with = + - @ or ' has an apostrophe in front, so that no spreadsheet takes it for a formula.

A range with a detached month is refused. So is an export beyond the number that an API process runs at a time, and one whose reader takes nothing for a minute breaks off. The audit log names each, as it begins and as it ends.`;

const exportDoneSchema = z
  .object({ done: z.literal(true), rows: z.int().min(0) })
  .meta({ id: 'ExportDone', description: 'Last line of an export that is whole.' });

const csvExample = Buffer.from(csvHeader(FLAT_COLUMNS)).toString();
const linesExample = [foundTransaction, { done: true, rows: 1 }];

const operations = [
  read({
    at: '/v1/exports/transactions',
    operationId: 'exportTransactions',
    summary: 'Export what a search finds',
    description: DESCRIPTION,
    roles: ['analyst', 'risk_officer'],
    query: exportParameters,
    answers: {
      200: {
        description: 'The file.',
        headers: answerHeaders('Content-Disposition'),
        content: {
          [MEDIA_TYPES.csv]: { schema: { type: 'string' }, example: csvExample },
          ...ndjson(['FoundTransaction', 'ExportDone'], linesExample),
          [MEDIA_TYPES.parquet]: { schema: { type: 'string', format: 'binary' } },
        },
      },
    },
    run: async ({ query: asked, by, c }, parts: Parts) => {
      const { exports, ingest, controls } = parts;
      requireOn(controls, 'exports');
      requireCorridor(ingest.corridors(), asked.corridor);
      // A question for the headers alone reads nothing.
      if (c.req.raw.method === 'HEAD') return new Response(null, { headers: headersOf(asked) });
      const question = await withTokens(c, c.req.query());
      const databases = databasesFor(c, exports.databases);
      const begun = await beginExport(exports, databases, asked, question, by);
      if (begun !== undefined) return stream(c, begun, parts);
      const detail = `${exports.max} exports are running, the most of an API process.`;
      throw new Problem('overloaded', detail, {
        headers: { 'Retry-After': BUSY_RETRY_AFTER_SECONDS },
      });
    },
  }),
];

export const document: DocumentPart = {
  paths: pathsOf(operations, 'transactions'),
  schemas: { ExportDone: exportDoneSchema },
};

export function open(api: Api): ApiRoom {
  const { config, databases, metrics, isSubmitting, controls } = api;
  const max = config.RISK_EXPORTS_MAX;
  const primary = api.openPool('api-exports');
  const exports: Exports = {
    databases: { ...databases, primary },
    metrics: createExportMetrics(metrics.make),
    isOff: () => refusalOf(controls, 'exports') !== undefined,
    isSubmitting,
    draining: api.draining,
    max,
    running: 0,
    endings: new Set(),
  };
  return {
    routes: [routesOf(operations, api.limits, { ...api, exports })],
    ended: () => Promise.allSettled(exports.endings),
  };
}

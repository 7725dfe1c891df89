/**
 * `/v1/status`: where the pipeline stands, `/v1/workers`: who scores, and `/v1/live`: the figures of the console, once or as
 * server-sent events.
 */
import type { Context } from 'hono';
import { refusalOf } from '../../core/require-on.ts';
import type { Api, ApiRoom } from '../../core/room.ts';
import { busyShare } from '../../kit/database/pool.ts';
import type { AppEnv } from '../../kit/http/app-env.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { createLive, describeLive, liveContent } from '../../kit/http/live.ts';
import { answer, list, pathsOf, read, routesOf } from '../../kit/http/operation.ts';
import { createReadLive, liveSchema, toPoint } from './queries/live-figures.ts';
import { createReadStatus, type StatusJson, statusSchema } from './queries/pipeline-status.ts';
import { listWorkers, workerSchema } from './queries/workers.ts';

const READERS = ['operator', 'analyst', 'ingest'] as const;
const EVERY_MS = 2000;

type Parts = Api & {
  readonly readStatus: () => Promise<StatusJson>;
  readonly answerLive: (c: Context<AppEnv>) => Promise<Response>;
};

const operations = [
  read({
    at: '/v1/status',
    operationId: 'readStatus',
    summary: 'Lag, what is pending, retries, dead letters and totals',
    roles: READERS,
    answers: { 200: answer('The pipeline, per corridor and in total.', statusSchema) },
    run: (_input, { readStatus }: Parts) => readStatus(),
  }),
  read({
    at: '/v1/live',
    operationId: 'readLive',
    summary: 'Status and signals, once or live',
    description: describeLive(EVERY_MS),
    roles: READERS,
    answers: {
      200: {
        description: 'Figures of the pipeline and of this API process.',
        content: liveContent(liveSchema),
      },
    },
    run: ({ c }, { answerLive }: Parts) => answerLive(c),
  }),
  list({
    at: '/v1/workers',
    operationId: 'listWorkers',
    summary: 'Workers: since when they live, how fast they score, and the entries they hold',
    roles: ['operator'],
    row: workerSchema,
    says: 'Workers by name.',
    rows: (_, api: Parts) => listWorkers(api),
  }),
];

export const document: DocumentPart = {
  paths: pathsOf(operations, 'operations'),
  tags: { operations: 'Where the pipeline stands.' },
};

export function open(api: Api): ApiRoom {
  const { databases, controls, metrics, authenticate, draining, log } = api;
  const readStatus = createReadStatus(api);
  const poolInUse = () => busyShare(databases.primary.usage());
  const nowMs = () => performance.now();
  const read = createReadLive({ readStatus, metrics, poolInUse, nowMs });
  const answerLive = createLive({
    read,
    toPoint,
    readers: READERS,
    refusal: () => refusalOf(controls, 'live-figures'),
    authenticate,
    signal: draining,
    log,
    everyMs: EVERY_MS,
  });
  return { routes: [routesOf(operations, api.limits, { ...api, readStatus, answerLive })] };
}

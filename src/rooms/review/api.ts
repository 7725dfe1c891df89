/** Additions of the review to an API process. */

import { refusalOf } from '../../core/require-on.ts';
import type { Api, ApiRoom } from '../../core/room.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { createLive } from '../../kit/http/live.ts';
import { pathsOf, routesOf } from '../../kit/http/operation.ts';
import { eventsPart } from './events-document.ts';
import { createReviewMetrics } from './metrics.ts';
import { readStatus } from './queries/status.ts';
import { caseOperations } from './routes/cases.ts';
import { figureOperations, READERS, STATUS_EVERY_MS } from './routes/figures.ts';
import { stepOperations } from './routes/steps.ts';
import { toReviewPoint } from './status.ts';

/** `/v1/reviews/{id}` comes behind the figures, whose paths it would take. */
const operations = [...figureOperations, ...caseOperations, ...stepOperations];

export const document: DocumentPart = {
  paths: pathsOf(operations, 'reviews'),
  tags: { reviews: 'Cases that people decide.' },
  ...eventsPart,
};

export function openReview(api: Api): ApiRoom {
  const { databases, limits, metrics, authenticate, draining, log, switches } = api;
  const { primary, now } = databases;
  const answerStatus = createLive({
    authenticate,
    log,
    everyMs: STATUS_EVERY_MS,
    signal: draining,
    readers: READERS,
    refusal: () => refusalOf(switches, 'live-figures'),
    read: () => readStatus(primary.query, now()),
    toPoint: toReviewPoint,
  });
  const parts = { database: primary, metrics: createReviewMetrics(metrics.make), answerStatus };
  return { routes: [routesOf(operations, limits, parts)] };
}

/** What status adds to an API process. */
import type { Api, ApiRoom } from '../../core/room.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { createReadLive } from './queries/live-figures.ts';
import { createReadStatus } from './queries/pipeline-status.ts';
import { livePaths, liveRoutes } from './routes/live.ts';
import { statusPaths, statusRoutes } from './routes/status.ts';

export const document: DocumentPart = {
  paths: { ...statusPaths, ...livePaths },
  tags: { operations: 'Where the pipeline stands.' },
};

export function openStatus(api: Api): ApiRoom {
  const { config, databases, redis, guards, ingest, metrics, authenticate, draining, log } = api;
  const readStatus = createReadStatus(databases, {
    ...{ redis, guards, corridors: ingest.corridors },
    ...{ market: config.RISK_MARKET, shards: config.RISK_SHARDS },
    readReplica: () => databases.replica?.status() ?? null,
  });
  const poolInUse = () => {
    const { total, idle } = databases.primary.usage();
    return (total - idle) / config.RISK_DATABASE_CONNECTIONS_MAX;
  };
  const nowMs = () => performance.now();
  const readLive = createReadLive({ readStatus, metrics, poolInUse, nowMs });
  return {
    routes: [
      statusRoutes(readStatus),
      liveRoutes({ readLive, authenticate, signal: draining, log }),
    ],
  };
}

/** What operators ask and change, bound to its adapters. */
import { createOperating, type Operating } from '../../control/operating.ts';
import type { Ingest } from '../../ingest/ingest.ts';
import type { Databases } from '../../query/choose-database.ts';
import type { OpenReplica } from '../../query/replica.ts';
import type { Config } from '../../runtime/config.ts';
import type { Guards } from '../../runtime/guards.ts';
import type { RedisClient } from '../../stream/connection/connection.ts';

type Parts = {
  readonly databases: Databases & { readonly replica: OpenReplica | null };
  readonly redis: RedisClient;
  readonly ingest: Pick<Ingest, 'corridors' | 'tryAppend' | 'system'>;
  readonly guards: Guards;
};

export function bindOperating(
  config: Pick<Config, 'RISK_MARKET' | 'RISK_SHARDS'>,
  { databases, redis, ingest, guards }: Parts,
): Operating {
  const pipeline = {
    ...{ redis, guards, corridors: ingest.corridors },
    market: config.RISK_MARKET,
    shards: config.RISK_SHARDS,
    readReplica: () => databases.replica?.status() ?? null,
  };
  return createOperating(databases, ingest.tryAppend, pipeline, ingest.system);
}

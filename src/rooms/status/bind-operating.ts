/** What operators ask and change, bound to its adapters. */
import type { Ingest } from '../../core/accept/ingest.ts';
import type { Guards } from '../../kit/breakers/guards.ts';
import type { Config } from '../../kit/config/config.ts';
import type { Databases } from '../../kit/database/replica/choose-database.ts';
import type { OpenReplica } from '../../kit/database/replica/replica.ts';
import type { RedisClient } from '../../kit/redis/connection.ts';
import { createOperating, type Operating } from './operating.ts';

type Parts = {
  readonly databases: Databases & { readonly replica: OpenReplica | null };
  readonly redis: RedisClient;
  readonly ingest: Pick<Ingest, 'corridors' | 'tryAppend' | 'leftRows' | 'shards' | 'system'>;
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
  return createOperating(databases, ingest, pipeline, ingest.system);
}

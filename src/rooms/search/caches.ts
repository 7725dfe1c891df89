/** Scores and profiles in memory of an API process. */
import type { Api } from '../../core/room.ts';
import { createProfileCache, type ProfileCache } from './queries/party-profile.ts';
import { createScoreCache, type ScoreCache } from './queries/read-transaction.ts';
import { readStamp } from './store/read-stamp.ts';

export type Caches = { readonly scores: ScoreCache; readonly profiles: ProfileCache };

/** Parts of the process that the routes of search need. */
export type Parts = Pick<
  Api,
  'config' | 'databases' | 'guards' | 'ingest' | 'inputSources' | 'models' | 'controls'
> &
  Caches;

export function openCaches({
  config,
  databases,
  redis,
  guards,
  metrics,
}: Pick<Api, 'config' | 'databases' | 'redis' | 'guards' | 'metrics'>): Caches {
  const scores = createScoreCache(databases, metrics);
  const profiles = createProfileCache(databases, metrics, (party, id) =>
    guards.redis.run(() => readStamp(redis, config.RISK_MARKET, party, id)),
  );
  // A server that was restarted or replaced may lack the last appends, so its stamps may be older than our answers.
  redis.on('ready', profiles.forget);
  return { scores, profiles };
}

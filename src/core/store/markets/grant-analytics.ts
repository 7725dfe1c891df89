/**
 * A role that reads scores of several markets, and nothing else: through one view, which has ids as they are stored and no
 * details of transactions. Nothing else crosses markets.
 */
import type pg from 'pg';
import { recordChange } from '../../../kit/audit/audit-log.ts';
import type { Config } from '../../../kit/config/config.ts';
import { connected } from '../../../kit/database/migrations/migration-session.ts';
import { openDatabase } from '../../../kit/database/open-database.ts';
import type { Actor } from '../../../kit/words/principal.ts';
import { ownerOfMarket } from './grant-market.ts';
import {
  letIn,
  logStatements,
  makeRole,
  type NewRole,
  type ReaderMade,
  refuseReach,
} from './roles.ts';

type Analytics = NewRole & {
  readonly config: Config;
  readonly url: string;
  /** Names of markets; safe in SQL. */
  readonly markets: readonly [string, ...string[]];
  readonly by: Actor;
};

/** Makes the role and its view, or makes the view anew, of these markets alone. */
export async function makeAnalytics(analytics: Analytics): Promise<ReaderMade> {
  const { config, url, markets, role, by } = analytics;
  const made = await connected({ url, market: markets[0] }, (client) => makeAll(client, analytics));
  const change = { action: 'market.analytics', subject: role, before: null } as const;
  for (const market of markets) {
    await using database = openDatabase(config, url, 'markets', { market, connectionsMax: 1 });
    await database.transaction((query) =>
      recordChange(query, by, { ...change, after: { markets } }),
    );
  }
  return made;
}

async function makeAll(client: pg.Client, analytics: Analytics): Promise<ReaderMade> {
  const { markets, role } = analytics;
  for (const market of markets) await ownerOfMarket(client, market);
  await makeRole(client, role);
  await client.query(`
    begin;
    create schema if not exists analytics;
    drop view if exists analytics.scores;
    create view analytics.scores as ${markets.map(scoresOf).join(' union all ')};
    comment on view analytics.scores is 'Scores of markets, for the roles that risk markets analytics makes.';
    grant usage on schema analytics to "${role}";
    grant select on analytics.scores to "${role}";
    commit`);
  await refuseReach(client, role, null);
  await client.query(`alter role "${role}" set default_transaction_read_only = on`);
  const isLogged = await logStatements(client, role);
  return { password: await letIn(client, analytics), isLogged };
}

const scoresOf = (market: string) => `
  select '${market}' as market, transaction_id, created_at, scored_at, account_id, corridor, score, risk, probability, verdict,
         jsonb_path_query_array(reasons, '$[*].code') as reason_codes, rule_set, model, degradation
    from ${market}.scores`;

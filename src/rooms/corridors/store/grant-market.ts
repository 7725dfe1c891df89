/**
 * Gives a market a Postgres role of its own, which owns the market's schema and all that is in it, reads `shared`, and has no
 * right anywhere else. Each step looks at what is there, so a run that was killed is finished by another one. The role can log
 * in once everything is its own.
 */
import type pg from 'pg';
import { recordChange } from '../../../kit/audit/audit-log.ts';
import type { Config } from '../../../kit/config/config.ts';
import { listForeign, ownerOf } from '../../../kit/database/migrations/market-owner.ts';
import {
  alone,
  connected,
  type SessionOptions,
} from '../../../kit/database/migrations/migration-session.ts';
import { isPooled, openDatabase } from '../../../kit/database/open-database.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { Actor } from '../../../kit/words/principal.ts';
import { letIn, letReaderIn, makeRole, type NewRole, refuseReach } from './roles.ts';

export type Granting = SessionOptions & NewRole & { readonly config: Config; readonly by: Actor };

type Analytics = NewRole & {
  readonly config: Config;
  readonly url: string;
  /** Names of markets; safe in SQL. */
  readonly markets: readonly [string, ...string[]];
  readonly by: Actor;
};

/** @returns `moved`: objects that changed their owner; `password`: as `letIn` made it for a role without one */
export async function grantMarket(granting: Granting) {
  const { market, role, connectionsMax } = granting;
  const session = { ...granting, isPooled: isPooled(granting.config) };
  const granted = await connected(session, (client) => grantAll(client, session));
  const { moved, password } = granted;
  await recordIn(market, granting, {
    action: 'market.grant',
    subject: market,
    before: null,
    after: { role, moved, connectionsMax, isNew: password !== null },
  });
  return granted;
}

/** Records a change in the audit log of a market. */
export async function recordIn(
  market: string,
  { config, url, by }: Pick<Granting, 'config' | 'url' | 'by'>,
  change: Parameters<typeof recordChange>[2],
): Promise<void> {
  await using database = openDatabase(config, url, 'markets', { market, connectionsMax: 1 });
  await database.transaction((query) => recordChange(query, by, change));
}

/** @throws Failure where there is no such market */
export async function ownerOfMarket(client: pg.Client, market: string): Promise<string> {
  const known = await ownerOf(client, market);
  if (known !== undefined) return known.owner;
  const why = `there is no market ${market}: risk markets create ${market}`;
  throw new Failure('not-found', 'MARKET_UNKNOWN', why);
}

async function grantAll(client: pg.Client, granting: Granting) {
  const { market, role } = granting;
  const before = await ownerOfMarket(client, market);
  await makeRole(client, role);
  await joinRole(client, role, before);
  await client.query(`grant usage, create on schema ${market} to "${role}"`);
  await grantShared(client, role);
  const moved = await moveObjects(client, granting);
  await client.query(`alter schema ${market} owner to "${role}"`);
  await refuseReach(client, role, market);
  return { moved, password: await letIn(client, granting) };
}

/** The role that had the market becomes a member, so that running processes go on while objects move. */
async function joinRole(client: pg.Client, role: string, before: string): Promise<void> {
  const { rows } = await client.query<{ member: string }>(
    `select rolname as member from pg_roles
      where rolname in (current_user, $2) and rolname <> $1 and not pg_has_role(rolname, $1, 'usage')`,
    [role, before],
  );
  for (const { member } of rows) await client.query(`grant "${role}" to "${member}"`);
}

/** Tables that this role makes in `shared` later are granted as well. */
async function grantShared(client: pg.Client, role: string): Promise<void> {
  await client.query(`grant usage on schema shared to "${role}";
    grant select on all tables in schema shared to "${role}";
    alter default privileges in schema shared grant select on tables to "${role}";
    grant execute on function shared.claim_corridor to "${role}"`);
}

/** Each object has a commit of its own: it is locked for a moment, and nobody waits long behind that. */
async function moveObjects(client: pg.Client, granting: Granting): Promise<number> {
  const { market, role } = granting;
  const statements = await listForeign(client, market, role);
  for (const statement of statements) {
    await alone(client, granting, statement, () => client.query(statement));
  }
  return statements.length;
}

/**
 * Makes a role that reads scores of these markets, and nothing else, or makes its view anew. The view has ids as they are stored and
 * no details of transactions; nothing else crosses markets.
 */
export async function makeAnalytics(analytics: Analytics) {
  const { config, url, markets, role, by } = analytics;
  const session = { url, market: markets[0], isPooled: isPooled(config) };
  const made = await connected(session, (client) => makeAll(client, analytics));
  const change = { action: 'market.analytics', subject: role, before: null } as const;
  for (const market of markets) {
    await recordIn(market, { config, url, by }, { ...change, after: { markets } });
  }
  return made;
}

async function makeAll(client: pg.Client, analytics: Analytics) {
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
  return await letReaderIn(client, analytics, null);
}

const scoresOf = (market: string) => `
  select '${market}' as market, transaction_id, created_at, scored_at, account_id, corridor, score, risk, probability, verdict,
         jsonb_path_query_array(reasons, '$[*].code') as reason_codes, rule_set, model, degradation
    from ${market}.scores`;

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
import { openDatabase } from '../../../kit/database/open-database.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { Actor } from '../../../kit/words/principal.ts';
import { letIn, makeRole, type NewRole, refuseReach } from './roles.ts';

export type Granting = SessionOptions & NewRole & { readonly config: Config; readonly by: Actor };

export type Granted = {
  /** Objects that changed their owner. */
  readonly moved: number;
  /** Password that was made for a role without one; nobody can read it again. */
  readonly password: string | null;
};

export async function grantMarket(granting: Granting): Promise<Granted> {
  const { config, url, market, role, connectionsMax, by } = granting;
  const granted = await connected(granting, (client) => grantAll(client, granting));
  const { moved, password } = granted;
  await using database = openDatabase(config, url, 'markets', { market, connectionsMax: 1 });
  await database.transaction((query) =>
    recordChange(query, by, {
      action: 'market.grant',
      subject: market,
      before: null,
      after: { role, moved, connectionsMax, isNew: password !== null },
    }),
  );
  return granted;
}

/** @throws Failure where there is no such market */
export async function ownerOfMarket(client: pg.Client, market: string): Promise<string> {
  const known = await ownerOf(client, market);
  if (known !== undefined) return known.owner;
  const why = `there is no market ${market}: risk markets create ${market}`;
  throw new Failure('not-found', 'MARKET_UNKNOWN', why);
}

async function grantAll(client: pg.Client, granting: Granting): Promise<Granted> {
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

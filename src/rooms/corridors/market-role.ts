/**
 * Gives a market a Postgres role of its own, which owns the market's schema and all that is in it, reads `shared`, and has no
 * right anywhere else. Each step looks at what is there, so a run that was killed is finished by another one. The role can log
 * in once everything is its own.
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type pg from 'pg';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Config } from '../../kit/config/config.ts';
import { MARKETS } from '../../kit/database/market-reach.ts';
import { listForeign, ownerOf } from '../../kit/database/migrations/market-owner.ts';
import {
  alone,
  connected,
  type SessionOptions,
} from '../../kit/database/migrations/migration-session.ts';
import { openDatabase } from '../../kit/database/open-database.ts';
import { Failure } from '../../kit/words/failure.ts';
import type { Actor } from '../../kit/words/principal.ts';

export type Granting = SessionOptions & {
  readonly config: Config;
  readonly by: Actor;
  /** Name of the role; safe in SQL. */
  readonly role: string;
  /** Absent: made where the role cannot log in yet. */
  readonly password?: string | undefined;
  /** Most connections of all processes of the market. */
  readonly connectionsMax: number;
};

export type Granted = {
  /** Objects that changed their owner. */
  readonly moved: number;
  /** What was made for a role that had none; nobody can read it again. */
  readonly password: string | null;
};

const PASSWORD_BYTES = 24;

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

async function grantAll(client: pg.Client, granting: Granting): Promise<Granted> {
  const { market, role } = granting;
  const before = await ownerOf(client, market);
  if (before === undefined) {
    const why = `there is no market ${market}: risk markets create ${market}`;
    throw new Failure('not-found', 'MARKET_UNKNOWN', why);
  }
  await makeRole(client, role, before.owner);
  await client.query(`grant usage, create on schema ${market} to "${role}"`);
  await grantShared(client, role);
  const moved = await moveObjects(client, granting);
  await client.query(`alter schema ${market} owner to "${role}"`);
  await refuseReach(client, market, role);
  return { moved, password: await letIn(client, granting) };
}

type RoleRow = { readonly canLogIn: boolean; readonly isSpecial: boolean; readonly in: string[] };
const ROLE = `
  select rolcanlogin as "canLogIn",
         rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls as "isSpecial",
         array(select pg_get_userbyid(roleid)::text from pg_auth_members where member = r.oid order by 1) as in
    from pg_roles r where rolname = $1`;

const readRole = async (client: pg.Client, role: string): Promise<RoleRow | undefined> =>
  (await client.query<RoleRow>(ROLE, [role])).rows[0];

/** The role that had the market becomes a member, so that running processes go on while objects move. */
async function makeRole(client: pg.Client, role: string, before: string): Promise<void> {
  const known = await readRole(client, role);
  if (known === undefined) await client.query(`create role "${role}" nologin`);
  else if (known.isSpecial || known.in.length > 0) {
    const why = known.isSpecial ? 'is no plain role' : `belongs to ${known.in.join(', ')}`;
    throw tooFar(role, why);
  }
  const { rows } = await client.query<{ member: string }>(
    `select rolname as member from pg_roles
      where rolname in (current_user, $2) and rolname <> $1 and not pg_has_role(rolname, $1, 'usage')`,
    [role, before],
  );
  for (const { member } of rows) await client.query(`grant "${role}" to "${member}"`);
}

async function grantShared(client: pg.Client, role: string): Promise<void> {
  await client.query(`grant usage on schema shared to "${role}";
    grant select on all tables in schema shared to "${role}";
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

const REACHED = `
  with markets as (${MARKETS})
  select market::text from markets where market <> $2 and has_schema_privilege($1, oid, 'usage, create')
  union all
  select 'shared' where has_table_privilege($1, 'shared.corridors', 'insert, update, delete, truncate')
                     or has_schema_privilege($1, 'shared', 'create')`;

async function refuseReach(client: pg.Client, market: string, role: string): Promise<void> {
  const { rows } = await client.query<{ market: string }>(REACHED, [role, market]);
  if (rows.length === 0) return;
  throw tooFar(role, `has rights in ${rows.map((row) => row.market).join(', ')}`);
}

const tooFar = (role: string, why: string) =>
  new Failure('conflict', 'ROLE_NOT_SEPARATE', `the role ${role} ${why}: name another with --role`);

async function letIn(client: pg.Client, granting: Granting): Promise<string | null> {
  const { role, connectionsMax } = granting;
  const isNew = (await readRole(client, role))?.canLogIn === false;
  const password =
    granting.password ?? (isNew ? randomBytes(PASSWORD_BYTES).toString('base64url') : undefined);
  const set = password === undefined ? '' : ` password '${scramSecret(password)}'`;
  await client.query(`alter role "${role}" login connection limit ${connectionsMax}${set}`);
  return granting.password === undefined && password !== undefined ? password : null;
}

const SCRAM_ITERATIONS = 4096;
const HASH_BYTES = 32;

/** What Postgres keeps of a password (RFC 5803), so that no log of statements has the password itself. */
function scramSecret(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, SCRAM_ITERATIONS, HASH_BYTES, 'sha256');
  const keyOf = (name: string) => createHmac('sha256', salted).update(name).digest();
  const stored = createHash('sha256').update(keyOf('Client Key')).digest('base64');
  const server = keyOf('Server Key').toString('base64');
  return `SCRAM-SHA-256$${SCRAM_ITERATIONS}:${salt.toString('base64')}$${stored}:${server}`;
}

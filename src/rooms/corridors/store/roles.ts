/** Postgres roles that are made for one purpose: plain ones, which belong to nobody else and have no right that they were not given. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type pg from 'pg';
import { MARKETS } from '../../../kit/database/market-reach.ts';
import { sqlStateOf } from '../../../kit/database/pg-failure.ts';
import { Failure } from '../../../kit/words/failure.ts';

export type NewRole = {
  /** Name of the role; safe in SQL. */
  readonly role: string;
  /** Absent: made where the role cannot log in yet. */
  readonly password?: string | undefined;
  /** Most connections of the role. */
  readonly connectionsMax: number;
};

type RoleRow = { readonly canLogIn: boolean; readonly isSpecial: boolean; readonly in: string[] };
const ROLE = `
  select rolcanlogin as "canLogIn",
         rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls as "isSpecial",
         array(select pg_get_userbyid(roleid)::text from pg_auth_members where member = r.oid order by 1) as in
    from pg_roles r where rolname = $1`;

const readRole = async (client: pg.Client, role: string): Promise<RoleRow | undefined> =>
  (await client.query<RoleRow>(ROLE, [role])).rows[0];

/** Makes a role that cannot log in yet, unless there is one. @throws Failure for a role that is more than a plain one */
export async function makeRole(client: pg.Client, role: string): Promise<void> {
  const known = await readRole(client, role);
  if (known === undefined) await client.query(`create role "${role}" nologin`);
  else if (known.isSpecial) throw tooFar(role, 'is no plain role');
  else if (known.in.length > 0) throw tooFar(role, `belongs to ${known.in.join(', ')}`);
}

const REACHED = `
  with markets as (${MARKETS})
  select market::text from markets
   where market is distinct from $2 and has_schema_privilege($1, oid, 'usage, create')
  union all
  select 'shared' where has_table_privilege($1, 'shared.corridors', 'insert, update, delete, truncate')
                     or has_schema_privilege($1, 'shared', 'create')`;

/** @param market the one that is the role's own, if any */
export async function refuseReach(
  client: pg.Client,
  role: string,
  market: string | null,
): Promise<void> {
  const { rows } = await client.query<{ market: string }>(REACHED, [role, market]);
  if (rows.length === 0) return;
  throw tooFar(role, `has rights in ${rows.map((row) => row.market).join(', ')}`);
}

const tooFar = (role: string, why: string) =>
  new Failure('conflict', 'ROLE_NOT_SEPARATE', `the role ${role} ${why}: name another with --role`);

const PASSWORD_BYTES = 24;

/** Lets the role log in. @returns the password that was made, if one was; nobody can read it again */
export async function letIn(
  client: pg.Client,
  { role, password: given, connectionsMax }: NewRole,
): Promise<string | null> {
  const isNew = (await readRole(client, role))?.canLogIn === false;
  const made =
    given === undefined && isNew ? randomBytes(PASSWORD_BYTES).toString('base64url') : null;
  const password = given ?? made;
  const set = password === null ? '' : ` password '${scramSecret(password)}'`;
  await client.query(`alter role "${role}" login connection limit ${connectionsMax}${set}`);
  return made;
}

const DENIED = '42501';

/**
 * Lets a role in that reads, and writes nothing.
 * @param market the one that is the role's own, if any
 * @returns `isLogged`: whether Postgres logs each statement of the role, which only a superuser may set
 */
export async function letReaderIn(client: pg.Client, reader: NewRole, market: string | null) {
  const { role } = reader;
  await refuseReach(client, role, market);
  await client.query(`alter role "${role}" set default_transaction_read_only = on`);
  const isLogged = await logStatements(client, role);
  return { password: await letIn(client, reader), isLogged };
}

/** Has Postgres log each statement of a role. @returns whether it does */
async function logStatements(client: pg.Client, role: string): Promise<boolean> {
  try {
    await client.query(`alter role "${role}" set log_statement = 'all'`);
    return true;
  } catch (error) {
    if (sqlStateOf(error) !== DENIED) throw error;
    const { rows } = await client.query(
      `select from pg_db_role_setting
        where setrole = (select oid from pg_roles where rolname = $1) and 'log_statement=all' = any (setconfig)`,
      [role],
    );
    return rows.length > 0;
  }
}

const SCRAM_ITERATIONS = 4096;
const HASH_BYTES = 32;

/** Secret that Postgres keeps of a password (RFC 5803), so that no log of statements has the password itself. */
function scramSecret(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, SCRAM_ITERATIONS, HASH_BYTES, 'sha256');
  const keyOf = (name: string) => createHmac('sha256', salted).update(name).digest();
  const stored = createHash('sha256').update(keyOf('Client Key')).digest('base64');
  const server = keyOf('Server Key').toString('base64');
  return `SCRAM-SHA-256$${SCRAM_ITERATIONS}:${salt.toString('base64')}$${stored}:${server}`;
}

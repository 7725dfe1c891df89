/**
 * Applies the files of sql/ in order, once each. A file that was applied is never edited: a changed checksum is an error. SQL names no
 * schema; each step sets the search_path to the market's schema for itself alone, so no role is altered while other markets
 * work. Each finished step is recorded: a migration that was killed resumes with the step that was under way.
 */
import type pg from 'pg';
import { Failure } from '../../words/failure.ts';
import { toFailure } from '../pg-failure.ts';
import { encodingFault } from '../server-facts.ts';
import { giveToOwner } from './market-owner.ts';
import {
  alone,
  aside,
  type Checksum,
  connected,
  LOCK_TIMEOUT_MS,
  lockShared,
  type Migration,
  readMigrations,
  refuseEdited,
  type SessionOptions,
  SQL_FOLDER,
  type Step,
  searchPath,
} from './migration-session.ts';

export type MigrateOptions = SessionOptions & {
  /** Corridors to add to those of the market. */
  readonly corridors: readonly string[];
  /** Names of the migrations that are applied; absent: all. */
  readonly only?: readonly string[];
};

export const CORRIDOR_TAKEN = 'CORRIDOR_TAKEN';

/** Brings the database to the newest schema; returns the names of the migrations it finished. */
export async function migrate(
  options: MigrateOptions,
  folder: string = SQL_FOLDER,
): Promise<string[]> {
  const { only } = options;
  const migrations = (await readMigrations(folder)).filter(
    ({ name }) => only?.includes(name) ?? true,
  );
  try {
    return await connected(options, async (client) => {
      await refuseEncoding(client);
      await alone(client, options, 'schema', () => prepareSchema(client, options.market));
      const applied = await applyMissing(client, options, migrations);
      await alone(client, options, 'corridors', () => claimCorridors(client, options));
      return applied;
    });
  } catch (error) {
    throw toFailure(error);
  }
}

/** @throws Failure where the database has an encoding in which the engine cannot work */
async function refuseEncoding(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ encoding: string }>(
    `select current_setting('server_encoding') as encoding`,
  );
  const fault = encodingFault(String(rows[0]?.encoding));
  if (fault !== null) throw new Failure('permanent', 'DATABASE_UNFIT', fault);
}

/** The market's name is checked by the configuration ([a-z][a-z0-9_]*), so it is safe in DDL. */
async function prepareSchema(client: pg.Client, market: string): Promise<void> {
  // The role of a market may not create a schema, not even where it exists.
  const { rows } = await client.query('select from pg_namespace where nspname = $1', [market]);
  if (rows.length === 0) await client.query(`create schema if not exists ${market}`);
  await client.query(`
    create table if not exists ${market}.schema_migrations (
      name text constraint schema_migrations_pkey primary key,
      checksum text not null,
      applied_at timestamptz(3) not null default now()
    )`);
  await client.query(`
    create table if not exists ${market}.unfinished_migrations (
      name text constraint unfinished_migrations_pkey primary key,
      checksum text not null,
      steps_done integer not null
    )`);
}

async function applyMissing(
  client: pg.Client,
  options: MigrateOptions,
  migrations: readonly Migration[],
): Promise<string[]> {
  const { rows } = await client.query<Checksum>(
    `select name, checksum from ${options.market}.schema_migrations`,
  );
  const known = new Map(rows.map((row) => [row.name, row.checksum]));
  const applied: string[] = [];
  for (const migration of migrations) {
    const checksum = known.get(migration.name);
    if (checksum !== undefined) refuseEdited(migration, checksum);
    else if (await applySteps(client, options, migration)) applied.push(migration.name);
  }
  return applied;
}

/** False where another process has finished it meanwhile. */
async function applySteps(
  client: pg.Client,
  options: MigrateOptions,
  migration: Migration,
): Promise<boolean> {
  const what = `sql/${migration.name}`;
  try {
    for (;;) {
      const state = await alone(client, options, what, () => applyNext(client, options, migration));
      if (state !== 'more') return state === 'finished';
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    const detail = `${what}: ${String(error)}`;
    throw new Failure('unavailable', 'MIGRATION_FAILED', detail, { cause: error });
  }
}

/** Runs the next step and records it; steps that others ran meanwhile are read under the lock. */
async function applyNext(
  client: pg.Client,
  options: MigrateOptions,
  migration: Migration,
): Promise<'more' | 'finished' | 'elsewhere'> {
  const { name, checksum, steps } = migration;
  const { rows } = await client.query<Checksum & { done: number | null }>(
    `select name, checksum, null::integer as done from schema_migrations where name = $1
      union all select name, checksum, steps_done from unfinished_migrations where name = $1`,
    [name],
  );
  const [before] = rows;
  if (before !== undefined) refuseEdited(migration, before.checksum);
  if (before?.done === null) return 'elsewhere';
  const at = before?.done ?? 0;
  const step = steps[at];
  if (step !== undefined) await runStep(client, options, step);
  await giveToOwner(client, options.market);
  if (at + 1 < steps.length) {
    await client.query(
      `insert into unfinished_migrations (name, checksum, steps_done) values ($1, $2, $3)
       on conflict (name) do update set steps_done = excluded.steps_done`,
      [name, checksum, at + 1],
    );
    return 'more';
  }
  await client.query('delete from unfinished_migrations where name = $1', [name]);
  await client.query('insert into schema_migrations (name, checksum) values ($1, $2)', [
    name,
    checksum,
  ]);
  return 'finished';
}

async function runStep(
  client: pg.Client,
  options: MigrateOptions,
  { kind, text }: Step,
): Promise<void> {
  switch (kind) {
    case 'transaction':
      if (/\bshared\./.test(text)) await lockShared(client);
      await client.query(text);
      return;
    case 'step':
      await aside(client, options, (other) => other.query(inSchema(text, options.market)));
      return;
    case 'concurrently':
      await aside(client, options, (other) => buildIndex(other, options.market, text));
  }
}

const STEP_BEGIN = /^begin$/m;
const STEP_END = /^end \$\$;$/m;

/**
 * Makes a step set the search_path and the lock timeout itself: it is one message, as a pooler may send the next one to another
 * session, and what is set for a transaction alone would end with the first commit of the step.
 */
function inSchema(text: string, market: string): string {
  if (!STEP_BEGIN.test(text) || !STEP_END.test(text)) {
    throw new Error('a step is one do block with lines `begin` and `end $$;`');
  }
  const set = `set search_path = ${searchPath(market)}; set lock_timeout = ${LOCK_TIMEOUT_MS};`;
  return text
    .replace(STEP_BEGIN, `begin ${set}`)
    .replace(STEP_END, 'reset search_path; reset lock_timeout; end $$$$;');
}

/** Claims corridors that have no market, or whose market was dropped. @throws Failure for a corridor of another market */
async function claimCorridors(
  client: pg.Client,
  { market, corridors, onProgress }: MigrateOptions,
): Promise<void> {
  if (corridors.length === 0) return;
  await lockShared(client);
  const { rows } = await client.query<{ corridor: string; before: string | null; now: string }>(
    `select corridor, c.market as before, shared.claim_corridor(corridor, $2) as now
       from unnest($1::text[]) as asked (corridor) left join shared.corridors c using (corridor) order by corridor`,
    [corridors, market],
  );
  const taken = rows.filter(({ now }) => now !== market);
  if (taken.length > 0) {
    const said = taken.map(({ corridor, now }) => `${corridor} is a corridor of ${now}`).join(', ');
    throw new Failure('conflict', CORRIDOR_TAKEN, said);
  }
  for (const { corridor, before } of rows) {
    if (before !== market) onProgress?.(`corridor ${corridor} added to ${market}`);
  }
}

/** A statement that builds an index without blocking writes. */
const CREATE = /^\s*create (unique )?index concurrently (\w+) on (\w+)\b([^;]*);?\s*$/i;

type Wanted = {
  readonly unique: string;
  readonly index: string;
  readonly table: string;
  /** The statement's text from the columns on. */
  readonly rest: string;
};

/**
 * Builds an index while rows are written: `create index concurrently` waits for open transactions and blocks
 * none. A build that was killed leaves an invalid index behind, which is dropped first. Postgres cannot build
 * concurrently over a partitioned table, so it is built on one partition after the other.
 * @param text one statement without a schema, and comments
 */
async function buildIndex(client: pg.Client, market: string, text: string): Promise<void> {
  const [statement, unique = '', index, table, rest = ''] =
    CREATE.exec(text.replaceAll(/^--.*$/gm, '')) ?? [];
  if (statement === undefined || index === undefined || table === undefined) {
    throw new Error(
      'a concurrent step is one statement: create [unique] index concurrently NAME on TABLE …',
    );
  }
  const wanted = { unique, index, table, rest };
  if (!(await isPartitioned(client, market, table))) {
    await buildValid(client, market, wanted);
    return;
  }
  const short = async (ddl: string) => {
    await client.query(`begin; set local lock_timeout = ${LOCK_TIMEOUT_MS}; ${ddl}; commit`);
  };
  const parent = `${market}.${index}`;
  await short(`create ${unique}index if not exists ${index} on only ${market}.${table}${rest}`);
  for (const partition of await partitionsWithout(client, `${market}.${table}`, parent)) {
    const child = `${partition}_${index.startsWith(`${table}_`) ? index.slice(table.length + 1) : index}`;
    await buildValid(client, market, { ...wanted, index: child, table: partition });
    await short(`alter index ${parent} attach partition ${market}.${child}`);
  }
}

async function buildValid(
  client: pg.Client,
  market: string,
  { unique, index, table, rest }: Wanted,
): Promise<void> {
  const { rows } = await client.query<{ valid: boolean }>(
    'select indisvalid as valid from pg_index where indexrelid = to_regclass($1)',
    [`${market}.${index}`],
  );
  if (rows[0]?.valid === true) return;
  if (rows[0] !== undefined) await client.query(`drop index concurrently ${market}.${index}`);
  await client.query(`create ${unique}index concurrently ${index} on ${market}.${table}${rest}`);
}

async function isPartitioned(client: pg.Client, market: string, table: string): Promise<boolean> {
  const { rows } = await client.query(
    `select from pg_class where oid = to_regclass($1) and relkind = 'p'`,
    [`${market}.${table}`],
  );
  return rows.length > 0;
}

/** A partition that was made since has its own index already, under a name chosen by the server. */
async function partitionsWithout(client: pg.Client, table: string, parent: string) {
  const { rows } = await client.query<{ name: string }>(
    `select c.relname as name
       from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = $1::regclass
        and not exists (select from pg_index x join pg_inherits xi on xi.inhrelid = x.indexrelid
                         where x.indrelid = c.oid and xi.inhparent = $2::regclass)
      order by 1 desc`,
    [table, parent],
  );
  return rows.map(({ name }) => name);
}

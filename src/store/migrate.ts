/**
 * Applies sql/NNNN_verb_noun.sql in order, once each, under an advisory lock. Files are never edited:
 * a changed checksum is an error. The schema belongs to the role and database (search_path), never to
 * a checkout, so SQL is written without a schema. A file is one transaction; one that rewrites large tables
 * consists of steps instead.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { Failure } from '../domain/failure.ts';
import { toFailure } from './pg-failure.ts';

const SQL_FOLDER = fileURLToPath(new URL('../../sql/', import.meta.url));
const MIGRATION_FILE = /^\d{4}_[a-z0-9]+(_[a-z0-9]+)+\.sql$/;
const MIGRATION_LOCK = 7_212_000;
/** Begins a step: statements that are committed by themselves and may be run again after an interruption. */
const STEP = /^-- step\b.*$/m;
/** `raise info` of a step says how far it is. */
const PROGRESS = 'INFO';

export type Migration = { readonly name: string; readonly text: string; readonly checksum: string };

export type MigrateOptions = {
  readonly url: string;
  /** Schema of the market; made if missing. */
  readonly market: string;
  /** Corridors added beside the seeded ones. */
  readonly corridors: readonly string[];
  /** Hears of each part of a migration that runs in steps. */
  readonly onProgress?: (text: string) => void;
};

export async function readMigrations(folder: string = SQL_FOLDER): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  const wrong = names.find((name) => !MIGRATION_FILE.test(name));
  if (wrong !== undefined) throw new Error(`sql/${wrong} is not named NNNN_verb_noun.sql`);
  return await Promise.all(
    names.map(async (name) => {
      const text = await readFile(`${folder}/${name}`, 'utf8');
      return { name, text, checksum: createHash('sha256').update(text).digest('hex') };
    }),
  );
}

/** Brings the database to the newest schema; returns the names of the migrations it applied. */
export async function migrate(
  options: MigrateOptions,
  folder: string = SQL_FOLDER,
): Promise<string[]> {
  const migrations = await readMigrations(folder);
  const client = new pg.Client({ connectionString: options.url, application_name: 'risk-migrate' });
  try {
    await client.connect();
    client.on('notice', ({ severity, message }) => {
      if (severity === PROGRESS) options.onProgress?.(message ?? '');
    });
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await prepareSchema(client, options.market);
    const applied = await applyMissing(client, migrations);
    await addCorridors(client, options.corridors);
    return applied;
  } catch (error) {
    throw toFailure(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The market's name is checked by the configuration ([a-z][a-z0-9_]*), so it is safe in DDL. */
async function prepareSchema(client: pg.Client, market: string): Promise<void> {
  await client.query(`create schema if not exists ${market}`);
  await client.query(`
    do $$ begin
      execute format('alter role %I in database %I set search_path = ${market}, shared, public', current_user, current_database());
    end $$`);
  await client.query(`set search_path = ${market}, shared, public`);
  await client.query(`
    create table if not exists ${market}.schema_migrations (
      name text constraint schema_migrations_pkey primary key,
      checksum text not null,
      applied_at timestamptz(3) not null default now()
    )`);
}

async function applyMissing(
  client: pg.Client,
  migrations: readonly Migration[],
): Promise<string[]> {
  const { rows } = await client.query<{ name: string; checksum: string }>(
    'select name, checksum from schema_migrations',
  );
  const known = new Map(rows.map((row) => [row.name, row.checksum]));
  const applied: string[] = [];
  for (const migration of migrations) {
    const checksum = known.get(migration.name);
    if (checksum === migration.checksum) continue;
    if (checksum !== undefined) {
      throw new Failure(
        'invalid',
        'MIGRATION_EDITED',
        `sql/${migration.name} was edited after it was applied`,
      );
    }
    await applyOne(client, migration);
    applied.push(migration.name);
  }
  return applied;
}

async function applyOne(client: pg.Client, migration: Migration): Promise<void> {
  const [head = '', ...steps] = migration.text.split(STEP);
  try {
    for (const step of steps) await client.query(step);
    await client.query('begin');
    if (steps.length === 0) await client.query(head);
    await client.query('insert into schema_migrations (name, checksum) values ($1, $2)', [
      migration.name,
      migration.checksum,
    ]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw new Failure(
      'unavailable',
      'MIGRATION_FAILED',
      `sql/${migration.name}: ${String(error)}`,
      { cause: error },
    );
  }
}

async function addCorridors(client: pg.Client, corridors: readonly string[]): Promise<void> {
  await client.query(
    'insert into shared.corridors (corridor) select unnest($1::text[]) on conflict do nothing',
    [corridors],
  );
}

/** Rows of migrations, and tables as batches walk them. */
import type { Query } from '../../../kit/database/pool.ts';
import { firstOf, onlyOf, rowsOf } from '../../../kit/database/statement.ts';
import { Failure } from '../../../kit/words/failure.ts';

export type Step = 'drain' | 'rewrite' | 'empty' | 'validate';
/** Passes are walks over all tables; the next block of each table that the pass has begun. */
export type Progress = {
  readonly pass: number;
  readonly rows: number;
  readonly tables: Readonly<Record<string, number>>;
};
export type Migration = {
  readonly id: string;
  readonly fields: readonly string[];
  readonly step: Step;
  readonly progress: Progress | Record<string, never>;
};

const MIGRATION = `migration_id::text as id, fields, step, progress`;
export const findMigration = firstOf<Migration>(
  'find-personal-migration',
  `select ${MIGRATION} from market.personal_migrations where ended_at is null`,
);
/** Locks the row, so that two commands do a batch one after another. */
export const lockMigration = firstOf<Migration>(
  'lock-personal-migration',
  `select ${MIGRATION} from market.personal_migrations where ended_at is null for update`,
);
/**
 * Locks the migration. @throws Failure where another command has ended it, or has gone beyond the step: a command that stood still
 * would harm a market that is open again
 */
export async function requireStep(query: Query, step: Step): Promise<Migration> {
  const migration = await lockMigration(query);
  if (migration?.step === step) return migration;
  const what =
    migration === undefined
      ? 'ended the migration'
      : `taken the migration to its step ${migration.step}`;
  throw new Failure('conflict', 'NO_MIGRATION', `another command has ${what}`);
}
export const beginMigration = onlyOf<Migration, [fields: readonly string[], reason: string]>(
  'begin-personal-migration',
  `insert into market.personal_migrations (fields, reason) values ($1, $2) returning ${MIGRATION}`,
);
export const saveStep = rowsOf<object, [step: Step, progress: string]>(
  'save-personal-migration-step',
  'update market.personal_migrations set step = $1, progress = $2::jsonb where ended_at is null',
);
export const endMigration = rowsOf<object, [step: 'done' | 'cancelled']>(
  'end-personal-migration',
  'update market.personal_migrations set step = $1, ended_at = now() where ended_at is null',
);

type Leaf = { readonly name: string; readonly blocks: number };
/** Tables that have rows of a table: itself, or its partitions. */
export const listLeaves = rowsOf<Leaf, [table: string]>(
  'list-leaves',
  `select c.relname as name, (pg_relation_size(c.oid) / current_setting('block_size')::int)::int as blocks
     from pg_class c
    where c.relkind = 'r' and (c.oid = to_regclass('market.' || $1)
       or c.oid in (select relid from pg_partition_tree(to_regclass('market.' || $1)) where isleaf)) order by c.relname`,
);

export type Guard = {
  readonly kind: 'trigger' | 'constraint';
  readonly name: string;
  readonly mode: string;
};
/** Triggers that refuse updates, and the constraint of a sealed slice of keys. */
export const listGuards = rowsOf<Guard, [table: string]>(
  'list-guards',
  `select 'trigger' as kind, tgname as name, tgenabled::text as mode from pg_trigger
    where tgrelid = to_regclass('market.' || $1) and not tgisinternal and tgtype & 16 > 0
   union all
   select 'constraint', conname, '' from pg_constraint
    where conrelid = to_regclass('market.' || $1) and contype = 'c' and pg_get_constraintdef(oid) like 'CHECK (false)%'`,
);

export type NewValue = { readonly field: string; readonly digest: Buffer; readonly value: string };
/** Values without a token, in the order of the key. */
export const listUnnamed = rowsOf<
  NewValue,
  [afterField: string, afterDigest: Buffer, rowsMax: number]
>(
  'list-values-without-token',
  `select field, digest, value from market.personal_values
    where (field, digest) > ($1, $2) and token is null order by field, digest limit $3`,
);
export const nameValues = rowsOf<
  object,
  [fields: readonly string[], digests: readonly Buffer[], tokens: readonly string[]]
>(
  'name-values',
  `update market.personal_values v set token = u.token
     from unnest($1::text[], $2::bytea[], $3::text[]) as u (field, digest, token)
    where v.field = u.field and v.digest = u.digest`,
);

export const listKinds = rowsOf<{ name: string; kind: string }>(
  'list-kinds-of-lists',
  'select name, kind from market.lists',
);
export const listUnvalidated = rowsOf<{ name: string }, [prefix: string]>(
  'list-unvalidated',
  `select conname as name from pg_constraint
    where conrelid = to_regclass('market.transactions') and not convalidated and starts_with(conname, $1)`,
);

/**
 * Rewrites the clear values of a market that has transactions. The market takes no transactions meanwhile, so no reader looks under
 * two names. Each step and each batch is a commit that says what comes next: a migration that was killed goes on when it is
 * started again, and the market stays closed until it has ended.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { MIGRATING } from '../../../core/domain/level.ts';
import { PERSONAL_FIELDS_MAX } from '../../../core/domain/personal.ts';
import { countOfCorridor } from '../../../core/store/open-rows/open-rows.ts';
import { changeSwitches } from '../../../core/store/switches/switches.ts';
import { PERSONAL } from '../../../core/store/transactions/transactions.ts';
import { removeKeys } from '../../../core/stream/remove-keys.ts';
import { recordChange } from '../../../kit/audit/audit-log.ts';
import { byCommand } from '../../../kit/command/stores.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import type { Failpoint } from '../../../kit/process/failpoint.ts';
import type { RedisClient } from '../../../kit/redis/connection.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { CACHES, DOCUMENTS } from '../catalogue.ts';
import { tokensAlone } from '../declare.ts';
import { MARKET_KEY, openMarketKey, type PrivacySettings } from '../open-personal.ts';
import { KEY_BYTES, seal } from '../seal.ts';
import { addField, listFields, lockState, raiseState, readState } from '../store.ts';
import { openSubjects } from '../subjects.ts';
import { refuseDetachedMonths, refuseMigration } from './refuse-migration.ts';
import { rewriteTables } from './rewrite-tables.ts';
import { rewritingsOf } from './statements.ts';
import * as store from './store.ts';

export type Migrating = {
  readonly market: string;
  readonly database: Database;
  readonly redis: RedisClient;
  readonly settings: PrivacySettings;
  /** Empty: those of the migration that goes on. */
  readonly fields: readonly string[];
  readonly reason: string | undefined;
  readonly failpoint: Failpoint;
  readonly signal: AbortSignal;
  readonly progress: (text: string) => void;
};

export type Migrated = {
  readonly fields: readonly string[];
  readonly rows: number;
  readonly subjects: number;
  readonly keysRemoved: number;
};

const BY = byCommand('privacy migrate');
const POLL_MS = 200;
/** Processes read switches and declarations within a second, and a change that is under way then ends before a pass is over. */
const KNOWN_MS = 2000;

export async function migrate(migrating: Migrating): Promise<Migrated> {
  const { database, failpoint, fields, signal } = migrating;
  const open = await store.findMigration(database.query);
  if (open !== undefined) requireSame(open, fields);
  let step = open?.step ?? (await begin(migrating));
  const counts = { rows: 0, keysRemoved: 0 };
  let done: Migrated | undefined;
  while (done === undefined) {
    signal.throwIfAborted();
    switch (step) {
      case 'drain':
        await drain(migrating);
        await declare(migrating);
        step = 'rewrite';
        break;
      case 'rewrite':
        counts.rows = await rewrite(migrating);
        step = 'empty';
        break;
      case 'empty':
        counts.keysRemoved = await empty(migrating);
        step = 'validate';
        break;
      case 'validate':
        await validate(migrating);
        done = { ...(await reopen(migrating)), ...counts };
    }
    failpoint('privacy-step');
  }
  await vacuum(migrating, done.fields);
  return done;
}

function requireSame({ fields: open }: store.Migration, fields: readonly string[]): void {
  if (fields.length === 0 || [...fields].sort().join() === [...open].sort().join()) return;
  const why = `a migration of ${open.join(' and ')} is under way: run risk privacy migrate without fields, which goes on with it`;
  throw new Failure('conflict', 'MIGRATION_UNDER_WAY', why);
}

/** Closes the market: API processes refuse by the switch, and Postgres by the trigger, whatever they have read. */
async function begin({ database, fields, reason }: Migrating): Promise<store.Step> {
  if (fields.length === 0 || reason === undefined) {
    throw new Failure(
      'invalid',
      'NO_MIGRATION',
      'no migration is under way: name the fields and a --reason',
    );
  }
  await refuseDeclared(database.query, fields);
  // Scans with the switches locked would hold up all scores, so `declare` asks again, once nothing more comes in.
  await refuseMigration(database.query, fields);
  await changeSwitches(database, false, async (query, _before, change) => {
    await refuseDeclared(query, fields);
    await query({ text: CLOSE });
    await store.beginMigration(query, fields, reason);
    const message = 'its personal data are rewritten';
    await change.stop(MIGRATING, { reason, message, stoppedBy: BY.request, endsAt: null });
    const line = { action: 'personal.migrate', subject: fields.join(' '), before: null } as const;
    await recordChange(query, BY, { ...line, after: { state: 'begun', reason } });
  });
  return 'drain';
}

async function refuseDeclared(query: Query, fields: readonly string[]): Promise<void> {
  const declared = (await listFields(query)).map(({ field }) => field);
  const again = fields.filter((field) => declared.includes(field));
  if (again.length > 0)
    throw new Failure('conflict', 'PERSONAL_ALREADY', `${again.join(' and ')}: declared already`);
  if (declared.length + fields.length > PERSONAL_FIELDS_MAX)
    throw new Failure(
      'conflict',
      'PERSONAL_FULL',
      `a market has at most ${PERSONAL_FIELDS_MAX} personal fields`,
    );
}

const CLOSE = `create trigger refuse_while_migrating before insert on market.transactions
  for each statement execute function market.refuse_while_migrating()`;
const OPEN = 'drop trigger refuse_while_migrating on market.transactions';

async function drain({ database, signal, progress }: Migrating): Promise<void> {
  // A process that does not know yet writes clear values where no trigger refuses them: lists, labels, holds.
  await delay(KNOWN_MS, undefined, { signal });
  for (;;) {
    signal.throwIfAborted();
    const pending = await countOfCorridor(database.query, null);
    if (pending === 0) return;
    progress(`waiting for the scores of ${pending} accepted transactions`);
    await delay(POLL_MS, undefined, { signal });
  }
}

async function nextStep(query: Query, step: store.Step, progress: object = {}): Promise<void> {
  await store.saveStep(query, step, JSON.stringify(progress));
}

/** Declares the fields: from here on Postgres takes tokens alone, as the constraints hold for rows that are written from now on. */
async function declare({ database, settings: { keys } }: Migrating): Promise<void> {
  await database.transaction(async (query) => {
    const { fields } = await store.requireStep(query, 'drain');
    await refuseMigration(query, fields, 'the market is closed: --cancel opens it');
    const { keyId, marketKey } = await lockState(query);
    const known = (await listFields(query)).length;
    for (const [nth, field] of fields.entries()) {
      await query({ text: `${tokensAlone(field, known + nth)} not valid` });
      await addField(query, field, BY.request);
    }
    const [wrapping] = keys;
    await raiseState(
      query,
      keyId ?? wrapping.keyId,
      marketKey ?? seal(wrapping.key, randomBytes(KEY_BYTES), MARKET_KEY),
    );
    await nextStep(query, 'rewrite');
  });
}

async function rewrite(migrating: Migrating): Promise<number> {
  const { database, settings } = migrating;
  const { fields } = await store.requireStep(database.query, 'rewrite');
  const marketKey = openMarketKey(settings.keys, await readState(database.query));
  const subjects = openSubjects({ database, keys: settings.keys, marketKey });
  const rows = await rewriteTables({ ...migrating, fields, subjects });
  await database.transaction(async (query) => {
    await store.requireStep(query, 'rewrite');
    await refuseDetachedMonths(query);
    await nextStep(query, 'empty', { rows });
  });
  return rows;
}

async function empty({ database, redis, market }: Migrating): Promise<number> {
  // Another command that would open the market waits for the lock.
  return await database.transaction(async (query) => {
    const { progress } = await store.requireStep(query, 'empty');
    const removed = await removeKeys(redis, market);
    await query({ text: `truncate ${CACHES.map((table) => `market.${table}`).join(', ')}` });
    await nextStep(query, 'validate', progress);
    return removed;
  });
}

async function validate({ database, signal }: Migrating): Promise<void> {
  for (const { name } of await store.listUnvalidated(database.query, PERSONAL)) {
    await database.write({ text: `alter table market.transactions validate constraint "${name}"` });
  }
  await delay(KNOWN_MS, undefined, { signal });
}

async function reopen({ database }: Migrating) {
  return await changeSwitches(database, false, async (query, _before, change) => {
    const { fields, progress } = await store.requireStep(query, 'validate');
    await query({ text: OPEN });
    await query({ text: 'truncate market.personal_values' });
    await store.endMigration(query, 'done');
    await change.start(MIGRATING);
    const [{ subjects = 0 } = {}] = await query<{ subjects: number }>(
      {
        text: 'select count(*)::int as subjects from market.subjects where field = any ($1::text[])',
      },
      [fields],
    );
    const line = { action: 'personal.migrate', subject: fields.join(' '), before: null } as const;
    await recordChange(query, BY, {
      ...line,
      after: { state: 'done', rows: progress['rows'] ?? 0, subjects },
    });
    return { fields, subjects };
  });
}

/** Opens the market again, where nothing is rewritten yet. */
export async function cancelMigration(database: Database): Promise<void> {
  await changeSwitches(database, false, async (query, _before, change) => {
    const found = await store.findMigration(query);
    if (found !== undefined && found.step !== 'drain') {
      throw new Failure(
        'conflict',
        'MIGRATION_BEGUN',
        'values are rewritten already: run risk privacy migrate, which goes on',
      );
    }
    const { fields } = await store.requireStep(query, 'drain');
    await query({ text: OPEN });
    await store.endMigration(query, 'cancelled');
    await change.start(MIGRATING);
    const line = { action: 'personal.migrate', subject: fields.join(' '), before: null } as const;
    await recordChange(query, BY, { ...line, after: { state: 'cancelled' } });
  });
}

/** Frees the old versions of rows, which have the clear values. */
async function vacuum({ database, progress }: Migrating, fields: readonly string[]): Promise<void> {
  const tables = new Set([...rewritingsOf(fields), ...DOCUMENTS].map(({ table }) => table));
  for (const table of tables) {
    for (const { name } of await store.listLeaves(database.query, table)) {
      progress(`vacuum of ${name}`);
      await database.write({ text: `vacuum (analyze) market."${name}"`, outsideTransaction: true });
    }
  }
}

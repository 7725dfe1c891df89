/**
 * Sessions and locks of migrations. Two migrations of one market never run a step at the same time, and none waits for a
 * lock so long that writers queue behind it.
 */

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { Failure } from '../../words/failure.ts';
import { toDriverUrl } from '../../words/postgres-url.ts';
import { LOCK_NOT_AVAILABLE, sqlStateOf } from '../pg-failure.ts';
import { createBeginText, startupSettings } from '../session-settings.ts';

/** First key of a market's advisory lock, and the key for `shared`. Transactions hold them: a pooler drops session locks. */
const MIGRATION_LOCK = 7_212_000;
const LOCK_POLL_MS = 300;
/** Longest wait for a lock: writers queue behind it. */
export const LOCK_TIMEOUT_MS = 400;
/** Waits between tries double from the first to the second bound: about half an hour of tries in all. */
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 15_000;
const LOCK_ATTEMPTS_MAX = 150;
const DEADLOCK = '40P01';
/** Function of Postgres for the `raise info` by which a step reports its progress; some languages have a word of their own for INFO. */
const RAISES = 'exec_stmt_raise';

export const SQL_FOLDER = fileURLToPath(new URL('../../../../sql/', import.meta.url));
const MIGRATION_FILE = /^\d{4}(_[a-z0-9]+)+\.sql$/;
/** A comment that begins a step and says how it runs; a file without any is one transaction. */
const MARK = /^-- (transaction|concurrently|step):.*$/m;

/**
 * - `transaction`  one transaction, together with the record that it is done.
 * - `concurrently` one `create index concurrently`, see migrate.ts.
 * - `step`         one `do` block that commits by itself, outside of a transaction. It must be fit to run again.
 */
type StepKind = 'transaction' | 'concurrently' | 'step';
export type Step = { readonly kind: StepKind; readonly text: string };
/** A file of sql/, and the SHA-256 of its text in hexadecimal digits. */
export type Checksum = { readonly name: string; readonly checksum: string };
export type Migration = Checksum & {
  /** At least one. */
  readonly steps: readonly Step[];
};

/**
 * Name of the sessions beside the one that holds the lock: an active one belongs to a migration that was
 * killed.
 */
const stepRole = (market: string) => `risk-migrate-step ${market}`;

/** An index of a large table takes hours, whatever deadline the role has. */
const UNBOUNDED = { statementTimeoutMs: 0 };

export type SessionOptions = {
  readonly url: string;
  readonly market: string;
  /** True behind a transaction-pooling proxy. A concurrent build has the deadlines of the role there. */
  readonly isPooled?: boolean;
  readonly lockAttemptsMax?: number;
  /** Called with the progress of a migration, and with what it waits for. */
  readonly onProgress?: (text: string) => void;
};

/** Migrations name no schema: what they create lands in the market's. */
export const searchPath = (market: string) => `${market}, shared, public`;

/** Postgres refuses a partitioned table whose tablespace is the database's own by name. */
const LEAVE_OWN_TABLESPACE = `select set_config('default_tablespace', '', true)
  from pg_database d join pg_tablespace t on t.oid = d.dattablespace
 where d.datname = current_database() and t.spcname = current_setting('default_tablespace')`;

/** Runs `work` with a connection of its own. */
export async function connected<T>(
  { url, isPooled = false, onProgress }: SessionOptions,
  work: (client: pg.Client) => Promise<T>,
  role = 'risk-migrate',
): Promise<T> {
  const { onConnect, ...session } = startupSettings({ ...UNBOUNDED, isPooled });
  const client = new pg.Client({
    connectionString: toDriverUrl(url),
    application_name: role,
    ...session,
  });
  // Ends the connection; the query under way fails with it.
  client.on('error', () => undefined);
  client.on('notice', ({ routine, message }) => {
    if (routine === RAISES) onProgress?.(message ?? '');
  });
  try {
    await client.connect();
    await onConnect(client);
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Runs a step outside of the transaction that holds the lock, which is idle meanwhile. The query before the step also ends
 * the portal of an earlier one, whose snapshot a concurrent build would wait for.
 */
export async function aside(
  holder: pg.Client,
  options: SessionOptions,
  step: (client: pg.Client) => Promise<unknown>,
): Promise<void> {
  await holder.query('set local idle_in_transaction_session_timeout = 0');
  await connected(options, step, stepRole(options.market));
}

/**
 * Runs `work` in a transaction that no other migration runs beside, again while a lock it needs is not free.
 * @param what names the work in what is told
 */
export async function alone<T>(
  client: pg.Client,
  options: SessionOptions,
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  const { lockAttemptsMax = LOCK_ATTEMPTS_MAX, onProgress } = options;
  for (let attempt = 1; ; attempt++) {
    await begin(client, options);
    try {
      const result = await work();
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch(() => undefined);
      const state = sqlStateOf(error);
      if (state !== LOCK_NOT_AVAILABLE && state !== DEADLOCK) throw error;
      if (attempt >= lockAttemptsMax) throw locked(what, attempt, error);
    }
    const waitMs = Math.min(RETRY_FIRST_MS * 2 ** (attempt - 1), RETRY_MAX_MS);
    const jitteredMs = Math.round((waitMs * (1 + Math.random())) / 2);
    onProgress?.(
      `${what}: a lock was not free within ${LOCK_TIMEOUT_MS} ms; next try in ${jitteredMs} ms`,
    );
    await delay(jitteredMs);
  }
}

/**
 * Polls rather than waits: a waiting statement has a snapshot, for whose end `create index concurrently` would wait, and so
 * the lock would never be free.
 */
async function begin(
  client: pg.Client,
  { market, isPooled = false, onProgress }: SessionOptions,
): Promise<void> {
  const beginText = createBeginText({ ...UNBOUNDED, isPooled });
  for (let tries = 0; ; tries++) {
    await client.query(beginText());
    const { rows } = await client.query<{ ours: boolean }>(
      `select pg_try_advisory_xact_lock($1, hashtext($2)) and not exists (
         select from pg_stat_activity
          where datname = current_database() and application_name = $3 and state = 'active') as ours`,
      [MIGRATION_LOCK, market, stepRole(market)],
    );
    if (rows[0]?.ours === true) break;
    await client.query('rollback');
    if (tries === 0) onProgress?.('another migration runs');
    await delay(LOCK_POLL_MS);
  }
  await client.query(
    `set local lock_timeout = ${LOCK_TIMEOUT_MS}; set local search_path = ${searchPath(market)}; ${LEAVE_OWN_TABLESPACE}`,
  );
}

/** Keeps migrations of other markets from changing the schema `shared` until the transaction ends. */
export async function lockShared(client: pg.Client): Promise<void> {
  await client.query('select pg_advisory_xact_lock($1::bigint)', [MIGRATION_LOCK]);
}

function locked(what: string, attempts: number, cause: unknown): Failure {
  return new Failure(
    'unavailable',
    'MIGRATION_LOCKED',
    `${what}: a lock was not free within ${LOCK_TIMEOUT_MS} ms in ${attempts} tries; look for long transactions in pg_stat_activity`,
    { cause },
  );
}

/**
 * The files of sql/ and the steps they consist of.
 * @throws Failure where the file that was applied had another text
 */
export function refuseEdited({ name, checksum }: Checksum, applied: string): void {
  if (checksum === applied) return;
  const detail = `sql/${name} was edited after it was applied`;
  throw new Failure('invalid', 'MIGRATION_EDITED', detail);
}

export async function readMigrations(folder: string = SQL_FOLDER): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  const wrong = names.find((name) => !MIGRATION_FILE.test(name));
  if (wrong !== undefined) throw new Error(`sql/${wrong} is not named NNNN_name.sql`);
  return await Promise.all(
    names.map(async (name) => {
      const text = await readFile(`${folder}/${name}`, 'utf8');
      const checksum = createHash('sha256').update(text).digest('hex');
      return { name, checksum, steps: stepsOf(text) };
    }),
  );
}

function stepsOf(text: string): Step[] {
  // With its group, the mark's kind stands between the texts.
  const [head = '', ...rest] = text.split(MARK);
  if (rest.length === 0) return [{ kind: 'transaction', text: head }];
  return Array.from({ length: rest.length / 2 }, (_, at) => ({
    kind: rest[2 * at] as StepKind,
    text: rest[2 * at + 1] ?? '',
  }));
}

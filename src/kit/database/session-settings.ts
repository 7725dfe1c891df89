/** The settings of the engine's connections. Behind a pooler no session keeps any, so each transaction begins by setting them. */
import type { ClientBase } from 'pg';
import { COLUMN_TYPES } from './column-types.ts';

export type SessionOptions = {
  /** Deadline of a statement; 0: none. */
  readonly statementTimeoutMs: number;
  /** Deadline of one wait for a lock; shorter than the statement's, so that a rival is told from an outage. Absent: none. */
  readonly lockTimeoutMs?: number;
  /** Settings of Postgres beside the deadlines, as `enable_sort: 'off'`. */
  readonly settings?: Readonly<Record<string, string>>;
  /**
   * True behind a transaction-pooling proxy, which keeps no session state between transactions. Each unit of work is then a
   * transaction that begins by setting its deadlines and settings.
   */
  readonly isPooled?: boolean;
};

/**
 * The isolation of all writes, whatever the default of the server or of the role. Under a stricter one a statement has its snapshot
 * before its locks, so that a store that waits for a log of evidence to begin would not see the log.
 */
const ISOLATION = 'read committed';

/**
 * Settings that the engine's texts and parsers rely on, whatever server, database and role have set. `default_transaction_read_only` is not
 * among these settings: an operator protects a server with it.
 */
const RELIED_ON = {
  array_nulls: 'on',
  bytea_output: 'hex',
  datestyle: 'ISO, MDY',
  // An error leaves the session, as a savepoint or the next statement needs it.
  exit_on_error: 'off',
  // Fewer digits change a score that is archived and restored.
  extra_float_digits: '1',
  intervalstyle: 'postgres',
  // A plan without values locks every month.
  plan_cache_mode: 'auto',
  quote_all_identifiers: 'off',
  row_security: 'on',
  // A schema before pg_catalog would replace functions and types.
  search_path: 'pg_catalog',
  standard_conforming_strings: 'on',
  timezone: 'UTC',
  transform_null_equals: 'off',
} as const;

/**
 * A host that lost its power answers no more: after 90 s Postgres ends its session, with the locks. Without these settings that takes
 * two hours, in which no other trainer takes over.
 */
const GONE_AFTER = {
  tcp_keepalives_idle: '60',
  tcp_keepalives_interval: '10',
  tcp_keepalives_count: '3',
  // An answer that nobody acknowledges.
  tcp_user_timeout: '90000',
} as const;

/**
 * Sets what may be sent only where it differs. The engine has no deadline of a transaction, and a Postgres before 17 refuses a connection
 * that sends the setting. Triggers that guard stored rows have to fire, and only a role with the right may set that they do.
 */
const liftText = (isLocal: boolean) => `select set_config(name, own, ${isLocal})
  from (values ('transaction_timeout', '0'), ('session_replication_role', 'origin')) as relied (name, own)
 where current_setting(name, true) <> own`;

/** Options of the driver: parsers, the settings that a connection sends as it opens, and what sets the rest. */
export function startupSettings(options: SessionOptions) {
  if (options.isPooled === true) return { types: COLUMN_TYPES, onConnect: async () => undefined };
  const settings = {
    default_transaction_isolation: ISOLATION,
    idle_session_timeout: '0',
    ...GONE_AFTER,
    ...settingsOf(options),
  };
  const set = Object.entries(settings).map(
    ([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`,
  );
  const onConnect = async (client: ClientBase) => {
    await client.query(liftText(false));
  };
  return { types: COLUMN_TYPES, options: set.join(' '), onConnect };
}

/** Makes the text that begins a transaction in a mode, which names the isolation. */
export function createBeginText(options: SessionOptions): (mode?: string) => string {
  if (options.isPooled !== true) return (mode = '') => `begin ${mode}`.trim();
  const set = Object.entries(settingsOf(options)).map(
    ([name, value]) => `set local ${name} = '${value}'`,
  );
  return (mode = `isolation level ${ISOLATION}`) =>
    [`begin ${mode}`, ...set, liftText(true)].join('; ');
}

/** Deadlines are in milliseconds. */
function settingsOf({ statementTimeoutMs, lockTimeoutMs = 0, settings }: SessionOptions) {
  return {
    ...RELIED_ON,
    statement_timeout: String(statementTimeoutMs),
    lock_timeout: String(lockTimeoutMs),
    idle_in_transaction_session_timeout: String(statementTimeoutMs * 2),
    ...settings,
  };
}

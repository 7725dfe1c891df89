/** The settings of a pool's connections. Behind a pooler no session keeps any, so each transaction begins by setting them. */

export type SessionOptions = {
  readonly statementTimeoutMs: number;
  /** Deadline of one wait for a lock; shorter than the statement's, so that a rival is told from an outage. */
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

/** Settings that a connection sends as it opens. */
export function startupSettings(options: SessionOptions) {
  if (options.isPooled === true) return {};
  const settings = { default_transaction_isolation: ISOLATION, ...options.settings };
  const set = Object.entries(settings).map(
    ([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`,
  );
  return { ...deadlinesOf(options), options: set.join(' ') };
}

/** Makes the text that begins a transaction in a mode, which names the isolation. */
export function createBeginText(options: SessionOptions): (mode?: string) => string {
  if (options.isPooled !== true) return (mode = '') => `begin ${mode}`.trim();
  const settings = Object.entries({ ...deadlinesOf(options), ...options.settings });
  const set = settings.map(([name, value]) => `set local ${name} = ${value}`);
  return (mode = `isolation level ${ISOLATION}`) => [`begin ${mode}`, ...set].join('; ');
}

/** Postgres' settings of deadlines, in milliseconds. */
function deadlinesOf({ statementTimeoutMs, lockTimeoutMs }: SessionOptions) {
  return {
    statement_timeout: statementTimeoutMs,
    ...(lockTimeoutMs === undefined ? {} : { lock_timeout: lockTimeoutMs }),
    idle_in_transaction_session_timeout: statementTimeoutMs * 2,
  };
}

/**
 * Expected failures as values. Adapters translate their driver's errors into a Failure at their border; the
 * worker decides what becomes of an entry by `kind`, the HTTP edge maps it to a problem.
 *
 * - `invalid`      the input itself is wrong; never retried.
 * - `conflict`     a known idempotency key with another body; never retried.
 * - `not-found`    what was asked for does not exist.
 * - `unavailable`  a dependency is down or refuses; counts as neither attempt nor delivery.
 * - `transient`    this piece of work failed for its own reason and may succeed later; costs an attempt.
 * - `permanent`    this piece of work can never succeed; straight to the dead letters.
 *
 */
export const FAILURE_KINDS = [
  'invalid',
  'conflict',
  'not-found',
  'unavailable',
  'transient',
  'permanent',
] as const;
type FailureKind = (typeof FAILURE_KINDS)[number];

/** A typed failure. `code` is stable and upper-case (`POSTGRES_UNAVAILABLE`), `message` is for people. */
export class Failure extends Error {
  readonly kind: FailureKind;
  readonly code: string;

  constructor(kind: FailureKind, code: string, detail: string, options?: { cause?: unknown }) {
    super(detail, options);
    this.name = 'Failure';
    this.kind = kind;
    this.code = code;
  }
}

/** A connection died during a commit, so that nobody knows whether the commit was done. */
export const COMMIT_UNKNOWN = 'COMMIT_UNKNOWN';

/** Setting that an operator corrects where a store refuses a connection; a message has its name, never its value. */
export type StoreSetting = 'DATABASE_URL' | 'DATABASE_REPLICA_URL' | 'REDIS_URL';

const NAMES = {
  DATABASE_URL: 'Postgres',
  DATABASE_REPLICA_URL: 'the replica',
  REDIS_URL: 'Redis',
} as const;

/** The rights of the user of Redis, as docs/deploy.md has them. */
export const redisRights = (market: string): string =>
  `ACL SETUSER risk on >PASSWORD ~${market}:* ~{${market}:* &${market}:* +@all -@admin -@dangerous +info +client|unblock`;

type Advice = (setting: StoreSetting) => string;

/** Turns any thrown value into an Error and keeps its content. An error of several addresses has no words, so its causes speak. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof AggregateError && thrown.message === '')
    thrown.message = thrown.errors.map((cause) => toError(cause).message).join('; ');
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}

/** Why a request has failed, in words: `fetch` puts the reason into the cause of its error. */
export function reasonOf(thrown: unknown): string {
  const { message, cause } = toError(thrown);
  return cause instanceof Error ? toError(cause).message : message;
}

/** True when the failure says that a dependency, not the work, is at fault. */
export function isUnavailable(thrown: unknown): boolean {
  return thrown instanceof Failure && thrown.kind === 'unavailable';
}

const login: Advice = (setting) => `correct user and password of ${setting}`;
const host: Advice = (setting) => `correct the host of ${setting}`;
const address: Advice = (setting) =>
  `start ${NAMES[setting]}, or correct host and port of ${setting}`;

/** By the code of the socket, the SQLSTATE of Postgres, or the first word of Redis. */
const ADVICE: Readonly<Record<string, Advice>> = {
  ENOTFOUND: host,
  EAI_AGAIN: host,
  ECONNREFUSED: address,
  EHOSTUNREACH: address,
  ENETUNREACH: address,
  ETIMEDOUT: address,
  '25006': () => 'it is a standby, or default_transaction_read_only is on',
  '25P03': () => 'idle_in_transaction_session_timeout',
  '25P04': () => 'transaction_timeout',
  '28000': (setting) => `${login(setting)}; a server that takes TLS alone needs sslmode there`,
  '28P01': login,
  '42501': (setting) => `grant it to the role of ${setting}; risk doctor names its rights`,
  '3D000': (setting) => `create the database, or correct its name in ${setting}`,
  '53200': () => 'where locks are short, raise max_locks_per_transaction, or archive months',
  '53300': () => 'raise the limit of connections, or lower RISK_DATABASE_CONNECTIONS_MAX',
  '55P03': () => 'lock_timeout',
  '57014': () => 'statement_timeout, or somebody has canceled the statement',
  '57P05': () => 'idle_session_timeout',
  NOAUTH: login,
  NOPERM: (setting) => `give the user of ${setting} its rights: ${redisRights('MARKET')}`,
  WRONGPASS: login,
};

/**
 * The words of a failed connection, with advice where the code has one.
 * @param code undefined: the code of the error itself
 */
export function adviseStore(setting: StoreSetting, thrown: unknown, code?: string): string {
  const own = String(Object(thrown).code ?? thrown);
  const words = toError(thrown).message || own;
  const advice = ADVICE[code ?? own];
  return advice === undefined ? words : `${words} (${advice(setting)})`;
}

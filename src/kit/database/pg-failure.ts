/**
 * Postgres' errors as Failures: the one table of SQLSTATEs. A failure of the server or the network is
 * `unavailable` (never held against a transaction); a failure of the data is `permanent`.
 */
import type pg from 'pg';
import { adviseStore, COMMIT_UNKNOWN, Failure, type StoreSetting } from '../words/failure.ts';

/** Classes (first two characters) and codes of failures that are not this work's fault and may be retried. */
const UNAVAILABLE_CLASSES = new Set([
  '08', // connection exception
  '53', // insufficient resources: disk full, too many connections, out of memory
  '57', // operator intervention: shutdown, crash recovery, statement timeout
  '58', // system error: I/O
]);
const UNAVAILABLE_CODES = new Set([
  '25006', // read-only transaction: a demoted primary
  '40001', // serialization failure
  '40P01', // deadlock detected
  '55P03', // lock not available
  '25P03', // idle-in-transaction timeout
  '25P04', // transaction timeout
  '42501', // insufficient privilege, which somebody has yet to grant
  '3D000', // database does not exist (being restored)
  'XX000', // internal error, as a cache lookup that lost a race with DDL
]);
/** A table that a migration has yet to make: the caller waits for the schema, and the data is not to blame. */
const MISSING_STATES = new Set(['42P01', '42703', '3F000']);
export const SCHEMA_MISSING = 'SCHEMA_MISSING';
/** PgBouncer's words, which no setting translates, for a connection that sends settings as it opens. */
const UNSUPPORTED = 'unsupported startup parameter';
const UNAVAILABLE = 'POSTGRES_UNAVAILABLE';

/**
 * @param thrown what the driver threw; a Failure passes through unless `code` overrides it
 * @param code   stable code for the failure in place of the derived one
 * @param setting which has the URL of the server
 */
export function toFailure(
  thrown: unknown,
  code?: string,
  setting: StoreSetting = 'DATABASE_URL',
): Failure {
  if (thrown instanceof Failure && code === undefined) return thrown;
  if (thrown instanceof Error && thrown.message.includes(UNSUPPORTED)) {
    const advice = `${thrown.message}: behind a pooler set RISK_DATABASE_POOLER=transaction`;
    return new Failure('permanent', 'POOLER_UNDECLARED', advice, { cause: thrown });
  }
  const sqlState = sqlStateOf(thrown);
  const detail = adviseStore(setting, thrown);
  if (
    sqlState === undefined ||
    UNAVAILABLE_CLASSES.has(sqlState.slice(0, 2)) ||
    UNAVAILABLE_CODES.has(sqlState)
  ) {
    // Without a SQLSTATE the error is the driver's or the socket's: no connection, timeout, reset.
    const isBug = thrown instanceof TypeError || thrown instanceof RangeError;
    if (isBug) throw thrown;
    // The words of the driver do not name Postgres.
    const isAway = sqlState === undefined && code === undefined;
    const said = isAway ? `Postgres does not answer: ${detail}` : detail;
    return new Failure('unavailable', code ?? UNAVAILABLE, said, { cause: thrown });
  }
  if (MISSING_STATES.has(sqlState)) {
    return new Failure('unavailable', code ?? SCHEMA_MISSING, detail, { cause: thrown });
  }
  return new Failure('permanent', code ?? `POSTGRES_${sqlState}`, detail, { cause: thrown });
}

/** @param ends what the server said as it ended the session, for a failure without a reason */
export function endedBy(
  ends: readonly Error[],
  failure: Failure,
  setting: StoreSetting | undefined,
): Failure {
  const end = ends.find((error) => sqlStateOf(error) !== undefined);
  const isSilent = failure.code === UNAVAILABLE && sqlStateOf(failure) === undefined;
  return isSilent && end !== undefined ? toFailure(end, undefined, setting) : failure;
}

/** SQLSTATE of a key that is held already. */
export const UNIQUE_VIOLATION = '23505';
/** SQLSTATE of a store that has a corridor whose scores a control holds; `refuse_stopped` of sql/ raises it. */
export const SCOPE_STOPPED = 'RS001';
/** SQLSTATE of a store that has a score by a policy or a table that is not in force; `refuse_ended` of sql/ raises it. */
export const POLICY_ENDED = 'RS002';
/** SQLSTATE of a statement that took longer than its deadline, or that somebody canceled. */
export const QUERY_CANCELED = '57014';
/** SQLSTATE of a lock that did not come in time. */
export const LOCK_NOT_AVAILABLE = '55P03';
/** SQLSTATE of a row that a constraint refuses, or that no partition takes. */
export const CHECK_VIOLATION = '23514';
/** Beginning of the SQLSTATEs of a server that ends a session: by order, by a crash, or as it starts. */
const SESSION_ENDED = '57P0';

/**
 * Whether a statement may have been carried out although it failed: a server that answers with an error has
 * rolled back; one that ends the session or does not answer may have committed before.
 */
export function mayBeDone(failure: Failure): boolean {
  if (failure.kind !== 'unavailable') return false;
  const state = sqlStateOf(failure);
  return state === undefined || state.startsWith(SESSION_ENDED) || state.startsWith('08');
}

/** A connection that dies during a commit leaves the outcome unknown: the caller must read back. */
export function commitFailure(error: unknown): Failure {
  const failure = toFailure(error);
  if (!mayBeDone(failure)) return failure;
  return new Failure('unavailable', COMMIT_UNKNOWN, failure.message, { cause: failure.cause });
}

/** Where work caught a statement's failure, Postgres answers the commit by a rollback without an error. @throws Failure then, too */
export async function commit(client: pg.ClientBase): Promise<void> {
  const { command } = await client.query('commit').catch((error: unknown) => {
    throw commitFailure(error);
  });
  if (command === 'COMMIT') return;
  const why = 'a statement of the transaction failed, so Postgres rolled back';
  throw new Failure('permanent', 'POSTGRES_25P02', why);
}

/** Function of Postgres that looks for the partition of a row. Messages are in the language of the server, names are not. */
const FINDS_PARTITION = 'ExecFindPartition';

/** A row that no partition takes. It is a check violation, too, but no fault of the data. */
export function isPartitionMissing(thrown: unknown): boolean {
  return sqlStateOf(thrown) === CHECK_VIOLATION && fieldOf(thrown, 'routine') === FINDS_PARTITION;
}

/** The table that the server names in its error. */
export function tableOf(thrown: unknown): string | undefined {
  return fieldOf(thrown, 'table');
}

/** The constraint that the server names in its error. */
export function constraintOf(thrown: unknown): string | undefined {
  return fieldOf(thrown, 'constraint');
}

/** Context of the error: the innermost is first, in the language of the server. */
export function contextOf(thrown: unknown): string | undefined {
  return fieldOf(thrown, 'where');
}

/** Each SQLSTATE has a digit; EPIPE, which is as long, is the socket's. */
const SQL_STATE = /^(?=.*\d)[0-9A-Z]{5}$/;

/** SQLSTATE of an error of the driver, also when it is wrapped in a Failure. */
export function sqlStateOf(thrown: unknown): string | undefined {
  const code = fieldOf(thrown, 'code');
  return code !== undefined && SQL_STATE.test(code) ? code : undefined;
}

function fieldOf(
  thrown: unknown,
  field: 'table' | 'constraint' | 'where' | 'code' | 'routine',
): string | undefined {
  const error = thrown instanceof Failure ? thrown.cause : thrown;
  if (typeof error !== 'object' || error === null || !(field in error)) return undefined;
  const value = (error as Record<typeof field, unknown>)[field];
  return typeof value === 'string' ? value : undefined;
}

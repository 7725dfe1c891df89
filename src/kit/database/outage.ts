/** Distinguishes failures of Postgres itself, which a breaker counts, from answers that are late. */
import { Failure } from '../words/failure.ts';
import { contextOf, LOCK_NOT_AVAILABLE, QUERY_CANCELED, sqlStateOf } from './pg-failure.ts';
import { POOL_BUSY } from './pool.ts';

/** No connection of ours was free, which proves nothing about Postgres. */
export function isPoolBusy(thrown: unknown): boolean {
  return thrown instanceof Failure && thrown.code === POOL_BUSY;
}

/** Answers of a healthy server: a lost race, a rival's lock, a statement that took too long, a right that is missing. */
const ANSWERS = new Set(['40001', '40P01', '55P03', QUERY_CANCELED, '25P03', '42501']);

export function isPostgresOutage(thrown: unknown): boolean {
  if (!(thrown instanceof Failure) || thrown.kind !== 'unavailable') return false;
  if (isPoolBusy(thrown) || thrown.code === 'SCHEMA_MISSING') return false;
  return !ANSWERS.has(sqlStateOf(thrown) ?? '');
}

/** Name of an index of keys, as a context has it that says where a lock was waited for. */
const KEY_INDEX = /\w_p?key\b/;

/** The lock did not come in time because another request inserts the same key. */
export const isKeyTaken = (thrown: unknown): boolean =>
  sqlStateOf(thrown) === LOCK_NOT_AVAILABLE &&
  KEY_INDEX.test(contextOf(thrown)?.split('\n', 1)[0] ?? '');

/** A healthy server did not carry the statement out in its time, and no rival of the same key is why. */
export function isStuck(thrown: unknown): boolean {
  if (!(thrown instanceof Failure)) return false;
  const state = sqlStateOf(thrown);
  return state === QUERY_CANCELED || (state === LOCK_NOT_AVAILABLE && !isKeyTaken(thrown));
}

/** Which failures say that Postgres is at fault: what a breaker counts. */
import { Failure } from '../domain/failure.ts';
import { sqlStateOf } from './pg-failure.ts';
import { POOL_BUSY } from './pool.ts';

/** Answers of a server in order: a lost race, a lock held by a rival, a statement that took too long. */
const ANSWERS = new Set(['40001', '40P01', '55P03', '57014', '25P03']);
const CODES_OF_OURS = new Set([POOL_BUSY, 'SCHEMA_MISSING']);

export function isPostgresOutage(thrown: unknown): boolean {
  if (!(thrown instanceof Failure) || thrown.kind !== 'unavailable') return false;
  if (CODES_OF_OURS.has(thrown.code)) return false;
  return !ANSWERS.has(sqlStateOf(thrown) ?? '');
}

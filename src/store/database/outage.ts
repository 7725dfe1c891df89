/** Distinguishes failures of Postgres itself, which a breaker counts. */
import { Failure } from '../../domain/failure.ts';
import { sqlStateOf } from './pg-failure.ts';
import { POOL_BUSY } from './pool.ts';

/** No connection of ours was free, which proves nothing about Postgres. */
export function isPoolBusy(thrown: unknown): boolean {
  return thrown instanceof Failure && thrown.code === POOL_BUSY;
}

/** Answers of a healthy server: a lost race, a rival's lock, a statement that took too long. */
const ANSWERS = new Set(['40001', '40P01', '55P03', '57014', '25P03']);

export function isPostgresOutage(thrown: unknown): boolean {
  if (!(thrown instanceof Failure) || thrown.kind !== 'unavailable') return false;
  if (isPoolBusy(thrown) || thrown.code === 'SCHEMA_MISSING') return false;
  return !ANSWERS.has(sqlStateOf(thrown) ?? '');
}

/** Which failures say that Redis is at fault, and which that one stream is: what breakers count. */
import { Failure } from '../domain/failure.ts';

/** What Redis says of one key: another type stands there, or its slot cannot be served. */
const OF_ONE_STREAM = new Set(['REDIS_WRONGTYPE', 'REDIS_CLUSTERDOWN', 'REDIS_TRYAGAIN']);

export function isStreamAtFault(thrown: unknown): boolean {
  return thrown instanceof Failure && OF_ONE_STREAM.has(thrown.code);
}

export function isRedisOutage(thrown: unknown): boolean {
  return thrown instanceof Failure && thrown.kind === 'unavailable' && !isStreamAtFault(thrown);
}

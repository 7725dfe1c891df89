/** Failures of Redis, and those of one stream: breakers count them apart. */
import { Failure } from '../words/failure.ts';

/** Errors of one key: it has another type, or its slot cannot be served. */
const OF_ONE_STREAM = new Set(['REDIS_WRONGTYPE', 'REDIS_CLUSTERDOWN', 'REDIS_TRYAGAIN']);

export function isStreamAtFault(thrown: unknown): boolean {
  return thrown instanceof Failure && OF_ONE_STREAM.has(thrown.code);
}

export function isRedisOutage(thrown: unknown): boolean {
  return thrown instanceof Failure && thrown.kind === 'unavailable' && !isStreamAtFault(thrown);
}

/** The failure of a command or script whose reply has a shape that no version of it has. */
export function unexpected(command: string): Failure {
  return new Failure('unavailable', 'REDIS_REPLY', `${command} answered in an unknown shape`);
}

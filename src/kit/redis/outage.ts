/** Failures of Redis, and those of one stream: breakers count them apart. */
import { Failure, isUnavailable } from '../words/failure.ts';

/** Errors of one key: it has another type, or its slot cannot be served. */
const OF_ONE_STREAM = new Set(['REDIS_WRONGTYPE', 'REDIS_CLUSTERDOWN', 'REDIS_TRYAGAIN']);

export function isStreamAtFault(thrown: unknown): boolean {
  return thrown instanceof Failure && OF_ONE_STREAM.has(thrown.code);
}

/** The user of Redis may not run the command, or not with this key. */
export const RIGHT_MISSING = 'REDIS_NOPERM';

export function isRedisOutage(thrown: unknown): boolean {
  const isAnswer = thrown instanceof Failure && thrown.code === RIGHT_MISSING;
  return isUnavailable(thrown) && !isAnswer && !isStreamAtFault(thrown);
}

/** The failure of a command or script whose reply has a shape that no version of it has. */
export function unexpected(command: string): Failure {
  return new Failure('unavailable', 'REDIS_REPLY', `${command} answered in an unknown shape`);
}

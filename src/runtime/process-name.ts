/** Names a start of a process: a consumer of streams, an owner of duties. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/** Unique: a container that starts again has the host name and the process id that it had before. */
export function nameProcess(): string {
  return `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`;
}

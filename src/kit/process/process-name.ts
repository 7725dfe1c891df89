/** Names one start of a process: a consumer of streams, an owner of duties. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/** Unique: a restarted container has the same host name and process id as before. */
export function nameProcess(): string {
  return `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`;
}

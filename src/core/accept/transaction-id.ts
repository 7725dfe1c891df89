/** Makes transaction ids: UUIDv7 (RFC 9562) whose time part is created_at to the millisecond, the rest 74 random bits. */
import { randomUUID } from 'node:crypto';

/** In front of the random bits of a UUIDv4 stands its version. */
const RANDOM_AT = 15;

export function newTransactionId(createdAtMs: number): string {
  const time = createdAtMs.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(RANDOM_AT)}`;
}

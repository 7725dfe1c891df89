/**
 * Makes transaction ids: UUIDv7 (RFC 9562) whose time part is created_at to the millisecond, the rest 74 random
 * bits. Random bytes are drawn, and written as text, for a few hundred ids at a time: a call of the platform
 * for each id would cost more than everything else.
 */
import { randomFillSync } from 'node:crypto';

const RANDOM_BYTES = 10;
const RANDOM_CHARS = 2 * RANDOM_BYTES;
const POOL_IDS = 400;

export type NewTransactionId = (createdAtMs: number) => string;

export function createTransactionIds(): NewTransactionId {
  const bytes = Buffer.alloc(RANDOM_BYTES * POOL_IDS);
  let pool = '';
  let at = 0;
  let timeMs = Number.NaN;
  let time = '';
  return (createdAtMs) => {
    if (at === pool.length) {
      pool = drawRandom(bytes);
      at = 0;
    }
    // Most transactions of a batch happened in a few milliseconds.
    if (createdAtMs !== timeMs) {
      const hex = createdAtMs.toString(16).padStart(12, '0');
      time = `${hex.slice(0, 8)}-${hex.slice(8)}-`;
      timeMs = createdAtMs;
    }
    const id = `${time}${pool.slice(at, at + 4)}-${pool.slice(at + 4, at + 8)}-${pool.slice(at + 8, at + RANDOM_CHARS)}`;
    at += RANDOM_CHARS;
    return id;
  };
}

/** In hexadecimal: version 7 in the high half of each id's first byte, variant 10 in the top bits of its third. */
function drawRandom(bytes: Buffer): string {
  randomFillSync(bytes);
  for (let at = 0; at < bytes.length; at += RANDOM_BYTES) {
    bytes[at] = ((bytes[at] ?? 0) & 0x0f) | 0x70;
    bytes[at + 2] = ((bytes[at + 2] ?? 0) & 0x3f) | 0x80;
  }
  return bytes.toString('hex');
}

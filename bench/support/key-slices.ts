/** The slices of idempotency keys as an API knows them, with room for the filters of 26 million keys. */
import {
  createKeySlices,
  type KeySlices,
} from '../../src/core/store/idempotency-keys/key-slices.ts';
import type { Database } from '../../src/kit/database/pool.ts';

const FILTER_BYTES_MAX = 64 * 2 ** 20;

export function openKeySlices(database: Database): KeySlices {
  return createKeySlices(database, {
    bytesMax: FILTER_BYTES_MAX,
    nowMs: () => performance.now(),
    report: () => undefined,
  });
}

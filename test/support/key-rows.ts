/** Rows of idempotency_keys for tests that arrange them by hand, and their slices as an API knows them. */
import {
  createKeySlices,
  type KeySlices,
  type KeySlicesOptions,
} from '../../src/core/store/idempotency-keys/key-slices.ts';
import type { Database } from '../../src/kit/database/pool.ts';

export function openSlices(database: Database, options: Partial<KeySlicesOptions> = {}): KeySlices {
  const nowMs = () => performance.now();
  return createKeySlices(database, {
    bytesMax: 2 ** 24,
    nowMs,
    report: () => undefined,
    ...options,
  });
}

export const OPEN_SLICE = '(select slice from market_0.idempotency_slices where sealed_at is null)';

/** Claims the key `$1` of a client for a transaction that does not exist. */
export function insertKey(client = `'default'`, transactionId = 'gen_random_uuid()'): string {
  return `insert into market_0.idempotency_keys (slice, digest, transaction_id, fingerprint)
          values (${OPEN_SLICE}, market_0.idempotency_digest(${client}, $1), ${transactionId}, gen_random_uuid())`;
}

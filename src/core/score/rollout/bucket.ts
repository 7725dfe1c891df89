/** The accounts of a canary: always the same ones, and none leaves when it grows. */
import { hash } from 'node:crypto';

/** A canary of 1 % is a hundred of them. */
export const BUCKETS = 10_000;
const BUCKETS_A_PERCENT = BUCKETS / 100;

/** 0 to BUCKETS - 1. The hash includes the model, so that canaries do not all take the same accounts. */
export function bucketOf(accountId: string, modelId: string): number {
  return hash('sha256', `${modelId}\n${accountId}`, 'buffer').readUInt32BE() % BUCKETS;
}

export function isInCanary(accountId: string, modelId: string, percent: number): boolean {
  return bucketOf(accountId, modelId) < percent * BUCKETS_A_PERCENT;
}

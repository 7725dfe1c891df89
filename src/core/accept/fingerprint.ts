/**
 * Fingerprint that two equal bodies share: the first 16 bytes of SHA-256 of the validated fields as they were sent,
 * before defaults and without the key. Member order does not matter, the text of a value does: "1.5" is not
 * "1.50". A collision takes 2^64 tries.
 */
import { hash } from 'node:crypto';
import { canonicalJson } from '../domain/metadata.ts';
import type { TransactionInput } from '../domain/transaction.ts';

/** Hexadecimal text of 16 bytes. */
const FINGERPRINT_DIGITS = 32;

export function fingerprintOf(input: TransactionInput): string {
  const text = JSON.stringify([
    input.account_id,
    input.merchant_id,
    input.amount,
    input.currency,
    input.corridor,
    input.created_at,
    input.type,
    input.ip,
    input.device_id,
    input.country,
    input.channel,
    input.metadata === undefined ? undefined : canonicalJson(input.metadata),
  ]);
  return hash('sha256', text, 'hex').slice(0, FINGERPRINT_DIGITS);
}

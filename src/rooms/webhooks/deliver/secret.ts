/**
 * Secrets and signatures of Standard Webhooks 1.0.0. Postgres has secrets encrypted with the first key of RISK_WEBHOOK_KEYS,
 * so that a copy of the database signs nothing, or as they are where there is no key.
 */
import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { seal, unseal } from '../../../kit/access/seal.ts';
import { Failure } from '../../../kit/words/failure.ts';

const PREFIX = 'whsec_';
const SECRET_BYTES = 32;
const SEALED = 'sealed:';

export function makeSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64');
}

/** 32 bytes each; the first one seals, all open. */
export type SealKeys = readonly Buffer[];

/** The id of the webhook is authenticated, so a sealed secret is worth nothing in another row. */
export function sealSecret([key]: SealKeys, secret: string, webhookId: string): string {
  if (key === undefined) return secret;
  return SEALED + seal(key, Buffer.from(secret), webhookId).toString('base64');
}

/** @throws Failure where no key opens the secret */
export function openSecret(keys: SealKeys, stored: string, webhookId: string): string {
  if (!stored.startsWith(SEALED)) return stored;
  const bytes = Buffer.from(stored.slice(SEALED.length), 'base64');
  for (const key of keys) {
    const secret = unseal(key, bytes, webhookId);
    if (secret !== undefined) return secret.toString();
  }
  const why = `no key of RISK_WEBHOOK_KEYS opens the secret of the webhook ${webhookId}`;
  throw new Failure('permanent', 'SECRET_SEALED', why);
}

type Signed = {
  readonly id: string;
  /** Epoch seconds. */
  readonly timestamp: number;
  readonly body: string;
};

/** The key of a secret. Signing with a key that is at hand takes 4 µs, with a new one 17. */
export function toKey(secret: string): KeyObject {
  return createSecretKey(secret.slice(PREFIX.length), 'base64');
}

/** The value of `webhook-signature`: one signature for each key, as a receiver may know the new secret or the one before. */
export function signEvent(keys: readonly KeyObject[], { id, timestamp, body }: Signed): string {
  const content = `${id}.${timestamp}.${body}`;
  return keys
    .map((key) => `v1,${createHmac('sha256', key).update(content).digest('base64')}`)
    .join(' ');
}

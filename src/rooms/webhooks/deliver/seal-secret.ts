/**
 * Secrets as Postgres keeps them: encrypted with the first key of RISK_WEBHOOK_KEYS, so that a copy of the database signs
 * nothing; as they are where there is no key. The id of the endpoint is part of what is authenticated, so a sealed secret is
 * worth nothing in another row.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { Failure } from '../../../kit/words/failure.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SEALED = 'sealed:';

export type Seal = {
  readonly seal: (secret: string, endpointId: string) => string;
  /** @throws Failure where no key opens it */
  readonly open: (stored: string, endpointId: string) => string;
};

/** @param keys 32 bytes each; the first one seals, all open */
export function createSeal(keys: readonly Buffer[]): Seal {
  return {
    seal: (secret, endpointId) => {
      const [key] = keys;
      if (key === undefined) return secret;
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(endpointId));
      const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return SEALED + Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
    },
    open: (stored, endpointId) => {
      if (!stored.startsWith(SEALED)) return stored;
      const bytes = Buffer.from(stored.slice(SEALED.length), 'base64');
      for (const key of keys) {
        const secret = openWith(key, bytes, endpointId);
        if (secret !== undefined) return secret;
      }
      const why = `no key of RISK_WEBHOOK_KEYS opens the secret of the endpoint ${endpointId}`;
      throw new Failure('permanent', 'SECRET_SEALED', why);
    },
  };
}

function openWith(key: Buffer, bytes: Buffer, endpointId: string): string | undefined {
  const [nonce, tag] = [
    bytes.subarray(0, NONCE_BYTES),
    bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES),
  ];
  const opener = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(endpointId))
    .setAuthTag(tag);
  try {
    const opened = opener.update(bytes.subarray(NONCE_BYTES + TAG_BYTES));
    return Buffer.concat([opened, opener.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}

/**
 * Names and encryption of kept answers, derived from the credential of the request. Only the sender can read an answer, which may
 * have a key or a cookie that is shown once; a reader of the database cannot.
 */
import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from 'node:crypto';

export type KeptAnswer = {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
};

/** The keys under which the answer of a request is kept. */
export type Repeatable = {
  readonly digest: Buffer;
  readonly fingerprint: Buffer;
  readonly secret: Buffer;
};

const SECRET_BYTES = 32;
const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * @param token of the credential
 * @param request method, path and body as text
 */
export function repeatableOf(token: string, key: string, request: string): Repeatable {
  const secret = Buffer.from(hkdfSync('sha256', token, key, 'kept answer', SECRET_BYTES));
  return {
    secret,
    digest: hash('sha256', Buffer.concat([Buffer.from('name of '), secret]), 'buffer'),
    fingerprint: hash('sha256', Buffer.concat([secret, Buffer.from(request)]), 'buffer'),
  };
}

export function encrypt(secret: Buffer, { status, headers, body }: KeptAnswer): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, secret, iv);
  const head = Buffer.from(JSON.stringify({ status, headers }));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.byteLength);
  const parts = [length, head, body].map((part) => cipher.update(part));
  return Buffer.concat([iv, ...parts, cipher.final(), cipher.getAuthTag()]);
}

export function decrypt(secret: Buffer, stored: Buffer): KeptAnswer {
  const decipher = createDecipheriv(CIPHER, secret, stored.subarray(0, IV_BYTES));
  decipher.setAuthTag(stored.subarray(-TAG_BYTES));
  const sealed = stored.subarray(IV_BYTES, -TAG_BYTES);
  const plain = Buffer.concat([decipher.update(sealed), decipher.final()]);
  const bodyAt = 4 + plain.readUInt32BE(0);
  const head: Omit<KeptAnswer, 'body'> = JSON.parse(plain.toString('utf8', 4, bodyAt));
  return { ...head, body: plain.subarray(bodyAt) };
}

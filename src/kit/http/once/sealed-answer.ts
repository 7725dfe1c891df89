/**
 * Names and encryption of kept answers, derived from the credential of the request. Only the sender can read an answer, which may
 * have a key or a cookie that is shown once; a reader of the database cannot.
 */
import { hash, hkdfSync } from 'node:crypto';
import { KEY_BYTES, seal, unseal } from '../../access/seal.ts';

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

const NAME = 'kept answer';

/**
 * @param token of the credential
 * @param request method, path and body as text
 */
export function repeatableOf(token: string, key: string, request: string): Repeatable {
  const secret = Buffer.from(hkdfSync('sha256', token, key, NAME, KEY_BYTES));
  return {
    secret,
    digest: hash('sha256', Buffer.concat([Buffer.from('name of '), secret]), 'buffer'),
    fingerprint: hash('sha256', Buffer.concat([secret, Buffer.from(request)]), 'buffer'),
  };
}

export function encrypt(secret: Buffer, { status, headers, body }: KeptAnswer): Buffer {
  const head = Buffer.from(JSON.stringify({ status, headers }));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.byteLength);
  return seal(secret, Buffer.concat([length, head, body]), NAME);
}

/** @throws Error where the secret or the bytes are others */
export function decrypt(secret: Buffer, stored: Buffer): KeptAnswer {
  const plain = unseal(secret, stored, NAME);
  if (plain === undefined) throw new Error('a kept answer was changed');
  const bodyAt = 4 + plain.readUInt32BE(0);
  const head: Omit<KeptAnswer, 'body'> = JSON.parse(plain.toString('utf8', 4, bodyAt));
  return { ...head, body: plain.subarray(bodyAt) };
}

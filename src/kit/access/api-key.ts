/**
 * API keys: `risk_ID_SECRETCHECKSUM`. The secret is 32 random bytes in base62 (256 bits); the checksum, a
 * CRC-32 of the characters before it, lets a secret scanner recognize a key. Only the SHA-256 is stored: a fast
 * hash suffices for a secret of 256 random bits.
 */
import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SECRET_BYTES = 32;
/** Base62 digits that hold 256 bits. */
export const SECRET_CHARS = 43;
const ID_BYTES = 6;
const ID_CHARS = 9;
/** Base62 digits that hold 32 bits. */
const CHECKSUM_CHARS = 6;

/** The key itself is shown once, and never stored. */
export function mintApiKey() {
  const keyId = base62(randomBytes(ID_BYTES), ID_CHARS);
  const body = `risk_${keyId}_${base62(randomBytes(SECRET_BYTES), SECRET_CHARS)}`;
  const key = body + checksum(body);
  return { keyId, key, keyHash: apiKeyHash(key) };
}

/** Begins the tokens of links that log in once, which are no keys. */
export const LINK_PREFIX = 'risk_login_';

/** The token of a session. */
export function mintSession() {
  const token = base62(randomBytes(SECRET_BYTES), SECRET_CHARS);
  const sessionId = base62(randomBytes(ID_BYTES), ID_CHARS);
  return { sessionId, token, tokenHash: apiKeyHash(token) };
}

/** The token of a link that logs in once. */
export function mintLink() {
  const body = LINK_PREFIX + base62(randomBytes(SECRET_BYTES), SECRET_CHARS);
  const token = body + checksum(body);
  return { token, tokenHash: apiKeyHash(token) };
}

export function apiKeyHash(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}

/** Whether the checksum at the end of a key, or of a link's token, is right. */
export function isWholeKey(key: string): boolean {
  return key.endsWith(checksum(key.slice(0, -CHECKSUM_CHARS)));
}

function checksum(text: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return base62(bytes, CHECKSUM_CHARS);
}

function base62(bytes: Buffer, chars: number): string {
  let rest = BigInt(`0x${bytes.toString('hex')}`);
  let text = '';
  for (let at = 0; at < chars; at++) {
    text = ALPHABET.charAt(Number(rest % 62n)) + text;
    rest /= 62n;
  }
  return text;
}

/** Finds subjects by their values: wraps and unwraps keys, and makes the HMAC by which a market finds a value. */
import { hash } from 'node:crypto';
import { unseal } from '../../kit/access/seal.ts';
import type { WrappingKey, WrappingKeys } from '../../kit/config/privacy-settings.ts';
import { spellAddress } from '../../kit/words/address.ts';
import { Failure } from '../../kit/words/failure.ts';
import { spellId } from '../../kit/words/plain-text.ts';
import { isPersonalId } from '../domain/personal.ts';

const BLOCK_BYTES = 64;
const HASH_BYTES = 32;

/** Additional authenticated data of the market's wrapped key. */
export const MARKET_KEY = 'market';

type MarketKey = { readonly keyId: string | null; readonly marketKey: Buffer | null };

export function openMarketKey(keys: WrappingKeys, { keyId, marketKey }: MarketKey): Buffer {
  if (keyId === null || marketKey === null) throw new Error('a declared field has a market key');
  return openSealed(wrappingKey(keys, keyId).key, marketKey, MARKET_KEY);
}

/** @param hmac by the market's key @returns the key of a row of subjects, 16 bytes in hexadecimal digits */
export const lookupIn = (hmac: (text: string) => string, field: string, text: string): string =>
  hmac(`${field}\0${text}`).slice(0, 32);

/** Gives a value one spelling, so that a list, a question or an erasure finds the value in any spelling of a client. */
export function spelled(field: string, text: string): string {
  if (!isPersonalId(field)) return text.normalize('NFC');
  return field === 'ip' ? spellAddress(text) : spellId(text);
}

/**
 * Makes an HMAC by a key.
 * @returns HMAC-SHA-256 of texts (RFC 2104) in hexadecimal, by two hashes: a tenth of the time of `createHmac`
 */
export function hmacOf(key: Buffer): (text: string) => string {
  const block = Buffer.alloc(BLOCK_BYTES);
  (key.length > BLOCK_BYTES ? hash('sha256', key, 'buffer') : key).copy(block);
  let inner = Buffer.from(block.map((byte) => byte ^ 0x36));
  const outer = Buffer.concat([block.map((byte) => byte ^ 0x5c), Buffer.alloc(HASH_BYTES)]);
  return (text) => {
    const most = BLOCK_BYTES + 3 * text.length;
    if (inner.length < most) inner = Buffer.concat([inner.subarray(0, BLOCK_BYTES)], 2 * most);
    const end = BLOCK_BYTES + inner.write(text, BLOCK_BYTES);
    // Node makes a binary text in half the time of a buffer.
    outer.write(hash('sha256', inner.subarray(0, end), 'binary'), BLOCK_BYTES, 'binary');
    return hash('sha256', outer, 'hex');
  };
}

/** @throws Failure where the key, the name or the bytes do not match */
export function openSealed(key: Buffer, sealed: Buffer, name: string): Buffer {
  const opened = unseal(key, sealed, name);
  if (opened !== undefined) return opened;
  const why = `a key of RISK_PRIVACY_KEYS does not open ${name}: another key of the same name wrapped it`;
  throw new Failure('unavailable', PRIVACY_KEYS, why);
}

/** Code of failures that a corrected file of keys cures. */
export const PRIVACY_KEYS = 'PRIVACY_KEYS';

/** @throws Failure where the file has no key with this id */
export function wrappingKey(keys: WrappingKeys, keyId: string): WrappingKey {
  const found = keys.find((key) => key.keyId === keyId);
  if (found !== undefined) return found;
  const why = `RISK_PRIVACY_KEYS has no key ${keyId}, which wraps keys of subjects: put it back`;
  throw new Failure('unavailable', PRIVACY_KEYS, why);
}

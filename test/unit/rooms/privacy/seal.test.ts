/** Goal: HMAC is that of RFC 4231, a token is a value of its field, and what is sealed opens under its own name alone. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { isToken, tokenOf } from '../../../../src/core/domain/personal.ts';
import { transactionInputSchema } from '../../../../src/core/domain/transaction.ts';
import { hmacOf, openSealed } from '../../../../src/core/store/subject-lookup.ts';
import { seal } from '../../../../src/kit/access/seal.ts';

const bytes = (hex: string) => Buffer.from(hex, 'hex');
const times = (hex: string, n: number) => bytes(hex.repeat(n));
/** Keys, texts and digests of RFC 4231, 4.2 to 4.8, whose data is text; the fifth is cut to 128 bits there. */
const VECTORS: readonly (readonly [key: Buffer, text: string, digest: string])[] = [
  [times('0b', 20), 'Hi There', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
  [
    Buffer.from('Jefe'),
    'what do ya want for nothing?',
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  [times('0c', 20), 'Test With Truncation', 'a3b6167473100ee06e0c796c2955552b'],
  [
    times('aa', 131),
    'Test Using Larger Than Block-Size Key - Hash Key First',
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
  [
    times('aa', 131),
    'This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.',
    '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
  ],
];

describe('HMAC', () => {
  test('is that of RFC 4231', () => {
    for (const [key, text, digest] of VECTORS)
      expect(hmacOf(key)(text).slice(0, digest.length)).toBe(digest);
  });

  test('of a text is the same behind a longer one', () => {
    const hmac = hmacOf(Buffer.from('Jefe'));
    const short = hmac('ä');
    hmac('ä'.repeat(5000));
    expect(hmac('ä')).toBe(short);
  });
});

test('a token is a value that its field accepts, in the spelling that lists have', () => {
  const { account_id: id, ip } = transactionInputSchema.shape;
  for (const hex of ['0'.repeat(32), 'f'.repeat(32), randomBytes(16).toString('hex')]) {
    const [account, address] = [tokenOf('account_id', hex), tokenOf('ip', hex)];
    expect([id.parse(account), ip.parse(address)]).toEqual([account, address]);
    expect([isToken('device_id', account), isToken('ip', address)]).toEqual([true, true]);
    expect(address).not.toMatch(/:0|::/);
  }
});

test('what is sealed opens by its key and under its name alone', () => {
  const [key, other] = [randomBytes(32), randomBytes(32)];
  const sealed = seal(key, Buffer.from('acc_17'), 'tok_1');
  expect(openSealed(key, sealed, 'tok_1').toString()).toBe('acc_17');
  expect(() => openSealed(other, sealed, 'tok_1')).toThrow();
  expect(() => openSealed(key, sealed, 'tok_2')).toThrow();
});

/** Tokens are read as they were written, and nothing else is one. */
import { expect, test } from 'vitest';
import { decodeToken, encodeToken } from '../../../../src/kit/words/consistency-token.ts';

const LARGEST = String(2n ** 64n - 1n);

test.each([
  { system: '7451234567890123456', xid: '749', isBound: false },
  { system: LARGEST, xid: LARGEST, isBound: true },
  { system: '0', xid: '0', isBound: false },
])('%o is written and read', (token) => {
  expect(decodeToken(encodeToken(token))).toEqual(token);
});

test.each([
  ['', 'nothing'],
  ['abc', 'too short'],
  [`${'A'.repeat(23)}A`, 'too long'],
  ['A'.repeat(22).concat('+'), 'another alphabet'],
  [`${'A'.repeat(22)}B`, 'bits beyond the last byte'],
  [`${'A'.repeat(21)}AI`, 'a flag of 2'],
])('%j is no token: %s', (text) => {
  expect(decodeToken(text)).toBeUndefined();
});

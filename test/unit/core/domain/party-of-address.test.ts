/** Goal: addresses that a household or an office shares are one party, and addresses of others are not. */
import { expect, test } from 'vitest';
import { partyOfAddress, tokenOf } from '../../../../src/core/domain/personal.ts';

const TOKEN = tokenOf('ip', '0123456789abcdef0123456789abcdef');

test.each([
  ['an IPv4 address is its /24', '203.0.113.7', '203.0.113.0/24'],
  ['an IPv6 address is its /64', '2001:db8:1:2:3::4', '2001:db8:1:2::/64'],
  ['a translated IPv4 address is its own /24', '64:ff9b::cb00:7107', '203.0.113.0/24'],
  ['a token is itself', TOKEN, TOKEN],
  ['none is none', null, null],
])('%s', (_, ip, party) => {
  expect(partyOfAddress(ip)).toBe(party);
});

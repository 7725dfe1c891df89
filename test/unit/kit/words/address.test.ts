/** Goal: each spelling of an address becomes one text, which is that of RFC 5952. Method: a table, and another parser beside. */
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { expect, test } from 'vitest';
import { isAddress, spellAddress } from '../../../../src/kit/words/address.ts';

test.each([
  ['2001:db8::0.0.0.7', '2001:db8::7'],
  ['203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['0:0:0:0:0:ffff:203.0.113.7', '203.0.113.7'],
  // The older form of IPv4 within IPv6 is another address.
  ['::203.0.113.7', '::cb00:7107'],
  ['::cb00:7107', '::cb00:7107'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ['::0001', '::1'],
  // A single group of zeros stays, and of two equal runs the first is cut.
  ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
])('a spelling: %s becomes %s', (text, spelling) => {
  expect(spellAddress(text)).toBe(spelling);
  expect(isAddress(spelling)).toBe(true);
  expect(spellAddress(spelling)).toBe(spelling);
});

test.each([
  '[2001:db8::7]',
  '[2001:db8::7]:443',
  '203.0.113.7:443',
  'fe80::1%eth0',
  '2001:db8::/32',
  '203.0.113.0/24',
  '203.0.113.007',
  '::ffff:203.0.113.007',
  '::ffff:1.2.3.256',
  '1.2.3',
  '0x7f.1',
  '1::2::3',
  '1:2:3:4:5:6:7:10.0.0.1',
  ' 203.0.113.7',
  '２０３.0.113.7',
  '',
])('no address, which stays as it is, is %j', (text) => {
  expect(spellAddress(text)).toBe(text);
  expect(isAddress(text)).toBe(false);
});

test('random addresses in random spellings are what another parser makes of them', () => {
  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
  const groups = fc.oneof(
    fc.array(group, { minLength: 8, maxLength: 8 }),
    fc.tuple(group, group).map((low) => [0, 0, 0, 0, 0, 0xffff, ...low]),
  );
  fc.assert(
    fc.property(groups, fc.boolean(), fc.boolean(), (all, isPadded, isUpper) => {
      const written = all
        .map((part) => part.toString(16).padStart(isPadded ? 4 : 1, '0'))
        .join(':');
      const text = isUpper ? written.toUpperCase() : written;
      const address = ipaddr.process(text);
      const other = address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString();
      expect(spellAddress(text)).toBe(other);
      expect(isAddress(other)).toBe(true);
    }),
  );
});

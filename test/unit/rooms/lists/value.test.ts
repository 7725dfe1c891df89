/** Goal: a value of a list has one way to be written, and what is no value of its kind is refused with what is allowed. */
import { expect, test } from 'vitest';
import { type Kind, readValue } from '../../../../src/rooms/lists/value.ts';

const storedOf = (kind: Kind, text: string) => {
  const read = readValue(kind, text);
  return 'value' in read ? read.value : undefined;
};
const problemOf = (kind: Kind, text: string) => {
  const read = readValue(kind, text);
  return 'problem' in read ? read.problem : undefined;
};

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['203.0.113.7/32', '203.0.113.7'],
  ['203.0.113.0/24', '203.0.113.0/24'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.0/120', '203.0.113.0/24'],
  ['::FFFF:CB00:7107/128', '203.0.113.7'],
  ['2001:db8::/32', '2001:db8::/32'],
  ['2001:db8::1/128', '2001:db8::1'],
  ['::/0', '::/0'],
])('the address %s is %s', (text, value) => {
  expect(storedOf('address', text)).toBe(value);
});

test.each([
  ['203.0.113.7/24', 'as 203.0.113.0/24'],
  ['2001:db8::1/64', 'as 2001:db8::/64'],
  ['203.0.113.0/33', 'from 0 to 32'],
  ['203.0.113.0/', 'from 0 to 32'],
  ['203.0.113.0/-1', 'from 0 to 32'],
  ['203.0.113.0/08', 'from 0 to 32'],
  ['2001:db8::/129', 'from 0 to 128'],
  ['::ffff:0.0.0.0/90', 'in its own form'],
  ['203.0.113.0/24/8', 'IPv4 or IPv6'],
  ['', 'IPv4 or IPv6'],
  ['1'.repeat(1000), 'IPv4 or IPv6'],
])('no address or network is %s', (text, said) => {
  expect(problemOf('address', text)).toContain(said);
});

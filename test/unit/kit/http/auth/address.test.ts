/** The address that a request counts against: only trusted proxies may name another than the connection's. */
import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../../../../src/kit/config/config.ts';
import { createAddressOf } from '../../../../../src/kit/http/auth/address.ts';

const PROXIES = '10.0.0.0/8,192.0.2.7,2001:db8:ffff::/48';

function addressOf(peer: string | undefined, forwarded?: string, proxies = PROXIES) {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  const incoming = { socket: { remoteAddress: peer }, headers } as unknown as IncomingMessage;
  return createAddressOf(proxies)(incoming);
}

describe('an address', () => {
  test.each([
    ["is the connection's", '203.0.113.5', undefined, '203.0.113.5'],
    ['is not what a stranger says', '203.0.113.5', '198.51.100.1', '203.0.113.5'],
    ['is what a trusted proxy says', '10.1.2.3', '198.51.100.1', '198.51.100.1'],
    ['is what the last of several says', '10.1.2.3', '8.8.8.8, 198.51.100.1', '198.51.100.1'],
    ['is looked for behind each of ours', '10.1.2.3', '198.51.100.1,192.0.2.7', '198.51.100.1'],
    ['is not what nobody can read', '10.1.2.3', '198.51.100.1, x', '10.1.2.3'],
    [
      'is IPv4 where it is written as IPv6',
      '::ffff:10.1.2.3',
      '::ffff:198.51.100.1',
      '198.51.100.1',
    ],
    ['is IPv4 in groups of IPv6', '0:0:0:0:0:FFFF:0a01:0203', '0::ffff:c633:6401', '198.51.100.1'],
    ['is without the port of a gateway', '10.1.2.3', '198.51.100.1:51008', '198.51.100.1'],
    ['is without brackets', '10.1.2.3', '[2001:db8:5:6::1]', '2001:db8:5:6::/64'],
    ['is without both', '10.1.2.3', '8.8.8.8, [2001:DB8:5:6::1%1]:443', '2001:db8:5:6::/64'],
    ['is not what has a port and no brackets', '10.1.2.3', '2001:db8::1:443:x', '10.1.2.3'],
    ['is a network of IPv6', '2001:db8:1:2:3:4:5:6', undefined, '2001:db8:1:2::/64'],
    ['is a network, however it is written', '2001:DB8:0:00:1::', undefined, '2001:db8:0:0::/64'],
    ['is a network with dotted digits', '64:ff9b::192.0.2.33', undefined, '64:ff9b:0:0::/64'],
    ['is a network behind a proxy', '2001:db8:ffff::1', '2001:db8:5:6::1', '2001:db8:5:6::/64'],
    ['has no zone', 'fe80::1%eth0', undefined, 'fe80:0:0:0::/64'],
    ['is unknown where the socket is gone', undefined, '198.51.100.1', 'unknown'],
  ])('%s', (_name, peer, forwarded, expected) => {
    expect(addressOf(peer, forwarded)).toBe(expected);
  });

  test('is looked for behind eight proxies at most', () => {
    const ours = Array<string>(1000).fill('10.0.0.1').join(',');
    expect(addressOf('10.1.2.3', `198.51.100.1,${ours}`)).toBe('10.0.0.1');
  });
});

test.each(['10.0.0.0/33', 'proxy.example.org', '2001:db8::/129'])(
  '%j is no setting of proxies',
  (text) => {
    expect(readConfig({ RISK_TRUSTED_PROXIES: text })).toEqual({
      problems: ['RISK_TRUSTED_PROXIES: addresses or address/prefix, with commas between them'],
    });
  },
);

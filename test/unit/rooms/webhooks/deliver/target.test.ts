/**
 * Goal: a webhook reaches public addresses alone. Method: a table of URLs that have led servers to machines behind them, with
 * a resolver that answers as an attacker's would.
 */
import { describe, expect, test } from 'vitest';
import { InvalidFields } from '../../../../../src/kit/words/field-errors.ts';
import {
  createTargets,
  isPublicAddress,
} from '../../../../../src/rooms/webhooks/deliver/target.ts';

const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  'public.example': ['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c'],
  'private.example': ['10.0.0.1'],
  'mixed.example': ['93.184.215.14', '169.254.169.254'],
  'mapped.example': ['::ffff:169.254.169.254'],
};
const resolve = async (host: string) => ADDRESSES[host] ?? [];
const targets = createTargets(resolve, false);
const check = async (url: string, { check: by } = targets) =>
  await by(url).then(
    () => 'allowed',
    (error: unknown) => (error instanceof InvalidFields ? error.errors : error),
  );
const refused = [{ pointer: '/url', detail: expect.any(String) }];

const PUBLIC = ['93.184.215.14', '1.1.1.1', '172.32.0.1', '100.63.0.1'];
const NOT_PUBLIC = [
  '0.0.0.0',
  '10.0.0.1',
  '100.64.0.1',
  '127.0.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '192.88.99.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '240.0.0.1',
  '::',
  '::1',
  '::ffff:10.0.0.1',
  '::ffff:93.184.215.14',
  '::10.0.0.1',
  '64:ff9b::a00:1',
  '64:ff9b:1::a00:1',
  '100::1',
  '2001::1',
  '2002:a00:1::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fec0::1',
  'ff02::1',
  'nothing',
  '',
];

test.each(PUBLIC)('%s is public', (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test.each(NOT_PUBLIC)("'%s' is not public", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

const BAD = [
  'http://public.example/',
  'file:///etc/passwd',
  '',
  'https://user@public.example/',
  'https://user:pw@public.example/',
  'https://public.example/#x',
  'https://127.0.0.1/',
  'https://2130706433/',
  'https://0x7f000001/',
  'https://017700000001/',
  'https://127.0.0.1./',
  'https://[::1]/',
  'https://[::ffff:7f00:1]/',
  'https://[fd00:ec2::254]/',
  'https://[64:ff9b::7f00:1]/',
  'https://169.254.169.254/latest/meta-data',
  'https://①②⑦.⓪.⓪.①/',
  'https://localhost/',
  'https://metadata.google.internal/',
  'https://nowhere.example/',
  'https://private.example/',
  'https://mixed.example/',
  'https://mapped.example/',
];

test.each(BAD)("'%s' is refused with the field", async (url) => {
  expect(await check(url)).toEqual(refused);
});

test.each([
  ['http://127.0.0.1:9/', "'127.0.0.1'", "'http://127.0.0.1:9/'"],
  ['http://localhost:9/risk', "'localhost'", "'http://127.0.0.1:9/risk'"],
  ['https://u:secret@shop.localhost./', "'shop.localhost.'", "'https://127.0.0.1/'"],
  ['https://[::1]/', "'::1'", "'https://[::1]/'"],
])(
  '%s is refused with the setting and the URL that reach this machine',
  async (url, host, cure) => {
    const detail = `must name a public address, not ${host}; for development start the API and the workers with RISK_WEBHOOK_LOOPBACK=allow, and give ${cure}`;
    expect(await check(url)).toEqual([{ pointer: '/url', detail }]);
  },
);

test.each([
  'https://public.example/hook?a=1',
  'https://93.184.215.14:8443/',
  'HTTPS://PUBLIC.example',
])('%s is allowed', async (url) => {
  expect(await check(url)).toBe('allowed');
});

describe('where this machine itself is allowed', () => {
  const local = createTargets(resolve, true);
  test.each(['http://127.0.0.1:9/', 'https://127.0.0.1:9/', 'http://[::1]:9/'])(
    '%s is',
    async (url) => {
      expect(await check(url, local)).toBe('allowed');
    },
  );
  test.each(['http://public.example/', 'https://10.0.0.1/', 'https://169.254.169.254/'])(
    '%s is not',
    async (url) => {
      expect(await check(url, local)).toEqual(refused);
    },
  );
  test('a name of this machine is refused with its address', async () => {
    const detail =
      "must name this machine by its address, as 'http://127.0.0.1:9/risk', not 'localhost'";
    expect(await check('http://localhost:9/risk', local)).toEqual([{ pointer: '/url', detail }]);
  });
});

/**
 * Goal: what is shipped is named, is licensed as we may ship it, and carries no secret. Method: the bill of materials that npm
 * made is compared with the lockfile; keys made here are recognized. `npm run sbom` writes the bill anew.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { mintApiKey, mintLink } from '../../../src/kit/access/api-key.ts';
import { SBOM, type Sbom } from '../../support/supply-chain/sbom.ts';
import { secretIn } from '../../support/supply-chain/secrets.ts';
import { readLockfile, shippedPackages } from '../../support/supply-chain/shipped-packages.ts';

/** Licences that ask for no more than their text beside the code. */
const SHIPPED = [
  'MIT',
  'MIT/X11',
  'Apache-2.0',
  'BSD-3-Clause',
  'ISC',
  'BlueOak-1.0.0',
  'Unlicense',
];
/** Licences of tools, whose code is not shipped. */
const TOOLS = [...SHIPPED, 'MIT OR Apache-2.0', 'MPL-2.0', 'PSF-2.0', 'Python-2.0', '0BSD'];

const bill: Sbom = JSON.parse(readFileSync(SBOM, 'utf8'));
const shipped = shippedPackages();

test('deploy/sbom.cdx.json names each package that is shipped, by its hash, and no other', () => {
  const named = bill.components.map(({ 'bom-ref': ref, hashes = [] }) => [
    ref,
    hashes.map(({ alg, content }) => [alg, content]),
  ]);
  const expected = shipped.map(({ name, version, integrity = '' }) => [
    `${name}@${version}`,
    [['SHA-512', Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex')]],
  ]);
  expect(named.toSorted()).toEqual(expected.toSorted());
  expect(expected.length).toBeGreaterThan(60);
});

test('licences are those that we may ship, and those of tools', () => {
  const licences = (packages: Iterable<{ readonly name: string; readonly license?: string }>) =>
    Array.from(packages, ({ name, license = 'none' }) => [name, license] as const);
  const wrong = [
    ...licences(shipped).filter(([, licence]) => !SHIPPED.includes(licence)),
    ...licences(readLockfile().values()).filter(([, licence]) => !TOOLS.includes(licence)),
  ];
  expect(wrong).toEqual([]);
});

test('secrets are recognized, and what only looks like one is not', () => {
  const { key } = mintApiKey();
  const { token } = mintLink();
  const begin = '-----BEGIN';
  const secrets = [key, token, `+${begin} EC PRIVATE KEY-----`, `AKIA${'Q'.repeat(16)}`];
  for (const secret of secrets) expect([secret, secretIn(secret)]).not.toContain(undefined);
  const last = key.at(-1) === 'a' ? 'b' : 'a';
  const examples = [key.slice(0, -1) + last, 'risk_k7Qd2mXa_SECRET', `${begin} CERTIFICATE-----`];
  expect(examples.map(secretIn)).toEqual([undefined, undefined, undefined]);
});

/** Goal: claims of any shape give a name and roles, or are refused. */
import { expect, test } from 'vitest';
import type { Role } from '../../../../../src/kit/words/principal.ts';
import { mergeClaims } from '../../../../../src/rooms/access/oidc/claims.ts';
import { personOf } from '../../../../../src/rooms/access/oidc/login-routes.ts';

const MAPPED = new Map<string, Role[]>([
  ['a', ['analyst', 'operator']],
  ['b', ['analyst']],
]);
const NAMES = { name: 'email', roles: 'groups' };
const rolesOf = (groups: unknown) =>
  personOf({ sub: '1', email: 'x@y', groups }, NAMES, MAPPED).roles;

test('roles come of one value or several, each once', () => {
  expect(rolesOf(['a', 'b', 'c'])).toEqual(['analyst', 'operator']);
  expect(rolesOf('b')).toEqual(['analyst']);
  for (const none of [[], ['c'], 'c', 'c d', '__proto__']) expect(rolesOf(none)).toEqual([]);
  expect(rolesOf({ a: { org: 'corp' }, c: {} })).toEqual(['analyst', 'operator']);
});

test('name and roles come of the claims that settings name', () => {
  const claims = { sub: '1', email: 'x@y', nickname: 'Cy', groups: 'a', teams: 'b' };
  expect(personOf(claims, { name: 'nickname', roles: 'teams' }, MAPPED)).toEqual({
    name: 'Cy',
    roles: ['analyst'],
  });
  const nested = { sub: '1', at: { 'x.y': { name: 'Cy' } }, 'at.x': { roles: ['b'] }, toString: 1 };
  expect(personOf(nested, { name: 'at.x.y.name', roles: 'at.x.roles' }, MAPPED)).toEqual({
    name: 'Cy',
    roles: ['analyst'],
  });
  for (const roles of ['at.x', 'constructor.name', 'at.x.roles.length', '.', 'at.'])
    expect(() => personOf(nested, { name: 'at.x.y.name', roles }, MAPPED), roles).toThrow('claim');
});

test.each([
  ['at.email', { at: { email: 'x@y', verified_email: false } }],
  ['at.email', { at: { email: 'x@y', is_email_verified: false } }],
  ['email', { email: 'x@y', is_email_verified: 'false' }],
  [
    'https://corp.example/email',
    { 'https://corp.example/email': 'x@y', 'https://corp.example/verified_email': 0 },
  ],
])(
  'the name %s of %j is nobody, as a mark that stands beside the claim says so',
  (name, claims) => {
    expect(() => personOf({ sub: '1', ...claims }, { ...NAMES, name }, MAPPED)).toThrow('not true');
  },
);

test.each([
  { email: undefined },
  { email: '' },
  { email: 'a\u0000' },
  { email: ['x@y'] },
  { email: 'x'.repeat(65) },
])('%j names nobody', (claims) => {
  expect(() => personOf({ sub: '1', ...claims }, NAMES, MAPPED)).toThrow('no verified name');
});

test('objects that both sources have keep the members of both, and what says "not verified" of either', () => {
  const names = { name: 'at.email', roles: 'realm_access.roles' };
  const info = { at: { email: 'old@y', email_verified: false }, realm_access: { roles: ['b'] } };
  const token = { sub: '1', at: { email: 'x@y' }, realm_access: { other: null } };
  expect(() => personOf(mergeClaims(info, token), names, MAPPED)).toThrow('not true');
  const verified = { ...token, at: { email: 'x@y', email_verified: true } };
  expect(() => personOf(mergeClaims(info, verified), names, MAPPED)).toThrow('not true');
  const merged = mergeClaims({ ...info, at: { email: 'old@y', email_verified: true } }, token);
  expect(personOf(merged, names, MAPPED)).toEqual({ name: 'x@y', roles: ['analyst'] });
});

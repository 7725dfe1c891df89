/**
 * Goal: nobody can put a model in force alone, with any keys and people that he makes, and nobody can give
 * himself that right. Method: an API process; each test tries one way in which an admin or a risk officer could
 * do so with keys.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { revokeApiKey } from '../../src/kit/access/api-keys.ts';
import { refuseStale } from '../../src/kit/access/identities.ts';
import type { Role } from '../../src/kit/words/principal.ts';
import { openForFile } from '../support/open-for-file.ts';
import { insertPersonKey } from '../support/people.ts';
import { startRollOut } from '../support/rolled-out.ts';
import { RUNNING_API_KEY, startRunningApi } from '../support/running-api.ts';
import { send } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

const OFFICER: readonly Role[] = ['risk_officer'];
/** Longer than an API process caches a lookup of a key. */
const KEY_WAIT_MS = 30_000;

const api = await openForFile(startRunningApi());
const rollOut = await openForFile(startRollOut(api.testDatabase));
const model = await rollOut.register(1);
const adam = await insertPersonKey(api.testDatabase, 'Adam', ['admin']);
const ann = await insertPersonKey(api.testDatabase, 'Ann', OFFICER);
const bob = await insertPersonKey(api.testDatabase, 'Bob', OFFICER);

/** The tests share people; each begins without models in force and without what waits. */
beforeEach(async () => {
  await api.testDatabase.sql(`
    alter table rollouts disable trigger user;
    alter table approvals disable trigger user;
    truncate rollouts; delete from approvals;
    alter table approvals enable trigger user;
    alter table rollouts enable trigger user`);
});

const as = (key: string, method: string, path: string, body?: object) =>
  send(api, method, path, body, key);

const makeKey = (by: string, identity: string, roles = OFFICER) =>
  as(by, 'POST', '/v1/keys', { identity, roles });
type Made = { readonly body: { readonly approval: { readonly approval_id: string } } };
const confirm = (by: string, { body }: Made) => approve(by, body.approval.approval_id);
const idOf = (key: string) => key.split('_')[1] ?? '';

/** A person who may approve, made by one key and confirmed by another. @returns the key */
async function makeOfficer(name: string, by: string, confirmer: string): Promise<string> {
  const made = await makeKey(by, name);
  expect([made.status, (await confirm(confirmer, made)).status]).toEqual([201, 200]);
  return made.body.key;
}

async function propose(key: string): Promise<string> {
  const path = `/v1/models/${model}/proposals`;
  const { status, body } = await as(key, 'POST', path, { corridor: 'US-EG', to: 'shadow' });
  expect(status, body.detail).toBe(201);
  return body.approval_id;
}
const approve = (key: string, id: string) => as(key, 'POST', `/v1/approvals/${id}/confirm`);
const countInForce = async () =>
  (await api.testDatabase.sql('select from rollouts where state <> $1', ['deprecated'])).length;

test('a bootstrap key neither approves nor makes keys that do', async () => {
  expect((await approve(RUNNING_API_KEY, await propose(ann))).status).toBe(403);
  const made = await makeKey(RUNNING_API_KEY, 'Fay');
  expect([made.status, made.body.detail]).toEqual([409, expect.stringMatching(/is nobody’s/)]);
  const fay = await makeKey(RUNNING_API_KEY, 'Fay', ['admin']);
  expect(fay.status).toBe(201);
  // A person that it makes for this purpose does not help, either.
  expect((await makeKey(fay.body.key, 'Fay')).status).toBe(409);
});

describe('a proposal and its approval are two people’s', () => {
  test('not two that one person has made', async () => {
    const eve = await makeOfficer('Eve 2', adam, ann);
    const fay = await makeOfficer('Fay 2', adam, bob);
    const id = await propose(eve);
    const own = await approve(fay, id);
    expect([own.status, own.body.detail]).toEqual([
      409,
      expect.stringContaining('Adam may hold both keys'),
    ]);
    expect(await countInForce()).toBe(0);
    expect((await approve(bob, id)).status).toBe(200);
  });

  test('nor a person and somebody he has made, in either order and through several makers', async () => {
    const cy = await makeOfficer('Cy', ann, bob);
    const di = await makeOfficer('Di', cy, bob);
    for (const [proposer, approver] of [
      [ann, cy] as const,
      [cy, ann] as const,
      [ann, di] as const,
      [di, ann] as const,
      [di, cy] as const,
    ]) {
      const id = await propose(proposer);
      expect((await approve(approver, id)).status).toBe(409);
      expect((await as(approver, 'POST', `/v1/approvals/${id}/withdraw`)).status).toBe(200);
    }
    expect(await countInForce()).toBe(0);
    expect((await approve(bob, await propose(di))).status).toBe(200);
  });

  test('nor a proposal of somebody who was revoked afterwards', async () => {
    const eve = await makeOfficer('Eve 3', ann, bob);
    const id = await propose(eve);
    expect((await as(adam, 'DELETE', '/v1/identities/Eve 3')).status).toBe(204);
    const refused = await approve(bob, id);
    expect([refused.status, refused.body.detail]).toEqual([
      409,
      expect.stringContaining('and is revoked: propose it again'),
    ]);
  });
});

describe('a key that approves', () => {
  test('is not confirmed by its maker, nor by anybody whom its person made', async () => {
    const annAsAdmin = await insertPersonKey(api.testDatabase, 'Ann', ['admin']);
    const gil = await makeKey(annAsAdmin, 'Gil', ['admin', 'risk_officer']);
    const hal = await makeOfficer('Hal', ann, bob);
    const ida = await makeOfficer('Ida', gil.body.key, bob);
    for (const confirmer of [ann, hal, ida]) {
      expect((await confirm(confirmer, gil)).status).toBe(409);
    }
    expect((await confirm(bob, gil)).status).toBe(200);
    const forBob = await makeKey(adam, 'Bob', ['admin', 'risk_officer']);
    expect((await confirm(bob, forBob)).body.detail).toContain('Bob may hold both');
    expect((await as(adam, 'DELETE', `/v1/keys/${forBob.body.key_id}`)).status).toBe(204);
    expect((await confirm(ann, forBob)).body.detail).toContain('is revoked');
  });

  test('waits for a confirmation unless its own person made it, and leaves the other keys of that person alone', async () => {
    const kim = await makeOfficer('Kim', ann, bob);
    const own = await makeKey(kim, 'Kim');
    expect((await approve(own.body.key, '999')).status).toBe(404);
    const byAdam = await makeKey(adam, 'Kim');
    expect((await approve(byAdam.body.key, '999')).status).toBe(403);
    const byItself = await makeKey(byAdam.body.key, 'Kim');
    expect(byItself.status).toBe(403);
    expect((await approve(kim, '999')).status).toBe(404);
    expect((await confirm(bob, byAdam)).status).toBe(200);
    const counts = async () => (await approve(byAdam.body.key, '999')).status === 404;
    await waitUntil(counts, KEY_WAIT_MS, 'the confirmation to be known');
  });

  test('is not revoked between its check and the end of what it decides', async () => {
    await using database = api.testDatabase.open({ lockTimeoutMs: 200 });
    const revoke = () =>
      revokeApiKey(database, idOf(ann), { name: 'Adam', keyId: null, request: 'r' });
    await database.transaction(async (query) => {
      await refuseStale({ query }, idOf(ann));
      await expect(revoke()).rejects.toThrow(/lock timeout/);
    });
  });

  test('vouches for himself no longer than somebody else has', async () => {
    const inOneHour = new Date(Date.now() + 3_600_000).toISOString();
    const inTwo = new Date(Date.now() + 7_200_000).toISOString();
    const make = (by: string, fields: object) =>
      as(by, 'POST', '/v1/keys', { identity: 'Flo', roles: OFFICER, ...fields });
    const { body: flo } = await make(ann, { expires_at: inOneHour });
    expect((await confirm(bob, { body: flo })).status).toBe(200);
    const own = [{}, { expires_at: inTwo }, { expires_at: inOneHour }];
    const made = await Promise.all(own.map((fields) => make(flo.key, fields)));
    const { items } = (await as(adam, 'GET', '/v1/keys')).body;
    const confirmedAt = made.map(
      ({ body }) =>
        items.find((key: { key_id: string }) => key.key_id === body.key_id).confirmed_at,
    );
    expect(confirmedAt).toEqual([null, null, expect.any(String)]);
  });

  test('of a revoked person is revoked for good', async () => {
    const lou = await makeOfficer('Lou', bob, ann);
    expect((await as(adam, 'DELETE', '/v1/identities/lou')).status).toBe(204);
    expect((await as(bob, 'DELETE', '/v1/identities/Ann')).status).toBe(403);
    const isOut = async () => (await as(lou, 'GET', '/v1/identities')).status === 401;
    await waitUntil(isOut, KEY_WAIT_MS, 'the key to be refused');
    expect((await makeKey(adam, 'Lou')).body.detail).toContain("person 'Lou' is revoked");
    const { body } = await as(ann, 'GET', '/v1/identities');
    const listed = body.items.find((one: { identity: string }) => one.identity === 'Lou');
    expect(listed).toMatchObject({ made_by: idOf(bob), revoked_at: expect.any(String) });
    const { body: keys } = await as(ann, 'GET', '/v1/keys');
    const key = keys.items.find((one: { key_id: string }) => one.key_id === idOf(lou));
    expect(key).toMatchObject({ confirmed_by: idOf(ann), revoked_at: expect.any(String) });
  });
});

/**
 * Goal: settings reach mechanisms whose own tests are given a value by hand. Method: an API, a worker and a command with each setting.
 */
import { expect, test } from 'vitest';
import {
  listKeySlices,
  sealKeySlice,
} from '../../src/core/store/idempotency-keys/key-slice-rows.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { createTestDatabase } from '../support/database.ts';
import { runRisk } from '../support/run-risk.ts';
import { startRunningApi } from '../support/running-api.ts';
import { input } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, seeds } from '../support/worker-rig.ts';

const TTL_SECONDS = 77;

async function seal(database: Database): Promise<number> {
  const [open] = await listKeySlices(database.query);
  const slice = open?.slice ?? -1;
  expect(await sealKeySlice(database, slice)).toBe(true);
  return slice;
}

test('a worker keeps profiles and keys for as long as its settings say', async () => {
  await using rig = await createWorkerRig();
  const slice = await seal(rig.pool);
  await rig.database.sql(
    `update idempotency_slices set opened_at = opened_at - interval '2 days', sealed_at = sealed_at - interval '2 days' where slice = $1`,
    [slice],
  );
  rig.startWorker({
    RISK_PROFILE_TTL_SECONDS: String(TTL_SECONDS),
    RISK_IDEMPOTENCY_RETENTION_DAYS: '1',
  });
  const party = { deviceId: 'd', ip: '203.0.113.7' };
  await rig.send(seeds(3).map((seed) => ({ ...seed, ...party })));
  await rig.settled(3);
  const kinds = ['account', 'merchant', 'device', 'address'];
  const keys = await Promise.all(kinds.map((kind) => rig.commands.keys(`*:${kind}:*`)));
  for (const found of keys) expect(found).not.toEqual([]);
  const profiles = keys.flat();
  for (const profile of profiles) {
    const seconds = await rig.commands.ttl(profile);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(TTL_SECONDS);
  }
  const isDropped = async () =>
    (await listKeySlices(rig.pool.query)).every((standing) => standing.slice !== slice);
  await waitUntil(isDropped, 20_000, 'the end of the old keys');
});

test.each([
  ['0', false],
  ['1', true],
])('RISK_KEY_FILTER_MB=%s: a sealed slice has a filter: %s', async (megabytes, hasFilter) => {
  await using api = await startRunningApi({ RISK_KEY_FILTER_MB: megabytes });
  const post = async () => (await api.post('/v1/transactions', input())).status;
  expect(await post()).toBe(201);
  await seal(api.database);
  const filterBytes = async () =>
    Number(
      /^risk_idempotency_filter_bytes\{.*\} (\d+)$/m.exec(
        await (await api.request('/metrics')).text(),
      )?.[1],
    );
  const unfiltered = async () =>
    Number(
      /^risk_idempotency_slices_unfiltered\{.*\} (\d+)$/m.exec(
        await (await api.request('/metrics')).text(),
      )?.[1],
    );
  await waitUntil(
    async () => (await post()) === 201 && ((await filterBytes()) > 0 || (await unfiltered()) > 0),
    20_000,
    'the look at the slice',
  );
  expect((await filterBytes()) > 0).toBe(hasFilter);
});

test('RISK_CONTROLS_UNREAD=refuse: submissions are refused while the controls cannot be read', async () => {
  await using api = await startRunningApi({ RISK_CONTROLS_UNREAD: 'refuse' });
  const post = async () => {
    const answer = await api.post('/v1/transactions', input());
    return [answer.status, ((await answer.json()) as { type?: string }).type];
  };
  expect((await post())[0]).toBe(201);
  await api.database.session(async (client) => {
    await client.query('begin');
    await client.query(`lock table ${api.testDatabase.market}.controls in access exclusive mode`);
    const refused = [503, 'urn:risk:problem:controls-unread'];
    await waitUntil(async () => String(await post()) === String(refused), 20_000, 'a refusal');
    await client.query('rollback');
  });
  await waitUntil(async () => (await post())[0] === 201, 20_000, 'the end of the refusals');
});

test('RISK_ADMIN_DATABASE_URL is the role that migrates', async () => {
  await using database = await createTestDatabase();
  const { code, stderr } = await runRisk(['migrate'], {
    DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing',
    RISK_ADMIN_DATABASE_URL: database.url,
  });
  expect(code, stderr).toBe(0);
});

/**
 * Goal: each delivery is sent, signed, at least once and normally once, whatever networks and processes do. Method: senders as
 * workers run them, against real receivers, with a real Postgres between them.
 */
import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../../../src/kit/database/pool.ts';
import {
  type LeasedDelivery,
  leaseDue,
  recordAttempts,
} from '../../../../src/rooms/webhooks/store/webhooks.ts';
import { findOpenssl, makeCertificates } from '../../../support/certificates.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { startReceiver } from '../../../support/rooms/webhooks/receiver.ts';
import {
  ANN,
  createWebhookRig,
  openWebhooks,
  startSender,
} from '../../../support/rooms/webhooks/rig.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const byId = (one: LeasedDelivery, other: LeasedDelivery) =>
  Number(one.deliveryId) - Number(other.deliveryId);

const rig = await openForFile(createWebhookRig());

beforeEach(() => rig.begin());
afterEach(() => rig.end());

test('every delivery comes once, and an independent library verifies each', async () => {
  const { webhook_id: id, secret } = await rig.webhooks.make(rig.receiver.url);
  const events = await rig.deliver(id, 300);
  rig.own(startSender(rig.database));
  await rig.until(300, 'delivered');
  expect(rig.receiver.verified(secret)).toEqual(events);
  expect(rig.receiver.received[0]).toMatchObject({
    path: '/hook',
    headers: { 'content-type': 'application/json', 'user-agent': expect.stringContaining('risk') },
  });
  // Connections are kept: far fewer than events.
  expect(rig.receiver.connections()).toBeLessThan(20);
  expect(
    (await rig.rows()).every(({ attempts, response_status: s }) => attempts === 1 && s === 204),
  ).toBe(true);
});

test('over https, to a name, at the address that was checked', async () => {
  const openssl = findOpenssl();
  if (openssl === undefined) throw new Error('openssl is not installed');
  const folder = `${process.env['TMPDIR'] ?? '/tmp'}/webhook-${process.pid}`;
  const files = await makeCertificates(openssl, folder);
  const read = (path: string) => readFileSync(path, 'utf8');
  const before = getCACertificates('default');
  setDefaultCACertificates([...before, read(files.authority)]);
  try {
    const secure = rig.own(await startReceiver({ cert: read(files.server), key: read(files.key) }));
    const asked: string[] = [];
    const resolve = async (host: string) => {
      asked.push(host);
      return ['127.0.0.1'];
    };
    const { webhook_id: id, secret } = await openWebhooks(rig.database, resolve).make(
      `https://receiver.example:${secure.port}/hook`,
    );
    const { webhook_id: other } = await openWebhooks(rig.database, resolve).make(
      `https://not-its-name.example:${secure.port}/hook`,
    );
    const events = await rig.deliver(id, 3);
    await rig.deliver(other);
    rig.own(startSender(rig.database, { resolve }));
    await rig.until(3, 'delivered');
    expect(secure.verified(secret)).toEqual(events);
    expect(secure.received[0]?.headers['host']).toBe(`receiver.example:${secure.port}`);
    await rig.attempted();
    expect((await rig.rows()).at(-1)).toMatchObject({
      state: 'waiting',
      error: expect.stringContaining('ALTNAME'),
    });
    expect(asked).toContain('receiver.example');
  } finally {
    setDefaultCACertificates(before);
  }
});

test('a name that changes its address after it was checked reaches nothing', async () => {
  const answers = [['93.184.215.14'], ['169.254.169.254'], ['93.184.215.14', '10.0.0.1']];
  const rebinding = async () => answers.shift() ?? ['10.0.0.1'];
  const { webhook_id: id } = await openWebhooks(rig.database, rebinding).make(
    `https://rebinding.example:${rig.receiver.port}/`,
  );
  await rig.deliver(id);
  rig.own(startSender(rig.database, { resolve: rebinding }));
  await rig.attempted();
  expect(await rig.rows()).toMatchObject([
    { state: 'waiting', error: expect.stringContaining('169.254.169.254, which is not public') },
  ]);
  await rig.hurry();
  await waitUntil(async () => (await rig.rows())[0]?.attempts === 2, 10_000, 'a second attempt');
  expect((await rig.rows())[0]?.error).toContain('10.0.0.1, which is not public');
  expect(rig.receiver.connections()).toBe(0);
});

test('what a process that ended had leased is sent by another one, once the lease is over', async () => {
  const { webhook_id: id, secret } = await rig.webhooks.make(rig.receiver.url);
  const [event] = await rig.deliver(id);
  // The first process sends, and stands still before it records anything.
  const never = new Promise<never>(() => undefined);
  let stands = false;
  const stuck: Pick<Database, 'query' | 'transaction'> = {
    transaction: () => never,
    query: (statement, values) => {
      stands ||= statement.name === 'record-webhook-attempts';
      return stands ? never : rig.database.query(statement, values);
    },
  };
  startSender(stuck, { leaseMs: 16_000 });
  await waitUntil(() => rig.receiver.received.length === 1, 10_000, 'the first sending');
  expect(await rig.rows()).toMatchObject([{ state: 'waiting', attempts: 0 }]);
  rig.own(startSender(rig.database));
  const [{ left } = { left: 0 }] = await rig.testDatabase.sql<{ left: number }>(
    'select extract(epoch from next_at - now())::float8 as left from webhook_deliveries',
  );
  expect(left).toBeGreaterThan(5);
  expect(rig.receiver.received).toHaveLength(1);
  await rig.hurry();
  await rig.until(1, 'delivered');
  expect(rig.receiver.verified(secret)).toEqual([event, event]);
});

test('a failure that is recorded after its lease changes nothing, and a success always counts', async () => {
  const { webhook_id: id } = await rig.webhooks.make(rig.receiver.url);
  await rig.deliver(id, 2);
  const lease = async () =>
    (await leaseDue(rig.database.query, new Map(), 10, 60_000)).toSorted(byId);
  const late = await lease();
  expect(await lease()).toEqual([]);
  await rig.hurry();
  expect(await lease()).toHaveLength(2);
  const [failed, succeeded] = late.map((delivery, at) => ({
    ...{ delivery, waitMs: 5000, error: null },
    ...(at === 0
      ? { state: 'waiting' as const, status: 500 }
      : { state: 'delivered' as const, status: 200 }),
  }));
  if (failed === undefined || succeeded === undefined) throw new Error('nothing was leased');
  await recordAttempts(rig.database.query, [failed, succeeded]);
  expect(await rig.rows()).toMatchObject([
    { state: 'waiting', attempts: 0, response_status: null },
    { state: 'delivered', attempts: 1, response_status: 200 },
  ]);
});

test('a sender that stops ends what is under way and gives the rest back at once', async () => {
  const open: (() => void)[] = [];
  rig.receiver.answer((response) => open.push(() => response.writeHead(200).end()));
  const { webhook_id: id } = await rig.webhooks.make(rig.receiver.url);
  await rig.deliver(id, 20);
  const sender = startSender(rig.database);
  await waitUntil(() => open.length === 8, 10_000, 'eight requests');
  const stopped = sender.stop();
  for (const end of open.splice(0)) end();
  await stopped;
  const due = await rig.testDatabase.sql(
    `select from webhook_deliveries where state = 'waiting' and attempts = 0 and next_at <= now()`,
  );
  expect([rig.receiver.received.length, due.length]).toEqual([8, 12]);
});

test('while a secret is rotated both sign, and a day later the new one alone', async () => {
  const { webhook_id: id, secret: older } = await rig.webhooks.make(rig.receiver.url);
  const { secret: newer, previous_secret_until: until24 } = await rig.webhooks.rotate(id, ANN);
  expect(Date.parse(until24 ?? '')).toBeGreaterThan(Date.now() + 23 * 3_600_000);
  rig.own(startSender(rig.database));
  await rig.deliver(id);
  await rig.until(1, 'delivered');
  for (const secret of [older, newer]) rig.receiver.verified(secret);
  expect(rig.receiver.received[0]?.headers['webhook-signature']?.split(' ')).toHaveLength(2);
  await rig.testDatabase.sql('update webhook_endpoints set previous_until = now()');
  await rig.deliver(id);
  await rig.until(2, 'delivered');
  const { body = '', headers = {} } = rig.receiver.received[1] ?? {};
  new Webhook(newer).verify(body, headers);
  expect(() => new Webhook(older).verify(body, headers)).toThrow();
});

test('secrets are stored encrypted, and one that no key opens is said in the log', async () => {
  const { webhook_id: id, secret } = await rig.webhooks.make(rig.receiver.url);
  const [{ stored } = { stored: '' }] = await rig.testDatabase.sql<{ stored: string }>(
    'select secret as stored from webhook_endpoints',
  );
  expect(stored).toMatch(/^sealed:/);
  expect(stored).not.toContain(secret.slice(6));
  await rig.testDatabase.sql(`update webhook_endpoints set secret = 'sealed:' || repeat('A', 80)`);
  await rig.deliver(id);
  rig.own(startSender(rig.database));
  await rig.attempted();
  expect(await rig.rows()).toMatchObject([{ error: expect.stringContaining('RISK_WEBHOOK_KEYS') }]);
  expect(rig.receiver.received).toEqual([]);
});

test('a paused endpoint is sent nothing until it goes on, and a deleted one never', async () => {
  const { webhook_id: id } = await rig.webhooks.make(rig.receiver.url);
  const { webhook_id: other, secret } = await rig.webhooks.make(rig.receiver.url);
  const { webhook_id: gone } = await rig.webhooks.make(rig.receiver.url);
  await rig.webhooks.change(id, { paused: true }, ANN);
  await rig.deliver(id);
  await rig.deliver(gone);
  await rig.webhooks.remove(gone, ANN);
  const [event] = await rig.deliver(other);
  rig.own(startSender(rig.database));
  await rig.until(1, 'delivered');
  expect(rig.receiver.verified(secret)).toEqual([event]);
  await rig.webhooks.change(id, { paused: false }, ANN);
  await rig.until(2, 'delivered');
  expect(rig.receiver.received).toHaveLength(2);
  const secrets = await rig.testDatabase.sql('select from webhook_endpoints where secret is null');
  expect(secrets).toHaveLength(1);
});

/**
 * Goal: a receiver that fails, is slow or is gone gets its events by the schedule, and does not delay others. Method: senders as
 * workers run them, against receivers that answer badly.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { aControl, controlsOf } from '../../../support/controls.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { startReceiver, status } from '../../../support/rooms/webhooks/receiver.ts';
import { ANN, createWebhookRig, startSender } from '../../../support/rooms/webhooks/rig.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const rig = await openForFile(createWebhookRig());

beforeEach(() => rig.begin());
afterEach(() => rig.end());

test('a failure is tried again by the schedule, under the same id, and the last leaves it dead', async () => {
  rig.receiver.answer(status(500));
  const { webhook_id: id, secret } = await rig.webhooks.make(rig.receiver.url);
  const [event] = await rig.deliver(id);
  const sender = rig.own(startSender(rig.database));
  const waits: (number | null)[] = [];
  for (let attempt = 1; attempt <= 10; attempt++) {
    await waitUntil(
      async () => (await rig.rows())[0]?.attempts === attempt,
      10_000,
      `attempt ${attempt}`,
    );
    waits.push((await rig.rows())[0]?.waits ?? null);
    await rig.hurry(sender);
  }
  expect(waits).toEqual([5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400, null]);
  expect(await rig.rows()).toMatchObject([{ state: 'dead', attempts: 10, response_status: 500 }]);
  expect(new Set(rig.receiver.verified(secret))).toEqual(new Set([event]));
  expect(rig.receiver.received).toHaveLength(10);
  // Somebody sends it again once the receiver works.
  rig.receiver.answer(status(200));
  const items = await rig.webhooks.listDeliveries(id, { limit: 1 });
  await rig.webhooks.redeliver(id, items[0]?.delivery_id ?? '', ANN);
  await rig.until(1, 'delivered');
  expect(await rig.webhooks.read(id)).toMatchObject({ failing_since: null, state: 'active' });
  expect(items).toMatchObject([{ event_id: event, decisions: 1 }]);
  const { received } = rig.receiver;
  expect([received.length, new Set(received.map(({ body }) => body)).size]).toEqual([11, 1]);
});

test('an attempt says which decisions are of a frozen corridor, and its signature is of what it says', async () => {
  const { webhook_id: id, secret } = await rig.webhooks.make(rig.receiver.url);
  const decisions = [
    { corridor: 'US-EG', risk: 0.1 },
    { corridor: 'US-MX', risk: 0.2 },
  ];
  const [event] = await rig.deliver(id, 1, { decisions });
  const controls = controlsOf(aControl('freeze', 'corridor:US-EG'));
  rig.own(startSender(rig.database, { controls }));
  await rig.until(1, 'delivered');
  expect(rig.receiver.verified(secret)).toEqual([event]);
  expect(JSON.parse(rig.receiver.received[0]?.body ?? '').data.decisions).toEqual([
    { corridor: 'US-EG', risk: 0.1, releases_held: true },
    { corridor: 'US-MX', risk: 0.2 },
  ]);
});

test('a redirect is no success and is not followed; Retry-After is waited for', async () => {
  const behind = rig.own(await startReceiver());
  rig.receiver.answer(status(302, { location: behind.url }));
  const { webhook_id: id } = await rig.webhooks.make(rig.receiver.url);
  await rig.deliver(id);
  const sender = rig.own(startSender(rig.database));
  await rig.attempted();
  expect(await rig.rows()).toMatchObject([{ state: 'waiting', response_status: 302, waits: 5 }]);
  rig.receiver.answer(status(503, { 'retry-after': '400' }));
  await rig.hurry(sender);
  await waitUntil(async () => (await rig.rows())[0]?.attempts === 2, 10_000, 'a second attempt');
  expect(await rig.rows()).toMatchObject([{ response_status: 503, waits: 400 }]);
  expect(behind.received).toEqual([]);
});

test('410 disables the endpoint; what waits is kept, and nothing is sent until somebody enables it', async () => {
  const { webhook_id: id } = await rig.webhooks.make(rig.receiver.url);
  rig.receiver.answer(status(410));
  await rig.deliver(id);
  rig.own(startSender(rig.database));
  await rig.until(1, 'dead');
  expect(await rig.webhooks.read(id)).toMatchObject({
    ...{ state: 'disabled', disabled_reason: 'it answered 410, gone' },
  });
  const audited = await rig.testDatabase.sql<{ who: string; subject: string }>(
    `select who, subject from audit_log where action = 'webhook.disable'`,
  );
  expect(audited).toEqual([{ who: 'engine', subject: id }]);
  await expect(rig.webhooks.sendTest(id, ANN)).rejects.toThrow('is disabled');
  rig.receiver.answer(status(200));
  await rig.webhooks.change(id, { paused: false }, ANN);
  await rig.webhooks.sendTest(id, ANN);
  await rig.until(1, 'delivered');
});

test('five days of failures disable it, and one success in between does not', async () => {
  const { webhook_id: id } = await rig.webhooks.make(rig.receiver.url);
  const failingFor = (days: number) =>
    rig.testDatabase.sql(
      `update webhook_endpoints set failing_since = now() - $1 * interval '1 day'`,
      [days],
    );
  const sender = rig.own(startSender(rig.database));
  await failingFor(6);
  await rig.deliver(id);
  await rig.until(1, 'delivered');
  rig.receiver.answer(status(500));
  await rig.deliver(id);
  await rig.attempted();
  expect(await rig.webhooks.read(id)).toMatchObject({
    state: 'active',
    failing_since: expect.any(String),
  });
  await failingFor(6);
  await rig.hurry(sender);
  await waitUntil(
    async () => (await rig.webhooks.read(id)).state === 'disabled',
    10_000,
    'it to be disabled',
  );
  expect((await rig.webhooks.read(id)).disabled_reason).toBe('every delivery failed for 5 days');
});

test('an endpoint that never answers keeps no other one waiting', async () => {
  const slow = await startReceiver();
  slow.answer(() => undefined);
  const { webhook_id: slowId } = await rig.webhooks.make(slow.url);
  const { webhook_id: id } = await rig.webhooks.make(rig.receiver.url);
  await rig.deliver(slowId, 100);
  rig.own(startSender(rig.database, { timeoutMs: 60_000 }));
  await waitUntil(() => slow.received.length === 8, 10_000, 'the slow endpoint to be busy');
  await rig.deliver(id, 100);
  await rig.until(100, 'delivered');
  expect(slow.received).toHaveLength(8);
  // Requests that hang end with the receiver, so that the sender need not wait for them.
  await slow[Symbol.asyncDispose]();
});

test('an answer that does not come, or never ends, ends in time', async () => {
  rig.receiver.answer((response) => {
    response.writeHead(200);
    // The status has arrived; the sender neither waits for the rest beyond the deadline nor keeps it.
    response.write('x'.repeat(1_000_000));
  });
  const silent = rig.own(await startReceiver());
  silent.answer(() => undefined);
  const odd = rig.own(await startReceiver());
  odd.answer((response) =>
    response.socket?.end('HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
  );
  const { webhook_id: third } = await rig.webhooks.make(odd.url);
  const { webhook_id: id } = await rig.webhooks.make(rig.receiver.url);
  const { webhook_id: other } = await rig.webhooks.make(silent.url);
  await rig.deliver(id);
  await rig.deliver(other);
  await rig.deliver(third);
  rig.own(startSender(rig.database, { timeoutMs: 500 }));
  await rig.until(1, 'delivered');
  await rig.attempted();
  expect((await rig.rows()).map(({ error }) => error)).toEqual([
    null,
    'no answer within 500 ms',
    expect.stringContaining('closed without an answer'),
  ]);
});

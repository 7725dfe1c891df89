/**
 * Goal: the documented receiver takes only what the engine signs, and handles each event once. Method: the example as a process,
 * the engine's sender, and forged requests.
 */
import { spawn, spawnSync } from 'node:child_process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { signEvent, toKey } from '../../../../src/rooms/webhooks/deliver/secret.ts';
import { insertDeliveries } from '../../../../src/rooms/webhooks/store/deliveries.ts';
import { freePort } from '../../../../src/tools/start/services/free-port.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { childEnvironment, REPOSITORY, watch } from '../../../support/risk.ts';
import { ANN, createWebhookRig, startSender } from '../../../support/rooms/webhooks/rig.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const EXAMPLE = `${REPOSITORY}/docs/examples/receive-webhooks.ts`;
const START_MS = 30_000;

const rig = await openForFile(createWebhookRig());

beforeEach(() => rig.begin());
afterEach(() => rig.end());

const counts = async () =>
  await rig.testDatabase.sql<{ verdict: string; transactions: string }>(
    'select verdict, transactions from public.verdict_counts order by verdict',
  );

const bodyOf = (verdicts: readonly string[]) =>
  JSON.stringify({
    type: 'transaction.decided',
    data: { decisions: verdicts.map((verdict) => ({ verdict })) },
  });

test('it counts each event once, signed by the old secret or the new one, and refuses forged ones', async () => {
  const port = await freePort();
  const { webhook_id: id, secret } = await rig.webhooks.make(`http://127.0.0.1:${port}/`);
  const { secret: newer } = await rig.webhooks.rotate(id, ANN);
  const args = [EXAMPLE, String(port), rig.testDatabase.url, newer, secret];
  const receiver = rig.own(
    watch(spawn(process.execPath, args, { cwd: '/', env: childEnvironment({}) })),
  );
  await receiver.waitFor(/listening/, START_MS);
  const lists = [['review', 'decline', 'review'], ['review'], ['decline', 'review']];
  const made = await insertDeliveries(
    rig.database.query,
    lists.map((verdicts, at) => ({
      ...{ webhookId: id, eventId: `decided_${at}`, eventType: 'transaction.decided' as const },
      ...{ payload: bodyOf(verdicts), decisions: verdicts.length },
    })),
  );
  rig.own(startSender(rig.database));
  await rig.until(3, 'delivered');
  const expected = [
    { verdict: 'decline', transactions: '2' },
    { verdict: 'review', transactions: '4' },
  ];
  expect(await counts()).toEqual(expected);
  for (const { delivery_id } of made) await rig.webhooks.redeliver(id, delivery_id, ANN);
  await waitUntil(async () => (await rig.rows()).every(({ attempts }) => attempts === 1), 10_000);
  await rig.until(3, 'delivered');
  expect(await counts()).toEqual(expected);

  const body = bodyOf(['approve']);
  const send = async (timestamp: number, key: string) => {
    const signature = signEvent([toKey(key)], { id: 'decided_9', timestamp, body });
    const headers = {
      ...{ 'webhook-id': 'decided_9', 'webhook-timestamp': String(timestamp) },
      'webhook-signature': signature,
    };
    return (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body })).status;
  };
  const now = Math.floor(Date.now() / 1000);
  const stranger = `whsec_${Buffer.alloc(32).toString('base64')}`;
  expect(await send(now, stranger)).toBe(401);
  expect(await send(now - 600, secret)).toBe(401);
  expect((await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body })).status).toBe(401);
  expect(await counts()).toEqual(expected);
  receiver.kill('SIGTERM');
  expect((await receiver.exited).code).toBe(0);
});

const VERIFIERS = [
  ['node', ['verify-webhook.mjs']],
  ['python3', ['verify-webhook.py']],
  ['go', ['run', 'verify-webhook.go']],
] as const;
const isInstalled = (program: string) =>
  spawnSync(program, [program === 'go' ? 'version' : '--version']).error === undefined;

test.for(VERIFIERS)(
  'the check in %s accepts a delivery as sent, and no changed one',
  async ([program, args], { skip }) => {
    // Python and Go may be missing on a machine for tests.
    skip(!isInstalled(program), `${program} is not installed`);
    const { webhook_id: id, secret } = await rig.webhooks.make(rig.receiver.url);
    await rig.webhooks.sendTest(id, ANN);
    rig.own(startSender(rig.database));
    await rig.until(1, 'delivered');
    const [received] = rig.receiver.received;
    const verify = (header: string, given: string | undefined, body = received?.body) => {
      const values = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) =>
        name === header ? given : received?.headers[name],
      );
      const { status, stdout } = spawnSync(program, [...args, secret, ...values] as string[], {
        cwd: `${REPOSITORY}/docs/examples`,
        input: body ?? '',
        encoding: 'utf8',
      });
      return [status, stdout];
    };
    expect(verify('', '')).toEqual([0, 'signed, fresh\n']);
    expect(verify('', '', `${received?.body} `)).toEqual([1, 'not signed, fresh\n']);
    expect(verify('webhook-id', 'other')).toEqual([1, 'not signed, fresh\n']);
    const signatures = `v1,${Buffer.alloc(32).toString('base64')} ${received?.headers['webhook-signature']}`;
    expect(verify('webhook-signature', signatures)).toEqual([0, 'signed, fresh\n']);
    expect(verify('webhook-timestamp', '1795176000')[1]).toContain('not signed');
  },
);

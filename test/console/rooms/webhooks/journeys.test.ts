/**
 * Goal: an admin makes a webhook, tests, pauses, rotates and deletes it; an operator sees what was sent, and sends it again. Method:
 * an engine that sends to a receiver on this machine, and Chromium.
 */
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { insertDeliveries } from '../../../../src/rooms/webhooks/store/deliveries.ts';
import { type Receiver, startReceiver, status } from '../../../support/rooms/webhooks/receiver.ts';
import { answerOf } from '../../../support/submit.ts';
import { heading } from '../../support/log-in.ts';
import { inspect, LOOKS, settle, shoot, violationsOf } from '../../support/pages.ts';
import { setUpConsole } from '../../support/set-up.ts';
import { logInAs, walk } from '../../support/walk.ts';

const shown = setUpConsole();
const { logIn, open } = shown;
const SOON = { timeout: 30_000 };

let receiver: Receiver;
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(async () => {
  await receiver[Symbol.asyncDispose]();
  await sql('truncate webhook_endpoints, webhook_deliveries');
});

const sql = (text: string, values: unknown[] = []) =>
  shown.engine.api.testDatabase.sql(text, values);

/** @returns the id */
async function make(more: object = {}): Promise<string> {
  const wanted = { url: receiver.url, event_types: ['review.deadline_near'], ...more };
  const { status, body } = await answerOf(await shown.engine.api.post('/v1/webhooks', wanted));
  expect(status, JSON.stringify(body)).toBe(201);
  return body.webhook_id;
}

/** Deliveries that wait, named in the order in which they arose. */
const deliver = (webhookId: string, count: number) =>
  insertDeliveries(
    shown.engine.api.database.query,
    Array.from({ length: count }, (_, n) => ({
      ...{ webhookId, eventId: `decided_${n}`, eventType: 'transaction.decided' as const },
      ...{ payload: '{}', decisions: 1 },
    })),
  );

const table = (page: Page) => page.getByRole('region', { name: 'Deliveries' });
const rows = (page: Page) => table(page).locator('tr[data-index]');
const secretOf = async (page: Page) => (await page.locator('.secret').textContent())?.trim() ?? '';
const press = (page: Page, name: string) => page.getByRole('button', { name }).click();
const closeDialog = async (page: Page) => {
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
};

test('an admin makes a webhook, tests it, pauses it, rotates its secret and deletes it', async () => {
  await using page = await logIn();
  await page.keyboard.press('g');
  await page.keyboard.press('w');
  await page.getByText('No webhook is made yet').waitFor();
  await press(page, 'Make a webhook');
  await page.getByLabel('URL').fill('http://10.0.0.1/hook');
  await page.keyboard.press('Enter');
  const form = page.getByRole('dialog');
  await form.getByRole('alert').getByText('url', { exact: true }).waitFor();
  await page.getByLabel('URL').fill(receiver.url);
  await form.getByLabel('alert.raised').check();
  await form.getByLabel('Client').fill('shop');
  await expect.poll(() => form.getByLabel('alert.raised').count()).toBe(0);
  await form.getByLabel('transaction.decided').uncheck();
  expect(await form.getByRole('button', { name: 'Make the webhook' }).isDisabled()).toBe(true);
  await form.getByLabel('transaction.decided').check();
  await form.getByLabel('approve').check();
  await form.getByLabel('US-EG').check();
  expect(await violationsOf(page)).toEqual([]);
  await shoot(page, 'webhook-form-1280-light');
  await press(page, 'Make the webhook');
  await page.getByText('Copy it now').waitFor();
  const secret = await secretOf(page);
  expect(secret).toMatch(/^whsec_/);
  expect(await violationsOf(page)).toEqual([]);
  await shoot(page, 'webhook-secret-1280-light');
  await closeDialog(page);
  const list = page.getByRole('region', { name: 'Webhooks' });
  await list.getByText('transaction.decided (approve, review, decline)').waitFor();
  // A closed dialog has no role before it leaves the page.
  await expect.poll(() => page.content()).not.toContain(secret);

  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.getByText('Nothing was sent yet').waitFor();
  await press(page, 'Send a test event');
  await rows(page).getByText('delivered').waitFor(SOON);
  expect(await rows(page).textContent()).toContain('204');
  expect(receiver.verified(secret)).toHaveLength(1);

  await press(page, 'Pause');
  await page.getByText('paused', { exact: true }).waitFor();
  await press(page, 'Send a test event');
  await page.getByText('waits until the webhook is resumed').waitFor();
  await expect.poll(() => rows(page).count(), SOON).toBe(2);
  expect(await rows(page).first().textContent()).toContain('waiting');
  await press(page, 'Resume');
  await expect.poll(() => rows(page).getByText('delivered').count(), SOON).toBe(2);

  await press(page, 'Rotate the secret');
  expect(await page.getByText('stops signing now').count()).toBe(0);
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
  await page.getByText('Copy it now').waitFor();
  const second = await secretOf(page);
  expect(second).toMatch(/^whsec_/);
  expect(second).not.toBe(secret);
  await closeDialog(page);
  expect(await page.content()).not.toContain(second);
  await page.getByText('Earlier secret signs until').waitFor();
  await press(page, 'Rotate the secret');
  await page.getByText('stops signing now').waitFor();
  await shoot(page, 'webhook-rotate-1280-light');
  await closeDialog(page);
  await press(page, 'Send a test event');
  await expect.poll(() => receiver.received.length, SOON).toBe(3);
  const last = receiver.received.splice(0).slice(-1);
  receiver.received.push(...last);
  expect([receiver.verified(secret), receiver.verified(second)].flat()).toHaveLength(2);

  await press(page, 'Delete');
  await press(page, 'Cancel');
  await press(page, 'Delete');
  await page.getByRole('dialog').getByText(receiver.url).waitFor();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByText('No webhook is made yet').waitFor();
  await heading(page, 'Webhooks').waitFor();
});

test('an operator sees what fails and sends it again, and changes no webhook', async () => {
  const id = await make();
  receiver.answer(status(500));
  const key = await shown.engine.keyOf('operator');
  await using page = await logInAs(shown.engine, shown.browser, key, ['/webhooks', 'Webhooks']);
  expect(await page.getByRole('button', { name: 'Make a webhook' }).count()).toBe(0);
  await page.getByRole('link', { name: receiver.url }).click();
  await heading(page, 'Webhook').waitFor();
  await press(page, 'Send a test event');
  await rows(page).getByText('500').waitFor(SOON);
  await page.getByText('Everything that was sent since').waitFor(SOON);
  await shoot(page, 'webhook-failing-1280-light');
  for (const name of ['Pause', 'Rotate', 'Delete']) {
    expect(await page.getByRole('button', { name }).count(), name).toBe(0);
  }
  await sql(`update webhook_deliveries set state = 'dead', next_at = null`);
  await deliver(id, 1);
  await expect.poll(() => rows(page).count(), SOON).toBe(2);
  await page.getByRole('button', { name: 'Dead', exact: true }).click();
  await page.waitForURL(/state=dead/);
  await rows(page).getByText('dead').waitFor(SOON);
  expect(await rows(page).count()).toBe(1);
  receiver.answer(status(204));
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Delivery' });
  await dialog.getByText('500').waitFor();
  await dialog.getByRole('button', { name: 'Redeliver' }).click();
  await dialog.getByText('It is due now').waitFor();
  await closeDialog(page);
  await page.getByText('No delivery is dead').waitFor(SOON);
  await page.getByRole('button', { name: 'Delivered', exact: true }).click();
  await rows(page).getByText('webhook.test').waitFor(SOON);
  await sql(`update webhook_deliveries set state = 'dead' where event_type = 'webhook.test'`);
  await page.getByRole('button', { name: 'All', exact: true }).click();
  await page.getByRole('button', { name: /^Redeliver test_/ }).click();
  await expect
    .poll(() => receiver.received.filter(({ body }) => body.includes('webhook.test')).length, SOON)
    .toBe(3);
});

describe.each(LOOKS)('at %s px, %s %s', (width, viewport, colorScheme) => {
  test('each page is complete, and axe finds nothing', async () => {
    const id = await make({ event_types: ['transaction.decided', 'alert.raised'] });
    const long = `${receiver.url}/${'a-long-path/'.repeat(12)}`;
    await make({
      event_types: ['transaction.decided'],
      url: long,
      client: 'a client with a name of several words and more letters',
    });
    await make({ corridors: ['US-EG', 'US-PH'] });
    await deliver(id, 12);
    await expect
      .poll(
        async () => (await sql(`select from webhook_deliveries where state = 'delivered'`)).length,
      )
      .toBe(12);
    await sql(
      `update webhook_endpoints set is_paused = endpoint_id = $1,
         failing_since = case when client is not null then now() - interval '3 hours' end,
         disabled_at = case when corridors is not null then now() end,
         disabled_reason = case when corridors is not null then 'it answered 410' end`,
      [id],
    );
    await sql(
      `update webhook_deliveries set response_status = 503, attempts = 3, state = 'waiting', next_at = now() + interval '2 h'
        where delivery_id % 3 = 0`,
    );
    await sql(
      `update webhook_deliveries set response_status = null, error = 'no answer within 15 s', attempts = 10, state = 'dead',
         next_at = null where delivery_id % 4 = 0`,
    );
    await using page = await logIn({ viewport, colorScheme });
    const look = `${width}-${colorScheme}`;
    await walk(
      shown.engine,
      page,
      [
        ['webhooks', '/webhooks', 'disabled'],
        ['webhook', `/webhooks/${id}`, 'Deliveries'],
        ['webhook-dead', `/webhooks/${id}?state=dead`, 'Deliveries'],
        ['webhook-unknown', '/webhooks/019aa5c1-2f00-7000-8000-00000000002a', 'Not found'],
      ],
      look,
    );
    await open(page, `/webhooks/${id}?state=dead`);
    await settle(page, 'Deliveries');
    await rows(page).first().getByRole('button').first().click();
    await page.getByRole('dialog').waitFor();
    expect(await inspect(page, `webhook-delivery-${look}`)).toEqual([]);
    await open(page, '/webhooks');
    await press(page, 'Make a webhook');
    await page.getByRole('dialog').getByLabel('US-EG').waitFor();
    expect(await inspect(page, `webhook-form-${look}`)).toEqual([]);
  });
});

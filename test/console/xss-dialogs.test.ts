/**
 * Goal: what dialogs show of keys, webhooks and dead letters is text, too. Method: each is named by texts of the corpus, and a receiver
 * answers by them; Chromium opens each dialog that shows them, and sends it.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Receiver, startReceiver } from '../support/rooms/webhooks/receiver.ts';
import { idAt, storeDeadLetters, storeTransactions } from '../support/stored-rows.ts';
import { waitUntil } from '../support/wait-until.ts';
import { setUpConsole } from './support/set-up.ts';
import { closeDialog, opens, reach, setUpPeople, TEXTS } from './support/xss-people.ts';
import { expectQuiet, expectShown, type Trap } from './support/xss-tab.ts';

const LONG = { timeout: 600_000 };

const it = setUpConsole();
const { post, openAs, go } = setUpPeople(it);
let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(() => receiver?.[Symbol.asyncDispose]());

const sql = <Row extends object>(text: string, values: unknown[] = []) =>
  it.engine.api.testDatabase.sql<Row>(text, values);
const rowsOf = (trap: Trap, table: string) =>
  trap.page.getByRole('region', { name: table, exact: true }).locator('tr[data-index]');

test('a key that is made and revoked, and a session that is ended', LONG, async () => {
  const tab = await openAs();
  const { page } = tab;
  await go(tab, '/keys');
  for (const text of TEXTS) {
    const make = page.getByRole('button', { name: 'Make a key', exact: true });
    const form = await opens(tab, make, 'Make a key');
    await form.getByRole('checkbox', { name: 'ingest' }).check();
    await form.getByLabel('Owner', { exact: true }).fill(text);
    await form.getByLabel('Client', { exact: true }).fill(text);
    await opens(tab, form.getByRole('button', { name: 'Make the key' }), 'The key');
    await closeDialog(tab);
  }
  const made = await sql<{ id: string; owner: string }>(
    'select key_id as id, owner from api_keys where client = owner and revoked_at is null',
  );
  expect(made.length).toBe(TEXTS.length);
  for (const { id, owner } of made) {
    const revoke = page.getByRole('button', { name: `Revoke ${id}` });
    await reach(tab, 'API keys', revoke);
    const asked = await opens(tab, revoke, 'Revoke a key', owner);
    await asked.getByRole('button', { name: 'Revoke' }).click();
    await revoke.waitFor({ state: 'detached' });
    await expectShown(tab, 'a revoked key', owner);
  }
  for (const text of TEXTS) await post(text, '/v1/sessions');
  await go(tab, '/keys');
  const sessions = await sql<{ id: string; name: string }>(
    `select session_id as id, identity as name from sessions join api_keys using (key_id)
      where ended_at is null and identity <> 'Officer' and identity = any ($1)`,
    [TEXTS],
  );
  for (const { id, name } of sessions) {
    const end = page.getByRole('button', { name: `End ${id}` });
    await reach(tab, 'Sessions', end);
    const asked = await opens(tab, end, 'End a session', name);
    await asked.getByRole('button', { name: 'End it' }).click();
    await end.waitFor({ state: 'detached' });
  }
  await go(tab, '/audit');
  for (const action of ['key.create', 'key.revoke', 'session.end']) {
    const entry = page.getByRole('button', { name: action });
    await reach(tab, 'Changes', entry);
    await opens(tab, entry.first(), action);
    await closeDialog(tab);
  }
  await tab[Symbol.asyncDispose]();
});

test(
  'webhooks: made, sent to a receiver whose answers are texts, rotated and deleted',
  LONG,
  async () => {
    const tab = await openAs();
    const { page } = tab;
    receiver.answer((response, { path }) => {
      const text = decodeURIComponent(path.split('?')[1] ?? '');
      const head = [`HTTP/1.1 500 ${text}`, `Location: javascript:xss()`, `Retry-After: ${text}`];
      response.socket?.end(
        [...head, 'Content-Type: text/html', `X-A: ${text}`, '', text].join('\r\n'),
      );
    });
    await go(tab, '/webhooks');
    let refused = 0;
    for (const text of TEXTS) {
      const make = page.getByRole('button', { name: 'Make a webhook', exact: true });
      const form = await opens(tab, make, 'Make a webhook');
      await form.getByLabel('Client').fill(text);
      for (const url of [text, `${receiver.url}?${text}`]) {
        await form.getByLabel('URL').fill(url);
        await form.getByRole('button', { name: 'Make the webhook' }).click();
        const answered = page.getByText('Copy it now').or(form.getByRole('alert'));
        await answered.first().waitFor();
        await expectQuiet(tab, `a webhook to ${url}`);
      }
      refused += await form.getByRole('alert').count();
      await closeDialog(tab);
    }
    expect(refused).toBeLessThan(TEXTS.length / 2);
    const made: { id: string; text: string; url: string }[] = [];
    for (const text of TEXTS) {
      const url = `${receiver.url}?${encodeURIComponent(text)}`;
      const body = { url, client: text, event_types: ['transaction.decided'] };
      const { webhook_id: id } = await post(text, '/v1/webhooks', body);
      await post(text, `/v1/webhooks/${id}/test`);
      made.push({ id, text, url });
    }
    const tried = 'select from webhook_deliveries where attempts > 0';
    const areTried = async () => (await sql(tried)).length >= made.length;
    await waitUntil(areTried, 60_000, 'a first attempt of each');
    await sql(`update webhook_endpoints set is_paused = true`);
    for (const { id, text, url } of made) {
      await go(tab, `/webhooks/${id}`);
      await expectShown(tab, 'a webhook', text, url);
      await opens(tab, rowsOf(tab, 'Deliveries').getByRole('button').first(), 'Delivery');
      await closeDialog(tab);
      // No receiver gets a text into this column by itself: errors are those of the connection.
      await sql('update webhook_deliveries set error = $1, response_status = null', [text]);
      await sql('update webhook_endpoints set disabled_at = now(), disabled_reason = $1', [text]);
      await go(tab, `/webhooks/${id}`);
      await opens(tab, rowsOf(tab, 'Deliveries').getByRole('button').first(), 'Delivery', text);
      await closeDialog(tab);
      await opens(
        tab,
        page.getByRole('button', { name: 'Rotate the secret' }),
        'Rotate the secret',
      );
      const rotate = page.getByRole('dialog').getByRole('button', { name: 'Rotate' });
      await opens(tab, rotate, 'The new secret');
      await closeDialog(tab);
      const remove = page.getByRole('button', { name: 'Delete', exact: false });
      const asked = await opens(tab, remove, 'Delete a webhook', url);
      await asked.getByRole('button', { name: 'Delete' }).click();
      await page.getByRole('heading', { level: 1, name: 'Webhooks' }).waitFor();
      await expectQuiet(tab, 'webhooks');
    }
    await tab[Symbol.asyncDispose]();
  },
);

test('dead letters: replayed and purged, by the group and one by one', LONG, async () => {
  const { database } = it.engine.api;
  const nowMs = Date.now();
  const ids = await storeTransactions(
    database,
    TEXTS.map((accountId, n) => ({ createdAtMs: nowMs - n, accountId, merchantId: accountId })),
  );
  const letters = TEXTS.map((text, n) => ({
    ...{ id: idAt(nowMs, 1000 + n), transactionId: ids[n] ?? null, failedAtMs: nowMs },
    ...{ accountId: text, errorCode: text },
  }));
  await storeDeadLetters(database, letters);
  await sql(
    'update dead_letters set error = error_code, entry = error_code where account_id = error_code',
  );
  const tab = await openAs();
  const { page } = tab;
  for (const text of TEXTS) {
    for (const action of ['Replay', 'Purge']) {
      await go(tab, '/dead-letters');
      const name = `${action.toLowerCase()} ${text} in US-EG`;
      const group = page.getByRole('button', { name, exact: true });
      const asked = await opens(tab, group, `${action} a group`, `1 of ${text}`);
      await asked.getByRole('button', { name: action }).click();
      // Codes of errors are the engine's own: the command refuses others, by the name of the field.
      await page.getByRole('alert').getByText('error_code').waitFor();
      await expectQuiet(tab, name);
    }
  }
  for (const [n, { id, errorCode }] of letters.entries()) {
    await go(tab, `/dead-letters?id=${id}`);
    const letter = page.getByRole('dialog', { name: 'Dead letter' });
    const purge = letter.getByRole('button', { name: 'Purge …' });
    const asked = await opens(tab, purge, 'Purge this dead letter', errorCode);
    const isPurged = n % 2 === 0;
    await asked.getByRole('button', { name: isPurged ? 'Purge' : 'Cancel' }).click();
    if (!isPurged) await letter.getByRole('button', { name: 'Replay' }).click();
    await purge.waitFor({ state: 'detached' });
    await expectShown(tab, 'a closed dead letter', errorCode);
  }
  await tab[Symbol.asyncDispose]();
});

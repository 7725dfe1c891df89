/**
 * Goal: no text that somebody posts runs as a script, or leaves the console's policy; every page shows it as it was written.
 * Method: each text of the corpus in every field that takes it, by the API; Chromium visits every page that shows them.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { insertPersonKey } from '../support/people.ts';
import { startRollOut } from '../support/rolled-out.ts';
import { idAt, storeDeadLetters } from '../support/stored-rows.ts';
import { answerOf, input, labelInput } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';
import { findChromium, launchChromium, MISSING } from './support/chromium.ts';
import { type Engine, startEngine } from './support/engine.ts';
import { logInTo } from './support/log-in.ts';
import type { Tab } from './support/pages.ts';
import { XSS_CORPUS } from './support/xss-corpus.ts';

type Posted = {
  readonly text: string;
  readonly id: string;
  /** Absent where a webhook refuses the text. */
  readonly webhookId?: string;
};

let engine: Engine;
let browser: Browser;
let posted: Posted[];
beforeAll(async () => {
  const executable = findChromium();
  if (executable === undefined) throw new Error(MISSING);
  [engine, browser] = await Promise.all([startEngine(), launchChromium(executable)]);
  posted = await postEverywhere();
});
afterAll(async () => {
  await browser?.close();
  await engine?.[Symbol.asyncDispose]();
});

/** Posts the corpus; a text that a field refuses is in none of its pages, and the field has others. */
async function postEverywhere(): Promise<Posted[]> {
  const { api } = engine;
  const officer = await insertPersonKey(api.testDatabase, 'Officer', ['risk_officer', 'analyst']);
  const reviewer = await insertPersonKey(api.testDatabase, 'Reviewer', ['analyst']);
  const post = async (path: string, body: object, key?: string) =>
    await answerOf(
      await api.request(path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: {
          'Content-Type': 'application/json',
          ...(key === undefined ? {} : { Authorization: `Bearer ${key}` }),
        },
      }),
    );
  const found: Posted[] = [];
  const accepted = { keys: 0, labels: 0, notes: 0, webhooks: 0 };
  for (const [index, text] of XSS_CORPUS.entries()) {
    const fields = {
      ...{ account_id: text, merchant_id: text, device_id: text, type: text, channel: text },
      ...{ idempotency_key: text, metadata: { note: text }, amount: '9999.00' },
    };
    const { status, body } = await post('/v1/transactions', input(fields));
    expect([text, status]).toEqual([text, 201]);
    const label = labelInput({ transaction_id: body.transaction_id, source: text, note: text });
    accepted.labels += Number((await post('/v1/labels', { labels: [label] })).status === 200);
    const key = { roles: ['ingest'], client: text };
    const holder = index % 2 === 0 ? { owner: text } : { identity: text };
    accepted.keys += Number((await post('/v1/keys', { ...key, ...holder })).status === 201);
    const url = `http://127.0.0.1:9/?${text}`;
    const made = await post('/v1/webhooks', {
      ...{ url, client: text, event_types: ['transaction.final_decision'] },
    });
    accepted.webhooks += Number(made.status === 201);
    const webhookId = made.body.webhook_id;
    found.push({ text, id: body.transaction_id, ...(webhookId && { webhookId }) });
    await post('/v1/reviews', { transaction_id: body.transaction_id, note: text }, reviewer);
    const review = `/v1/reviews/${body.transaction_id}`;
    await post(`${review}/claim`, {}, reviewer);
    const noted = await post(`${review}/notes`, { note: text }, reviewer);
    accepted.notes += Number(noted.status < 300);
    await post(`${review}/escalate`, { reason: text }, reviewer);
    await post(
      '/v1/models/m@1/emergency',
      { corridor: 'US-EG', to: 'shadow', reason: text },
      officer,
    );
  }
  for (const [what, count] of Object.entries(accepted)) {
    expect(count, what).toBeGreaterThan(XSS_CORPUS.length / 2);
  }
  await importModels();
  await storeDeadLetters(
    api.database,
    XSS_CORPUS.map((text, n) => ({
      ...{ id: idAt(Date.now(), 1000 + n), transactionId: null, failedAtMs: Date.now() },
      ...{ accountId: text, errorCode: text },
    })),
  );
  await api.testDatabase.sql(
    'update dead_letters set error = error_code, entry = error_code where account_id = error_code',
  );
  const isScored = async () => {
    const ids = found.map(({ id }) => `'${id}'`).join(', ');
    const rows = await api.testDatabase.sql(`select from scores where transaction_id in (${ids})`);
    return rows.length === found.length;
  };
  await waitUntil(isScored, 120_000, 'the corpus to be scored');
  return found;
}

/** Names of models are versions, which refuse most texts; those that a name takes are registered. */
async function importModels(): Promise<void> {
  await using rollOut = await startRollOut(engine.api.testDatabase);
  const { rig } = rollOut;
  const ann = await rig.makeKey('Ann', ['risk_officer']);
  const { modelFile } = await import('../support/models-command.ts');
  for (const [n, text] of XSS_CORPUS.entries()) {
    const path = rig.write(`x${n}.json`, JSON.stringify(modelFile(n + 10)));
    await rig.run(ann, 'import', path, '--name', `${text}@1`).catch(() => undefined);
  }
}

/** Whatever runs calls this, or opens a dialog. */
const TRAP = 'window.ran = 0; window.xss = () => { window.ran += 1; }';

async function openTrap(): Promise<
  Tab & { readonly dialogs: string[]; readonly strangers: string[] }
> {
  const tab = await logInTo(engine, browser);
  const [dialogs, strangers]: [string[], string[]] = [[], []];
  tab.page.on('dialog', (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  tab.page.on('request', (request) => {
    if (!request.url().startsWith(engine.api.url)) strangers.push(request.url());
  });
  await tab.page.addInitScript(TRAP);
  return { ...tab, dialogs, strangers };
}

async function visit(page: Page, path: string): Promise<void> {
  await page.goto(`${engine.api.url}/console${path}`);
  await page.locator('main h1').waitFor();
  const loading = () => page.locator('[aria-busy="true"]').count();
  await expect.poll(loading, { timeout: 30_000 }).toBe(0);
}

/** What people read, and what fields hold. */
const SHOWN = `[document.querySelector('main').textContent,
  ...[...document.querySelectorAll('main :is(input, select)')].map(({ value }) => value)].join('\\n')`;

/** Marks of markup that came from text: nothing of the console makes these. */
const FOREIGN = [
  ...['script', 'iframe', 'img', 'image', 'video', 'base', 'style', 'body', 'animate', 'math'],
  ...['source', '[onerror]', '[onload]', '[onfocus]', '[onmouseover]', '[ontoggle]'],
].join();
/** And links that lead elsewhere, or nowhere that is a page. */
const COUNT_FOREIGN = `document.querySelectorAll(${JSON.stringify(`main :is(${FOREIGN})`)}).length +
  [...document.querySelectorAll('main a')].filter((link) =>
    new URL(link.getAttribute('href'), location).origin !== location.origin).length`;

async function expectQuiet(
  tab: Awaited<ReturnType<typeof openTrap>>,
  where: string,
): Promise<void> {
  const { page, faults, dialogs, strangers } = tab;
  expect([where, await page.evaluate('window.ran')]).toEqual([where, 0]);
  expect([where, await page.evaluate(COUNT_FOREIGN)]).toEqual([where, 0]);
  expect([where, ...dialogs, ...strangers, ...faults]).toEqual([where]);
}

test('the page of each transaction, its case, account, merchant and device, and of each webhook', {
  timeout: 900_000,
}, async () => {
  const tab = await openTrap();
  for (const { text, id, webhookId } of posted) {
    const name = encodeURIComponent(text);
    const parties = ['accounts', 'merchants', 'devices'].map((kind) => `/${kind}/${name}`);
    const webhook = webhookId === undefined ? [] : [`/webhooks/${webhookId}`];
    for (const path of [`/transactions/${id}`, `/review/${id}`, ...parties, ...webhook]) {
      await visit(tab.page, path);
      expect([path, await tab.page.evaluate(SHOWN)]).toEqual([path, expect.stringContaining(text)]);
      await expectQuiet(tab, path);
    }
  }
  await tab[Symbol.asyncDispose]();
});

test('what lists them, and what the address brings', { timeout: 600_000 }, async () => {
  const tab = await openTrap();
  const texts = posted.map(({ text }) => text);
  /** Each with the texts that its first rows have at least. */
  const lists: readonly (readonly [string, number])[] = [
    ...[
      ['/transactions?min_amount=9999&currency=USD', 10] as const,
      ['/dead-letters', 10] as const,
    ],
    ...[['/review', 10] as const, ['/webhooks', 10] as const, ['/ops', 0] as const],
    ...[['/keys', 10] as const, ['/audit', 0] as const, ['/models', 0] as const],
    ...[['/corridors', 0] as const, ['/', 0] as const],
  ];
  for (const [path, least] of lists) {
    await visit(tab.page, path);
    const shown = String(await tab.page.evaluate(SHOWN));
    const found = texts.filter((text) => shown.includes(text)).length;
    expect([path, found >= least]).toEqual([path, true]);
    await expectQuiet(tab, path);
  }
  for (const text of texts) {
    const name = encodeURIComponent(text);
    for (const path of [`/transactions?account_id=${name}&sort=${name}`, `/nowhere/${name}`]) {
      await visit(tab.page, path);
      await expectQuiet(tab, path);
    }
  }
  await tab[Symbol.asyncDispose]();
});

test('what lists open: dead letters, models, entries of the audit log; and the rules', {
  timeout: 600_000,
}, async () => {
  const tab = await openTrap();
  const { page } = tab;
  const ids = (table: string, id: string) =>
    engine.api.testDatabase.sql<{ id: string }>(`select ${id} as id from ${table} order by 1`);
  const letters = await ids('dead_letters where account_id = error_code', 'dead_letter_id');
  const models = await ids('models', 'model');
  expect([letters.length, models.length > 1]).toEqual([XSS_CORPUS.length, true]);
  const paths = [
    ...letters.map(({ id }) => `/dead-letters?id=${id}`),
    ...models.map(({ id }) => `/models/${encodeURIComponent(id)}`),
    ...['/rules', '/audit?who=Reviewer'],
  ];
  for (const path of paths) {
    await visit(page, path);
    await expectQuiet(tab, path);
  }
  for (const action of ['case.open', 'case.note', 'case.escalate']) {
    await page.getByRole('button', { name: action }).first().click();
    await page.getByRole('dialog', { name: action }).waitFor();
    await expectQuiet(tab, action);
    await page.keyboard.press('Escape');
  }
  await tab[Symbol.asyncDispose]();
});

test('a name of saved filters, and a what-if', async () => {
  const tab = await openTrap();
  const { page } = tab;
  await visit(page, '/transactions?currency=USD');
  for (const text of ['<img src=x onerror=xss()>', '"><script>xss()</script>', '__proto__']) {
    await visit(page, `/transactions?account_id=${encodeURIComponent(text)}`);
    await page.getByRole('button', { name: 'Save filters' }).click();
    await page.getByLabel('Name of these filters').fill(text);
    await page.keyboard.press('Enter');
    await expect.poll(() => page.getByLabel('Saved filters').inputValue()).toBe(text);
    await expectQuiet(tab, text);
  }
  await visit(page, `/transactions/${posted[0]?.id}`);
  for (const text of XSS_CORPUS.slice(0, 6)) {
    await page.getByLabel('Merchant', { exact: true }).fill(text);
    await page.getByLabel('Country', { exact: true }).fill(text);
    await page.getByRole('button', { name: 'What would it score?' }).click();
    await page.getByRole('alert').filter({ hasText: 'country' }).waitFor();
    await expectQuiet(tab, `what-if ${text}`);
  }
  await tab[Symbol.asyncDispose]();
});

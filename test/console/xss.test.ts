/**
 * Goal: no text that somebody posts runs as a script, or leaves the console's policy; every page shows it as it was written.
 * Method: each text of the corpus in every field that takes it, by the API; Chromium visits every page that shows them.
 */
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { insertPersonKey } from '../support/people.ts';
import { startRollOut } from '../support/rolled-out.ts';
import { idAt, storeDeadLetters } from '../support/stored-rows.ts';
import { answerOf, input, labelInput } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';
import { setUpConsole } from './support/set-up.ts';
import { isName, XSS_CORPUS } from './support/xss-corpus.ts';
import {
  expectQuiet,
  expectShown,
  openTrap,
  shownIn,
  visit as visitIn,
} from './support/xss-tab.ts';

type Posted = {
  readonly text: string;
  readonly id: string;
  /** Absent where a webhook refuses the text. */
  readonly webhookId?: string;
};

const it = setUpConsole();
let posted: Posted[];
beforeAll(async () => {
  posted = await postEverywhere();
});
const openTab = () => openTrap(it.engine, it.browser);
const visit = (page: Page, path: string) => visitIn(it.engine, page, path);

/** Posts the corpus; a text that a field refuses is in none of its pages, and the field has others. */
async function postEverywhere(): Promise<Posted[]> {
  const { api } = it.engine;
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
  const accepted = { labels: 0, notes: 0, webhooks: 0 };
  for (const [index, text] of XSS_CORPUS.entries()) {
    const holder = index % 2 === 1 && isName(text) ? { identity: text } : { owner: text };
    const made = await post('/v1/keys', { roles: ['ingest'], client: text, ...holder });
    // Ids have no characters that nobody sees; addresses and dead letters bring such a text.
    if (made.status === 422 && /\p{Cf}/u.test(text)) continue;
    expect([text, made.status]).toEqual([text, 201]);
    const { key } = made.body;
    const fields = {
      ...{ account_id: text, merchant_id: text, device_id: text, type: text, channel: text },
      ...{ corridor: 'FR-MA' },
      ...{ idempotency_key: text, metadata: metadataOf(text), amount: '9999.00' },
    };
    const { status, body } = await post('/v1/transactions', input(fields), key);
    expect([text, status]).toEqual([text, 201]);
    const label = labelInput({ transaction_id: body.transaction_id, source: text, note: text });
    accepted.labels += Number((await post('/v1/labels', { labels: [label] }, key)).status === 200);
    const url = `http://127.0.0.1:9/?${text}`;
    const hooked = await post('/v1/webhooks', {
      ...{ url, client: text, event_types: ['transaction.final_decision'] },
    });
    accepted.webhooks += Number(hooked.status === 201);
    const webhookId = hooked.body.webhook_id;
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

/** As a name too, unless that is refused. */
const metadataOf = (text: string) =>
  text === '__proto__' ? { note: text } : { note: text, [text]: text };

/** Names of models are versions, which refuse most texts; those that a name takes are registered. */
async function importModels(): Promise<void> {
  await using rollOut = await startRollOut(it.engine.api.testDatabase);
  const { rig } = rollOut;
  const ann = await rig.makeKey('Ann', ['risk_officer']);
  const { modelFile } = await import('../support/models-command.ts');
  for (const [n, text] of XSS_CORPUS.entries()) {
    const path = rig.write(`x${n}.json`, JSON.stringify(modelFile(n + 10)));
    await rig.run(ann, 'import', path, '--name', `${text}@1`).catch(() => undefined);
  }
}

/** Facts of a transaction's page by their names. */
const FACTS = `Object.fromEntries([...document.querySelector('.facts').children].map((fact) =>
  [...fact.children].map(({ textContent }) => textContent)))`;

test('the page of each transaction, its case, account, merchant and device, and of each webhook', {
  timeout: 900_000,
}, async () => {
  await using tab = await openTab();
  for (const { text, id, webhookId } of posted) {
    const name = encodeURIComponent(text);
    const parties = ['accounts', 'merchants', 'devices'].map((kind) => `/${kind}/${name}`);
    const webhook = webhookId === undefined ? [] : [`/webhooks/${webhookId}`];
    for (const path of [`/transactions/${id}`, `/review/${id}`, ...parties, ...webhook]) {
      await visit(tab, path);
      await expectShown(tab, path, text);
    }
    await visit(tab, `/transactions/${id}`);
    const named = ['Account', 'Merchant', 'Channel', 'Type', 'Device', 'Client'];
    expect(await tab.evaluate(FACTS)).toMatchObject(
      Object.fromEntries(named.map((fact) => [fact, text])),
    );
    const labels = tab.locator('.labels');
    expect(await labels.locator('q').textContent()).toBe(text);
    expect(await labels.textContent()).toContain(`${text}, `);
  }
});

/** Pages whose address takes a text, each opened with a part of the corpus: the first has fields and choices of filters. */
const ADDRESSES = [
  '/transactions?account_id=NAME&sort=NAME&verdict=NAME&corridor=NAME&reason=NAME&from=NAME&ip=NAME',
  '/nowhere/NAME',
  '/transactions/NAME',
  '/review/NAME',
  '/models/NAME',
  '/webhooks/NAME',
  '/dead-letters?id=NAME',
  '/audit?who=NAME',
  '/review?priority=NAME&state=NAME&device_id=NAME',
];

test('what lists them, and what the address brings', { timeout: 600_000 }, async () => {
  await using tab = await openTab();
  const texts = posted.map(({ text }) => text);
  /** Each with the texts that its first rows have at least. */
  const lists: readonly (readonly [string, number])[] = [
    ['/transactions?min_amount=9999&currency=USD', 10] as const,
    ['/dead-letters', 10] as const,
    // The queue without a filter begins with the sample's cases, which are due earlier.
    ['/review?corridor=FR-MA', 10] as const,
    ['/webhooks', 10] as const,
    ['/workload', 0] as const,
    ['/keys', 10] as const,
    ['/audit', 0] as const,
    ['/models', 0] as const,
    ['/corridors', 0] as const,
    ['/', 0] as const,
  ];
  for (const [path, least] of lists) {
    await visit(tab, path);
    const shown = await shownIn(tab);
    const found = texts.filter((text) => shown.includes(text)).length;
    expect([path, found >= least]).toEqual([path, true]);
    await expectQuiet(tab, path);
  }
  for (const [index, text] of XSS_CORPUS.entries()) {
    for (const at of [index, index + 4]) {
      const path = ADDRESSES[at % ADDRESSES.length] ?? '';
      await visit(tab, path.replaceAll('NAME', encodeURIComponent(text)));
      await expectQuiet(tab, `${path} ${text}`);
    }
  }
});

test('what lists open: dead letters, models, entries of the audit log; and the rules', {
  timeout: 600_000,
}, async () => {
  await using page = await openTab();
  const ids = (table: string, id: string) =>
    it.engine.api.testDatabase.sql<{ id: string }>(`select ${id} as id from ${table} order by 1`);
  const letters = await ids('dead_letters where account_id = error_code', 'dead_letter_id');
  const models = await ids('models', 'model');
  expect([letters.length, models.length > 1]).toEqual([XSS_CORPUS.length, true]);
  const paths = [
    ...letters.map(({ id }) => `/dead-letters?id=${id}`),
    ...models.map(({ id }) => `/models/${encodeURIComponent(id)}`),
    '/rules',
    '/audit?who=Reviewer',
  ];
  for (const path of paths) {
    await visit(page, path);
    await expectQuiet(page, path);
  }
  for (const action of ['case.open', 'case.note', 'case.escalate']) {
    await page.getByRole('button', { name: action }).first().click();
    await page.getByRole('dialog', { name: action }).waitFor();
    await expectQuiet(page, action);
    await page.keyboard.press('Escape');
  }
});

/**
 * Goal: labels are read back, by list and inside their transaction, with who reported them; a client finds those of its own
 * transactions alone. Method: an API process, a person, keys of two clients, and labels that each of them posted.
 */
import { expect, test } from 'vitest';
import { detachMonth } from '../../../../src/core/store/partitions/detach-months.ts';
import { monthOf } from '../../../../src/kit/words/month.ts';
import { encodeLabelCursor } from '../../../../src/rooms/labels/parameters.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { idAt } from '../../../support/stored-rows.ts';
import { type Answer, answerOf, type Input, input, labelInput } from '../../../support/submit.ts';

const CREATED_AT = '2026-10-01T10:00:00.000Z';
const DETACHED_AT = '2015-03-09T00:00:00.000Z';

type Caller = (path: string, body?: unknown) => Promise<Answer>;

const ids = { shop: '', bank: '', detached: '' };
const day = (n: number) => `2026-10-0${n}T00:00:00.000Z`;

const api = await openForFile(startRunningApi());
const shop = await makeCaller({ roles: ['ingest'], client: 'shop', owner: 'test' });
const bank = await makeCaller({ roles: ['ingest'], client: 'bank', owner: 'test' });
const ann = await makeCaller({ roles: ['analyst'], client: 'house', identity: 'Ann' });
ids.shop = await accepted(shop, { account_id: 'acc_s', merchant_id: 'm_s' });
ids.bank = await accepted(bank, { account_id: 'acc_b', merchant_id: 'm_b' });
ids.detached = await accepted(bank, { account_id: 'acc_d', created_at: DETACHED_AT });
await label(shop, ids.shop, { labelled_at: day(3), source: 'chargeback', note: 'called us' });
await label(ann, ids.shop, {
  labelled_at: day(5),
  label: 'legitimate',
  source: 'review',
  note: 'own card',
});
await label(ann, ids.shop, { labelled_at: day(5), label: 'fraud', source: 'ring' });
await label(bank, ids.bank, { labelled_at: day(4), source: 'chargeback' });
await label(bank, ids.detached, { labelled_at: day(2), source: 'chargeback' });
await detachMonth(api.database, monthOf(Date.parse(DETACHED_AT)));

async function makeCaller(fields: object): Promise<Caller> {
  const { status, body: made } = await answerOf(await api.post('/v1/keys', fields));
  expect([status, made]).toEqual([201, expect.objectContaining({ key: expect.any(String) })]);
  return async (path, body) => {
    const headers = { Authorization: `Bearer ${made.key}`, 'Content-Type': 'application/json' };
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    return await answerOf(await fetch(api.url + path, { ...init, headers }));
  };
}

async function accepted(caller: Caller, fields: Input): Promise<string> {
  const { body } = await caller('/v1/transactions', input({ created_at: CREATED_AT, ...fields }));
  return body.transaction_id;
}

async function label(caller: Caller, transaction_id: string, fields: Input): Promise<void> {
  const { status } = await caller('/v1/labels', {
    labels: [labelInput({ transaction_id, ...fields })],
  });
  expect(status).toBe(200);
}

type Seen = { labelled_at: string; label: string; source: string };
const short = ({ labelled_at, label: value, source }: Seen) =>
  `${labelled_at.slice(8, 10)} ${value} ${source}`;
async function list(caller: Caller, query: string): Promise<string[]> {
  const { status, body } = await caller(`/v1/labels${query}`);
  expect([status, body.complete, body.next_cursor]).toEqual([200, true, null]);
  return body.items.map(short);
}

test('a list has what was posted, when, and by whom, newest first', async () => {
  const { body } = await ann(`/v1/labels?transaction_id=${ids.shop}`);
  expect(body.items.map(short)).toEqual([
    '05 legitimate review',
    '05 fraud ring',
    '03 fraud chargeback',
  ]);
  expect(body.items[0]).toEqual({
    ...{
      transaction_id: ids.shop,
      created_at: CREATED_AT,
      account_id: 'acc_s',
      merchant_id: 'm_s',
    },
    ...{
      label: 'legitimate',
      labelled_at: day(5),
      source: 'review',
      received_at: expect.any(String),
    },
    ...{ client: 'house', identity: 'Ann', note: 'own card' },
  });
  expect(body.items[2]).toMatchObject({ client: 'shop', identity: null, note: 'called us' });
});

test('every filter finds its own, and together they all hold', async () => {
  expect(await list(ann, '?account_id=acc_b')).toEqual(['04 fraud chargeback']);
  expect(await list(ann, '?merchant_id=m_s&label=legitimate')).toEqual(['05 legitimate review']);
  expect(await list(ann, '?source=chargeback')).toEqual([
    '04 fraud chargeback',
    '03 fraud chargeback',
  ]);
  const span = `?from=${day(3)}&to=${day(5)}&account_id=acc_s&merchant_id=m_s`;
  expect(await list(ann, span)).toEqual(['03 fraud chargeback']);
  expect(await list(ann, `?transaction_id=${ids.shop}&merchant_id=m_b`)).toEqual([]);
  expect(await list(ann, `?transaction_id=${ids.shop}&account_id=acc_s&source=ring`)).toEqual([
    '05 fraud ring',
  ]);
});

test('a page goes on where it ended, also among labels of one time', async () => {
  const pages: string[] = [];
  let cursor = '';
  do {
    const { body } = await ann(`/v1/labels?limit=1${cursor}`);
    pages.push(...body.items.map(short));
    cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`;
  } while (cursor !== '' && pages.length < 10);
  expect(pages).toEqual(await list(ann, ''));
  expect(pages).toHaveLength(4);
});

test('a month that is detached is named, unless the list ends before it', async () => {
  expect((await ann('/v1/labels')).body.detached_months).toEqual(['2015-03']);
  expect((await ann('/v1/labels?to=2015-01-01T00:00:00Z')).body.detached_months).toBeUndefined();
});

test('a transaction has its history, oldest first, where it is asked for', async () => {
  const { body } = await ann(`/v1/transactions/${ids.shop}?expand=labels`);
  expect(body).toMatchObject({ transaction_id: ids.shop, status: 'accepted' });
  expect(body.labels.complete).toBe(true);
  // Where two labels have one time, fraud holds, so it is the last one.
  expect(body.labels.items.map(short)).toEqual([
    ...['03 fraud chargeback', '05 legitimate review', '05 fraud ring'],
  ]);
  expect(body.labels.items[1]).toMatchObject({
    identity: 'Ann',
    client: 'house',
    note: 'own card',
  });
  expect((await ann(`/v1/transactions/${ids.shop}`)).body.labels).toBeUndefined();
  const plain = await accepted(bank, {});
  const unlabelled = await bank(`/v1/transactions/${plain}?expand=labels`);
  expect(unlabelled.body.labels).toEqual({ complete: true, items: [] });
});

test('a history beyond its bound has the newest labels, and says so', async () => {
  const id = await accepted(bank, {});
  const labels = Array.from({ length: 201 }, (_, n) =>
    labelInput({
      transaction_id: id,
      labelled_at: day(6),
      source: `s${1000 + n}`,
      label: 'legitimate',
    }),
  );
  await bank('/v1/labels', {
    labels: [...labels, labelInput({ transaction_id: id, labelled_at: day(7) })],
  });
  const { body } = await bank(`/v1/transactions/${id}?expand=labels`);
  expect([body.labels.complete, body.labels.items.length]).toEqual([false, 200]);
  expect(short(body.labels.items.at(-1))).toBe('07 fraud chargeback');
});

test("a client finds labels of its own transactions alone, and of others' reports neither who nor why", async () => {
  expect(await list(shop, '')).toEqual([
    '05 legitimate review',
    '05 fraud ring',
    '03 fraud chargeback',
  ]);
  expect(await list(bank, '?account_id=acc_s')).toEqual([]);
  const unknown = await bank(`/v1/labels?transaction_id=${idAt(Date.parse(CREATED_AT), 7)}`);
  const other = await bank(`/v1/labels?transaction_id=${ids.shop}`);
  expect([other.status, other.body]).toEqual([200, unknown.body]);
  expect((await bank(`/v1/transactions/${ids.shop}?expand=labels`)).status).toBe(404);
  const { body } = await shop(`/v1/transactions/${ids.shop}?expand=labels`);
  const told = body.labels.items.map((one: Record<string, unknown>) => [
    one['client'],
    one['identity'],
    one['note'],
  ]);
  expect(told).toEqual([
    ['shop', null, 'called us'],
    [null, null, null],
    [null, null, null],
  ]);
  expect((await shop('/v1/labels?source=review')).body.items[0].note).toBeNull();
});

test('a label that is known keeps the note of its first report', async () => {
  const id = await accepted(shop, {});
  await label(shop, id, { labelled_at: day(3), note: 'first' });
  await label(shop, id, { labelled_at: day(3), note: 'second' });
  await label(shop, id, { labelled_at: day(3) });
  const { body } = await shop(`/v1/labels?transaction_id=${id}`);
  expect(body.items.map(({ note }: { note: string }) => note)).toEqual(['first']);
});

test.each([
  ['?limit=0', '/limit'],
  ['?limit=201', '/limit'],
  ['?cursor=zz', '/cursor'],
  [`?cursor=${Buffer.from('[1,"x","fraud","a"]').toString('base64url')}`, '/cursor'],
  [
    `?cursor=${encodeLabelCursor({ labelledAt: new Date(1), transactionId: idAt(1), label: 'fraud', source: 'a' })}=`,
    '/cursor',
  ],
  ['?label=maybe', '/label'],
  ['?transaction_id=7', '/transaction_id'],
  ['?source=', '/source'],
  ['?source=a%00', '/source'],
  ['?account_id=%00', '/account_id'],
  ['?from=yesterday', '/from'],
  ['?note=x', '/note'],
])('%s is 422 at its parameter', async (query, pointer) => {
  const { status, body } = await ann(`/v1/labels${query}`);
  expect(status).toBe(422);
  expect(body.errors.map((error: { pointer: string }) => error.pointer)).toEqual([pointer]);
});

test('a transaction takes no parameter but expand, and an unknown word is refused by what is allowed', async () => {
  for (const query of ['?expand=', '?labels=1', '?expand=score,scores']) {
    expect((await ann(`/v1/transactions/${ids.shop}${query}`)).status).toBe(422);
  }
  const { body } = await ann(`/v1/transactions/${ids.shop}?expand=labels,scores`);
  expect(body.errors[0].detail).toBe(
    "must be one of 'score', 'explanation', 'labels', 'neighbours', not 'scores'",
  );
});

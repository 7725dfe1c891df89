/**
 * Goal: labels are read back, by list and inside their transaction, with who reported them; a client finds those of its own
 * transactions alone. Method: an API process, a person, keys of two clients, and labels that each of them posted.
 */
import { expect, test } from 'vitest';
import { detachMonth } from '../../../../src/core/store/partitions/detach-months.ts';
import { monthOf } from '../../../../src/kit/words/month.ts';
import { openRunningApi } from '../../../support/running-api.ts';
import { idAt } from '../../../support/stored-rows.ts';
import { type Answer, type Input, input, labelInput, send } from '../../../support/submit.ts';

const CREATED_AT = '2026-10-01T10:00:00.000Z';
const DETACHED_AT = '2015-03-09T00:00:00.000Z';

type Caller = (path: string, body?: unknown) => Promise<Answer>;

const ids = { shop: '', bank: '', detached: '' };
const day = (n: number) => `2026-10-0${n}T00:00:00.000Z`;

const api = await openRunningApi();
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
  const { status, body: made } = await send(api, 'POST', '/v1/keys', fields);
  expect([status, made]).toEqual([201, expect.objectContaining({ key: expect.any(String) })]);
  return (path, body) => send(api, body === undefined ? 'GET' : 'POST', path, body, made.key);
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
    '03 fraud chargeback',
    '05 legitimate review',
    '05 fraud ring',
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

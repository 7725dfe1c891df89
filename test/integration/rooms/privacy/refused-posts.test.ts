/**
 * Goal: a post that is refused makes no subject of its values, and a post that is repeated after an erasure, as its answer was
 * lost, is answered by the stored transaction. Method: posts through every door; subjects are counted.
 */
import { expect, test } from 'vitest';
import { keptEach, keptWhole } from '../../../../src/core/accept/admit.ts';
import { prepare } from '../../../../src/core/accept/prepare-transactions.ts';
import type { KeyedTransactionInput } from '../../../../src/core/domain/transaction.ts';
import { createPartitionGuard } from '../../../../src/core/store/partitions/partitions.ts';
import { openMarketKey } from '../../../../src/core/store/subject-lookup.ts';
import { privacySettings } from '../../../../src/kit/config/privacy-settings.ts';
import { atOnce } from '../../../../src/kit/process/pauses.ts';
import { readState } from '../../../../src/rooms/privacy/store.ts';
import { openSubjects } from '../../../../src/rooms/privacy/subjects.ts';
import { openTokens } from '../../../../src/rooms/privacy/tokens.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { putControl } from '../../../support/rooms/corridors/requests.ts';
import { makePrivacyFolder } from '../../../support/rooms/privacy/settings.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import {
  answerOf,
  count,
  type Input,
  input,
  postBatch,
  postOne,
  send,
} from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const folder = await openForFile(makePrivacyFolder());
const api = await openForFile(startRunningApi(folder.settings));
const officer = await insertPersonKey(api.testDatabase, 'Ann', ['risk_officer', 'admin']);

const erase = async (field: string, value: string) =>
  await send(api, 'POST', '/v1/erasures', { field, value, reason: 'request 117' }, officer);
const postLines = async (inputs: readonly Input[]): Promise<string> => {
  const body = inputs.map((one) => `${JSON.stringify(one)}\n`).join('');
  const headers = { 'Content-Type': 'application/x-ndjson' };
  const path = '/v1/transactions/batch';
  return await (await api.request(path, { method: 'POST', body, headers })).text();
};

let people = 0;
/** A payment of somebody new. */
const somebody = (fields: Input = {}): Input => {
  people += 1;
  const metadata = { cards: [{ pan: `pan ${people}` }, { pan: 'of all' }], tier: people };
  return input({ account_id: `new ${people}`, metadata, ...fields });
};

for (const field of ['account_id', 'metadata.cards.pan'])
  await send(api, 'PUT', `/v1/personal-fields/${field}`, {}, officer);

const subjects = () => count(api, 'subjects');

test('a refused post makes no subject', async () => {
  const taken = somebody();
  await postOne(api, taken);
  const { idempotency_key: key } = taken;
  await putControl(api, 'limit-transactions', 'corridor:US-PH', { rate_per_second: 1, burst: 1 });
  await putControl(api, 'stop', 'corridor:US-IN');
  const status = async (one: Input) => (await postOne(api, one)).status;
  const { account_id, metadata } = taken;
  const until = (corridor: string, wanted: number) => {
    const post = () => status(input({ account_id, metadata, corridor }));
    return waitUntil(async () => (await post()) === wanted, 5000, `${corridor}: ${wanted}`);
  };
  await until('US-IN', 503);
  await until('US-PH', 429);

  const before = await subjects();
  const future = '2199-01-01T00:00:00Z';
  expect(await status(somebody({ corridor: 'US-IN' }))).toBe(503);
  expect(await status(somebody({ corridor: 'US-PH' }))).toBe(429);
  expect(await status(somebody({ idempotency_key: key }))).toBe(422);
  expect(await status(somebody({ created_at: future }))).toBe(422);
  const batches = [
    [somebody(), somebody({ idempotency_key: key })],
    [somebody(), somebody({ created_at: future })],
    [somebody(), somebody({ corridor: 'US-IN' })],
    [somebody({ idempotency_key: 'rivals' }), somebody({ idempotency_key: 'rivals' })],
  ];
  for (const batch of batches) expect([422, 503]).toContain((await postBatch(api, batch)).status);
  const lines = [
    somebody({ idempotency_key: key }),
    somebody({ corridor: 'US-IN' }),
    somebody({ created_at: future }),
  ];
  expect(await postLines(lines)).toContain('"refused":3');
  expect(await subjects()).toBe(before);

  // The first of two lines with one key is stored, and the subjects of its account and of one card are made.
  const rivals = [somebody({ idempotency_key: 'lines' }), somebody({ idempotency_key: 'lines' })];
  expect(await postLines(rivals)).toContain('"accepted":1');
  const lenient = { transactions: [somebody(), somebody({ corridor: 'US-IN' })] };
  const path = '/v1/transactions/batch';
  const headers = { 'Content-Type': 'application/json', Prefer: 'handling=lenient' };
  const body = JSON.stringify(lenient);
  expect(
    (await answerOf(await api.request(path, { method: 'POST', body, headers }))).body,
  ).toMatchObject({ accepted: 1 });
  expect(await subjects()).toBe(before + 4);
  // A batch of a known and of a new transaction is accepted, and so is what it has twice.
  const mixed = somebody();
  expect((await postBatch(api, [taken, mixed, mixed])).body).toMatchObject({
    accepted: 1,
    duplicates: 2,
  });
  expect(await subjects()).toBe(before + 6);
  const [{ orphans } = { orphans: -1 }] = await api.testDatabase.sql<{ orphans: number }>(
    'select count(*)::int as orphans from transactions t where not exists (select from subjects s where s.token = t.account_id)',
  );
  expect(orphans).toBe(0);
});

test('a post that is repeated after an erasure is answered by what is stored', async () => {
  const [one, other] = [somebody(), somebody()];
  const batch = [somebody(), somebody()];
  const lines = [somebody(), somebody()];
  const posted = (await postOne(api, one)).body.transaction_id;
  await postOne(api, other);
  await postBatch(api, batch);
  await postLines(lines);
  for (const { account_id: account } of [one, ...batch, ...lines])
    expect((await erase('account_id', String(account))).status).toBe(200);
  expect((await erase('metadata.cards.pan', 'pan 9')).status).toBe(404);
  const before = await subjects();
  expect((await postOne(api, one)).body).toMatchObject({
    status: 'duplicate',
    transaction_id: posted,
  });
  expect((await postBatch(api, batch)).body).toMatchObject({ accepted: 0, duplicates: 2 });
  expect(await postLines(lines)).toContain('"duplicates":2');
  expect(await subjects()).toBe(before);

  // Another field that differs is a conflict, and so is another account where the stored one lives.
  expect((await postOne(api, { ...one, amount: '1.00' })).status).toBe(422);
  expect((await postOne(api, { ...other, account_id: 'somebody else' })).status).toBe(422);
  expect((await postBatch(api, [batch[0] ?? {}, { ...other, amount: '1.00' }])).status).toBe(422);
  // The value is known again, by a later payment, and a batch may have new payments, too.
  expect((await postOne(api, { ...one, idempotency_key: 'later' })).body.status).toBe('accepted');
  expect((await postOne(api, one)).body.status).toBe('duplicate');
  expect((await postBatch(api, [...batch, somebody()])).body).toMatchObject({
    accepted: 1,
    duplicates: 2,
  });
  // A member of metadata within a list.
  const [card] = (one['metadata'] as { cards: { pan: string }[] }).cards;
  expect((await erase('metadata.cards.pan', card?.pan ?? '')).status).toBe(200);
  expect((await postOne(api, one)).body.status).toBe('duplicate');
  expect((await postOne(api, { ...one, metadata: { cards: [] } })).status).toBe(422);
});

test('a post whose twin at another process is first has the token of its twin', async () => {
  const { database } = api;
  const keys = privacySettings.RISK_PRIVACY_KEYS.parse(folder.settings.RISK_PRIVACY_KEYS);
  if (keys === undefined) throw new Error('the folder has keys');
  const marketKey = openMarketKey(keys, await readState(database.query));
  const edge = openTokens(['account_id'], openSubjects({ database, keys, marketKey }));
  const twin = somebody() as KeyedTransactionInput;
  const [each, whole] = [await edge.tokenise([twin]), await edge.tokenise([twin])];
  expect((await postOne(api, twin)).body.status).toBe('accepted');
  const [stored] = await api.testDatabase.sql<{ account: string; client: string }>(
    'select account_id as account, client from transactions order by received_at desc limit 1',
  );
  const partitions = createPartitionGuard(database);
  const parts = { database, partitions, newMonthsMax: 1, tokens: () => edge };
  const { account = '', client = '' } = stored ?? {};
  const context = { nowMs: Date.now(), corridors: new Set(['US-EG']), elsewhere: new Map() };
  const read = { ...context, refusalOf: () => undefined, fields: new Map(), personal: [] };
  const prepared = atOnce(prepare(whole.inputs, read));
  expect(await keptEach(parts, { client, tokenised: each }, [0])).toMatchObject([
    { account_id: account },
  ]);
  expect(await keptWhole(parts, { client, tokenised: whole }, prepared)).toMatchObject([
    { account_id: account },
  ]);
});

/**
 * Goal: a label is stored once, whatever repeats, overlaps or collides; what is refused stores nothing.
 * Method: an API process on real Postgres and Redis, driven over HTTP; the rows are counted in SQL.
 */
import { describe, expect, test } from 'vitest';
import { runRisk } from '../support/run-risk.ts';
import { openRunningApi } from '../support/running-api.ts';
import { idAt } from '../support/stored-rows.ts';
import { count, type Input, input, labelInput, postBatch, postLabels } from '../support/submit.ts';

const CREATED_AT = '2026-10-01T10:00:00.000Z';
const MINUTE_MS = 60_000;

const api = await openRunningApi();

/** Ids of transactions that were accepted just now. */
async function accepted(transactions: number, fields: Input = {}): Promise<string[]> {
  const inputs = Array.from({ length: transactions }, () =>
    input({ created_at: CREATED_AT, ...fields }),
  );
  const { body } = await postBatch(api, inputs);
  return body.results.map((result: { transaction_id: string }) => result.transaction_id);
}

const labelsOf = (id: string) =>
  api.testDatabase.sql<{ label: string; labelled_at: Date; source: string }>(
    `select label, labelled_at, source, account_id, merchant_id, created_at, received_at
       from labels where transaction_id = $1 order by labelled_at, label`,
    [id],
  );

describe('labels', () => {
  test('are stored with the parties of their transaction, and answered in order', async () => {
    const [first = '', second = ''] = await accepted(2, {
      account_id: 'acc_l',
      merchant_id: 'm_l',
    });
    const { status, body } = await postLabels(api, [
      labelInput({ transaction_id: second, label: 'legitimate' }),
      labelInput({
        transaction_id: first.toUpperCase(),
        labelled_at: '2026-10-03T12:00:00.1239+02:00',
      }),
    ]);
    expect(status).toBe(200);
    expect(body).toEqual({
      accepted: 2,
      unchanged: 0,
      results: [
        { index: 0, transaction_id: second, status: 'accepted' },
        { index: 1, transaction_id: first, status: 'accepted' },
      ],
    });
    expect(await labelsOf(first)).toEqual([
      {
        label: 'fraud',
        labelled_at: new Date('2026-10-03T10:00:00.123Z'),
        source: 'chargeback',
        account_id: 'acc_l',
        merchant_id: 'm_l',
        created_at: new Date(CREATED_AT),
        received_at: expect.any(Date),
      },
    ]);
  });

  test('name their transaction by the key it was sent with, within the client', async () => {
    const sent = input();
    const { body } = await postBatch(api, [sent]);
    const [{ transaction_id }] = body.results;
    const label = labelInput({ idempotency_key: sent['idempotency_key'] });
    expect((await postLabels(api, [label])).body.results).toEqual([
      { index: 0, transaction_id, status: 'accepted' },
    ]);
    const args = ['--role', 'ingest', '--owner', 'b', '--client', 'other', '--json'];
    const { stdout } = await runRisk(['keys', 'create', ...args], {
      DATABASE_URL: api.testDatabase.url,
    });
    const answer = await api.request('/v1/labels', {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Authorization: `Bearer ${JSON.parse(stdout).key}`,
      },
      body: JSON.stringify({ labels: [label] }),
    });
    expect(answer.status).toBe(422);
    expect(await answer.text()).toContain('/labels/0/idempotency_key');
    expect(await labelsOf(transaction_id)).toHaveLength(1);
  });

  test('may be revised, late and in any order; each one stays', async () => {
    const [id = ''] = await accepted(1);
    const at = (day: number, label: string, source = 'chargeback') =>
      labelInput({ transaction_id: id, labelled_at: `2026-10-0${day}T00:00:00Z`, label, source });
    await postLabels(api, [at(5, 'legitimate')]);
    await postLabels(api, [at(3, 'fraud'), at(5, 'legitimate', 'bank'), at(5, 'fraud')]);
    expect((await labelsOf(id)).map(({ label, source }) => [label, source])).toEqual([
      ['fraud', 'chargeback'],
      ['fraud', 'chargeback'],
      ['legitimate', expect.any(String)],
      ['legitimate', expect.any(String)],
    ]);
  });
});

describe('a label', () => {
  const soon = (ms: number) => new Date(Date.now() + ms).toISOString();

  test.each([
    [
      'of an unknown transaction',
      () => ({ transaction_id: idAt(Date.now(), 7) }),
      'transaction_id',
    ],
    [
      'of a transaction in a month without partition',
      () => ({ transaction_id: idAt(Date.UTC(2003, 1, 1), 7) }),
      'transaction_id',
    ],
    [
      'of an id without a time',
      () => ({ transaction_id: 'b0e42fe7-31a5-4894-a441-007e5256afea' }),
      'transaction_id',
    ],
    [
      'of an unknown key',
      () => ({ transaction_id: undefined, idempotency_key: 'nobody’s' }),
      'idempotency_key',
    ],
    ['before its transaction', () => ({ labelled_at: '2026-10-01T09:59:59.999Z' }), 'labelled_at'],
    ['six minutes ahead', () => ({ labelled_at: soon(6 * MINUTE_MS) }), 'labelled_at'],
  ])('%s is 422 at its field, and nothing of its request is stored', async (_name, bad, field) => {
    const [good = '', other = ''] = await accepted(2);
    const before = await count(api, 'labels');
    const { status, body } = await postLabels(api, [
      labelInput({ transaction_id: good }),
      labelInput({ transaction_id: other, ...bad() }),
    ]);
    expect([status, body.type]).toEqual([422, 'urn:risk:problem:invalid-fields']);
    expect(body.errors).toEqual([{ pointer: `/labels/1/${field}`, detail: expect.any(String) }]);
    expect(await count(api, 'labels')).toBe(before);
  });

  test('of a key that is forgotten is 422 and says so; by its id it is taken', async () => {
    const sent = input();
    const { body } = await postBatch(api, [sent]);
    const [{ transaction_id }] = body.results;
    const { idempotency_key } = sent;
    await api.testDatabase.sql(
      `delete from idempotency_keys where digest = idempotency_digest('default', $1)`,
      [idempotency_key],
    );
    const refused = await postLabels(api, [labelInput({ idempotency_key })]);
    expect([refused.status, refused.body.errors[0].detail]).toEqual([
      422,
      expect.stringContaining('forgotten'),
    ]);
    expect((await postLabels(api, [labelInput({ transaction_id })])).status).toBe(200);
  });
});

test('twenty clients with overlapping requests in reversed order add each label once', async () => {
  const ids = await accepted(600);
  const labels = ids.map((transaction_id) =>
    labelInput({ transaction_id, labelled_at: '2026-10-09T10:00:00Z' }),
  );
  const requests = Array.from({ length: 20 }, (_, client) => {
    const own = labels.slice(client * 10, client * 10 + 400);
    return client % 2 === 0 ? own : own.toReversed();
  });
  const answers = await Promise.all(requests.map((request) => postLabels(api, request)));
  expect(answers.map(({ status }) => status)).toEqual(requests.map(() => 200));
  const added = answers.reduce((sum, { body }) => sum + body.accepted, 0);
  const unchanged = answers.reduce((sum, { body }) => sum + body.unchanged, 0);
  const touched = 19 * 10 + 400;
  expect([added, unchanged]).toEqual([touched, 20 * 400 - touched]);
  const list = ids.map((id) => `'${id}'`).join();
  expect(await count(api, `labels where transaction_id in (${list})`)).toBe(touched);
});

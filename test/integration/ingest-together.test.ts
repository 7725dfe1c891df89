/**
 * Goal: posts and batches that share a database transaction are answered as if each stood alone. Method: many at once
 * over HTTP, with everything among them that one may do to another.
 */
import { expect, test } from 'vitest';
import { holdOpen } from '../support/hold-open.ts';
import { insertKey } from '../support/key-rows.ts';
import { type RunningApi, startRunningApi } from '../support/running-api.ts';
import {
  type Answer,
  count,
  type Input,
  input,
  insistOnBatch,
  postBatch,
  postOne,
} from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

test('each of many posts at once has its own answer, in fewer commits', async () => {
  await using api = await startRunningApi();
  const known = input();
  const before = await postOne(api, known);
  const open = input();
  const inputs = [
    ...Array.from({ length: 40 }, () => input()),
    known,
    { ...known, amount: '1.00' },
    open,
    open,
    { ...open, amount: '2.00' },
    input({ corridor: 'XX-YY' }),
  ];
  const answers = await Promise.all(inputs.map((one) => postOne(api, one)));
  const statuses = answers.map(({ status }) => status);
  expect(statuses.slice(0, 40)).toEqual(new Array(40).fill(201));
  expect(statuses.slice(40, 42)).toEqual([200, 422]);
  expect(answers[40]?.body.transaction_id).toBe(before.body.transaction_id);
  // Where a key has two bodies, the first one examined is stored.
  const stood = statuses[44] === 201 ? [422, 422, 201] : [201, 200, 422];
  expect(statuses.slice(42, 45).sort()).toEqual([...stood].sort());
  expect(statuses[45]).toBe(422);

  const stored = await api.testDatabase.sql<{ key: string; id: string }>(
    `select sent.key, k.transaction_id::text as id
       from unnest($1::text[]) as sent(key) join idempotency_keys k on digest = idempotency_digest('default', sent.key)`,
    [inputs.map((one) => one['idempotency_key'])],
  );
  const idOf = new Map(stored.map(({ key, id }) => [key, id]));
  for (const [index, { status, body }] of answers.entries()) {
    if (status > 201) continue;
    expect(body.transaction_id).toBe(idOf.get(String(inputs[index]?.['idempotency_key'])));
  }
  expect(await count(api, 'transactions')).toBe(42);
  const [row] = await api.testDatabase.sql<{ commits: number }>(
    'select count(distinct xmin::text)::int as commits from transactions',
  );
  expect(row?.commits).toBeLessThan(42);
});

const made = (items: number) => Array.from({ length: items }, () => input());

test.each([5, 300])(
  'each of many batches of %i at once is stored whole or not at all, for its own reasons alone',
  async (rows) => {
    await using api = await startRunningApi();
    const [known, taken] = [input(), input()];
    expect((await postBatch(api, [known, taken])).status).toBe(200);
    const fresh = Array.from({ length: 10 }, () => made(rows));
    const repeating = [...made(rows - 1), known];
    const rival = [...made(rows - 1), { ...taken, amount: '1.00' }];
    const batches = [...fresh, repeating, rival];
    const answers = await Promise.all(batches.map((batch) => insistOnBatch(api, batch)));
    expect(answers.map(({ status }) => status)).toEqual([...new Array(11).fill(200), 422]);
    expect(answers[10]?.body).toMatchObject({ accepted: rows - 1, duplicates: 1 });
    expect(answers[11]?.body.errors).toEqual([
      {
        pointer: `/transactions/${rows - 1}/idempotency_key`,
        detail: expect.stringMatching(
          `^must be new: '${taken['idempotency_key']}' is the key of transaction [0-9a-f-]{36}, whose amount differs$`,
        ),
      },
    ]);
    await expectStoredAs(api, [...fresh, repeating], answers.slice(0, 11));
    expect(await count(api, 'transactions')).toBe(2 + 10 * rows + rows - 1);
  },
);

/** Every item of an accepted batch is answered with the id that its key stands for. */
async function expectStoredAs(
  api: RunningApi,
  batches: readonly (readonly Input[])[],
  answers: readonly Answer[],
): Promise<void> {
  const keys = batches.flat().map((one) => one['idempotency_key']);
  const stored = await api.testDatabase.sql<{ id: string }>(
    `select k.transaction_id::text as id
       from unnest($1::text[]) with ordinality as sent(key, at)
       join idempotency_keys k on digest = idempotency_digest('default', sent.key)
      order by sent.at`,
    [keys],
  );
  const answered = answers.flatMap(({ body }) =>
    body.results.map((result: { transaction_id: string }) => result.transaction_id),
  );
  expect(answered).toEqual(stored.map(({ id }) => id));
}

test('a key that another request holds delays its own request alone for long', async () => {
  await using api = await startRunningApi({ RISK_STATEMENT_TIMEOUT_MS: '20000' });
  const held = input();
  const claim = insertKey('(select client from market_0.api_keys limit 1)');
  const rival = await holdOpen(api.database, (query) =>
    query({ text: claim }, [held['idempotency_key']]),
  );
  const waiting = postOne(api, held);
  await waitUntil(
    async () => {
      const [row] = await api.testDatabase.sql<{ waiting: number }>(
        `select count(*)::int as waiting from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return row?.waiting === 1;
    },
    10_000,
    'the request to wait for the key',
  );
  const others = await Promise.all(Array.from({ length: 20 }, () => postOne(api, input())));
  expect(others.map(({ status }) => status)).toEqual(new Array(20).fill(201));
  await rival.letGo();
  expect((await waiting).status).toBe(201);
});

/**
 * Goal: each payment has the margin of the newest table up to its own day, whatever day it is scored on, and people can check it.
 * Method: tables with random points, an API and a worker, and the margins computed again from the stored vectors.
 */
import { setTimeout } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { textOfDay } from '../../../src/core/score/scorecard/day-table.ts';
import { marginBy } from '../../../src/core/score/scorecard/judge-by-table.ts';
import { createFindTable } from '../../../src/core/store/scorecards/find-tables.ts';
import { insertTable } from '../../../src/core/store/scorecards/scorecards.ts';
import { toVector } from '../../../src/core/store/scores/score-values.ts';
import { watchTables } from '../../../src/core/work/day-tables.ts';
import { followChanges } from '../../../src/kit/database/follow-changes.ts';
import { createRandom } from '../../../src/kit/random.ts';
import { newTable } from '../../support/day-tables.ts';
import { openForFile } from '../../support/open-for-file.ts';
import { randomTable } from '../../support/random-tables.ts';
import { runRisk } from '../../support/run-risk.ts';
import { startRunningApi } from '../../support/running-api.ts';
import { answerOf, input } from '../../support/submit.ts';
import { waitUntil } from '../../support/wait-until.ts';

const DAY_MS = 86_400_000;
const TODAY = Math.floor(Date.now() / DAY_MS);
const random = createRandom('judge by table');
const api = await openForFile(startRunningApi());
const { database } = api;

/** Days before today. */
async function storeTable(daysAgo: number): Promise<number> {
  const { table } = randomTable(random);
  const lifts = new Map([['type', { byValue: new Map([['cash', daysAgo]]), others: -0.25 }]]);
  const dated = { ...table, lifts, day: TODAY - daysAgo };
  return await insertTable(database.query, newTable(dated));
}

const [old, newer] = [await storeTable(5), await storeTable(2)];
await openForFile(api.startWorker());

type Stored = { id: string; at: Date; margin: number; scorecard: number | null; features: Buffer };
const stored = async () =>
  await database.query<Stored>({
    text: `select transaction_id::text as id, created_at as at, margin, scorecard, features from market.scores order by created_at`,
  });

async function post(daysAgo: readonly number[], count: number): Promise<readonly Stored[]> {
  const transactions = daysAgo.map((days, n) =>
    input({
      account_id: `acc_${n % 3}`,
      amount: `${20 + n}.50`,
      created_at: new Date((TODAY - days) * DAY_MS + n).toISOString(),
    }),
  );
  await api.post('/v1/transactions/batch', { transactions });
  await waitUntil(async () => (await stored()).length === count, 60_000, 'scores');
  return await stored();
}

test('a payment is judged by the newest table up to its day, and by the rules before the first', async () => {
  const rows = await post([6, 5, 3, 2, 0, 6, 4, 1], 8);
  for (const { at, scorecard } of rows) {
    const daysAgo = TODAY - Math.floor(at.getTime() / DAY_MS);
    expect(scorecard).toBe(daysAgo > 5 ? null : daysAgo > 2 ? old : newer);
  }
  const find = createFindTable(database.query);
  for (const { margin, scorecard, features } of rows) {
    const table = scorecard === null ? null : await find(scorecard);
    const vector = toVector(features);
    if (table === undefined) throw new Error('a score names a table that is stored');
    expect(margin).toBe(marginBy(table, vector));
  }
});

test('what would have been is compared with the market by the table that judged, or would judge', async () => {
  const [{ id = '' } = {}] = (await stored()).filter(({ scorecard }) => scorecard === old);
  const changed = await answerOf(
    await api.post(`/v1/transactions/${id}/what-if`, { type: 'cash' }),
  );
  const [lift] = changed.body.features;
  expect(lift).toMatchObject({ name: 'type_lift', value: 5 });
  expect(changed.body.features).toHaveLength(1);
  const liftAt = async (daysAgo: number) => {
    const created_at = new Date((TODAY - daysAgo) * DAY_MS).toISOString();
    const { idempotency_key: _, ...fields } = input({ type: 'cash', created_at });
    const { body } = await answerOf(await api.post('/v1/evaluate', fields));
    const { features } = body.explanation;
    return features.find(({ name }: { name: string }) => name === 'type_lift').value;
  };
  expect([await liftAt(6), await liftAt(5), await liftAt(0)]).toEqual([null, 5, 2]);
});

test('a table that is built while workers run judges within two seconds, and its scores are explained', async () => {
  const serial = await storeTable(1);
  const builtAt = performance.now();
  await waitUntil(async () => performance.now() - builtAt > 2000, 5000, 'two seconds');
  const rows = await post([1, 0], 10);
  const [judged] = rows.filter(({ scorecard }) => scorecard === serial);
  expect(rows.filter(({ scorecard }) => scorecard === serial)).toHaveLength(2);
  const { body } = await answerOf(await api.request(`/v1/scores/${judged?.id}/explanation`));
  expect(body.lineage.differing).toEqual([]);
  const { base, points, margin } = body.scorecard;
  expect(margin).toBe(judged?.margin);
  expect(points.reduce((sum: number, { points }: { points: number }) => sum + points, base)).toBe(
    margin,
  );
});

test('the command says the points of a payment in sentences', async () => {
  const [{ id = '', margin = 0 } = {}] = (await stored()).filter(
    ({ scorecard }) => scorecard !== null,
  );
  const { stdout } = await api.risk('scorecard', 'explain', id);
  const lines = stdout.trim().split('\n');
  expect(lines[0]).toContain(`the log-odds of fraud are ${margin.toFixed(1)}:`);
  expect(lines.length).toBeGreaterThan(10);
  const told = lines
    .slice(1)
    .map((line) => Number(/: ([+−-]?[\d.]+)$/.exec(line)?.[1]?.replace('−', '-')));
  expect(Math.abs(told.reduce((sum, points) => sum + points, 0) - margin)).toBeLessThan(
    0.06 * lines.length,
  );
  const [{ id: unjudged = '' } = {}] = (await stored()).filter(
    ({ scorecard }) => scorecard === null,
  );
  const refused = await api.risk('scorecard', 'explain', unjudged);
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringContaining(`no table judged ${unjudged}`),
  ]);
});

test('a margin that somebody changed is told', async () => {
  const [{ id = '' } = {}] = (await stored()).filter(({ scorecard }) => scorecard !== null);
  await api.testDatabase.sql(
    `alter table scores disable trigger user; update scores set margin = margin + 1e-9 where transaction_id = '${id}'`,
  );
  const { body } = await answerOf(await api.request(`/v1/scores/${id}/explanation`));
  expect(body.lineage.differing).toEqual(['margin']);
});

test('a table of a newer version judges nothing, and the log, doctor and answers say so', async () => {
  const today = textOfDay(TODAY);
  await api.testDatabase.sql(
    `insert into scorecards (serial, day, sha256, bytes, measures, payments, frauds, read_to)
     select 99, '${today}', sha256(bytes), bytes, '{}', 0, 0, '1' from (select '\\x0201'::bytea as bytes) newer`,
  );
  await setTimeout(2000);
  const before = new Set((await stored()).map(({ id }) => id));
  const rows = await post([0, 0], before.size + 2);
  const judged = rows.filter(({ id }) => !before.has(id));
  expect(judged.map(({ scorecard }) => scorecard)).toEqual([newer + 1, newer + 1]);
  const warn = vi.fn();
  using changes = followChanges(database, { warn });
  const judging = watchTables(database.query, changes, { warn }, async () => undefined);
  for (const _ of [1, 2]) {
    expect(await judging([TODAY * DAY_MS])).toMatchObject([{ serial: newer + 1 }]);
  }
  const said = `the table of ${today} has form 2 and this version reads 1`;
  expect(warn.mock.calls).toEqual([[expect.stringContaining(said)]]);
  const { stdout } = await runRisk(['doctor'], { DATABASE_URL: api.testDatabase.url });
  expect(stdout).toContain(said);
  const { status, body } = await answerOf(await api.request(`/v1/scorecards/${today}`));
  expect([status, body.detail]).toEqual([503, expect.stringContaining('ask a newer version')]);
});

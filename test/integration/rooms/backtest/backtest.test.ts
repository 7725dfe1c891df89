/**
 * Goal: a backtest counts what SQL counts, the same bytes each time, also where it was killed half-way or labels came later.
 * Method: some thousand stored rows with vectors; an API takes requests, and the duty of a worker, which is killed, runs them.
 */
import { expect, test } from 'vitest';
import { NO_MODELS } from '../../../../src/core/score/judge.ts';
import { detachMonth } from '../../../../src/core/store/partitions/detach-months.ts';
import { createLeadership } from '../../../../src/kit/duties/leadership.ts';
import { createMetrics } from '../../../../src/kit/metrics/metrics.ts';
import { monthOf } from '../../../../src/kit/words/month.ts';
import type { BacktestJson } from '../../../../src/rooms/backtest/backtest.ts';
import type { BandsJson } from '../../../../src/rooms/backtest/count/bands.ts';
import type { Report } from '../../../../src/rooms/backtest/count/report.ts';
import { openBacktests } from '../../../../src/rooms/backtest/duty.ts';
import { runBacktest } from '../../../../src/rooms/backtest/run.ts';
import { findNext } from '../../../../src/rooms/backtest/store/backtests.ts';
import { silentLog, testConfig } from '../../../support/config.ts';
import { spawnRisk } from '../../../support/risk.ts';
import {
  type Bands,
  countBands,
  countInSql,
  FROM_MS,
  KNOWN_BY,
  ROWS,
  source,
  storeHistory,
  TO_MS,
  WINDOW,
} from '../../../support/rooms/backtest/rig.ts';
import { openRunningApi } from '../../../support/running-api.ts';
import { storeLabels } from '../../../support/scored-rows.ts';
import { storeTransactions } from '../../../support/stored-rows.ts';
import { answerOf } from '../../../support/submit.ts';

const api = await openRunningApi();
await storeHistory(api.database);

type Answer = Omit<BacktestJson, 'report'> & { readonly report: Report | null };
async function ask(body: object): Promise<Answer> {
  const answered = await answerOf(await api.post('/v1/backtests', { ...WINDOW, ...body }));
  expect(answered, JSON.stringify(answered.body)).toMatchObject({ status: 202 });
  return answered.body as Answer;
}
const read = async (id: string) =>
  (await answerOf(await api.request(`/v1/backtests/${id}`))).body as Answer;

/** Runs what waits, as a worker does. */
async function runAll(): Promise<void> {
  await using leadership = createLeadership(api.database, 'test');
  const room = await openBacktests({
    ...{ config: testConfig({}), database: api.database, leadership },
    ...{ metrics: createMetrics(), log: silentLog(), openModels: async () => NO_MODELS },
  });
  await room.duties[0]?.run(new AbortController().signal);
}

/** Runs a page of what waits, and no more. */
async function runPage(): Promise<void> {
  const next = await findNext(api.database.query);
  if (next === undefined) throw new Error('nothing waits');
  const { signal } = new AbortController();
  const databases = { primary: api.database, replica: null, now: Date.now };
  const parts = { databases, models: NO_MODELS, writes: api.database, signal, untilMs: 0 };
  await runBacktest(parts, next);
}

async function finished(body: object): Promise<Answer & { readonly report: Report }> {
  const { backtest_id: id } = await ask(body);
  await runAll();
  const done = await read(id);
  expect(done, done.problem ?? '').toMatchObject({ state: 'done' });
  return done as Answer & { readonly report: Report };
}

test.each([null, 'US-MX'])('counts are those of SQL, of corridor %s', async (corridor) => {
  const { report } = await finished({
    source: source('tried@1'),
    ...(corridor === null ? {} : { corridor }),
  });
  const counted = await countInSql(api.database, 60, 60, corridor);
  const sum = (
    is: Partial<(typeof counted)[number]>,
    of: 'rows' | 'large' | 'many' | 'both' = 'rows',
  ) =>
    counted
      .filter((one) => Object.entries(is).every(([name, value]) => one[name as 'label'] === value))
      .reduce((total, one) => total + one[of], 0);
  expect(report.rows).toBe(sum({}));
  expect(report.rows).toBeGreaterThan(corridor === null ? ROWS - 1 : 500);
  for (const { verdict, ...labels } of report.subject.confusion) {
    for (const [label, rows] of Object.entries(labels)) {
      expect([verdict, label, rows]).toEqual([verdict, label, sum({ verdict, label })]);
    }
  }
  const caught = sum({ label: 'fraud' }) - sum({ label: 'fraud', verdict: 'approve' });
  const alarms = sum({ label: 'legitimate' }) - sum({ label: 'legitimate', verdict: 'approve' });
  const { precision, recall, f1 } = report.subject.alerts;
  expect(precision?.value).toBeCloseTo(caught / (caught + alarms), 12);
  expect(recall?.value).toBeCloseTo(caught / sum({ label: 'fraud' }), 12);
  expect(f1?.value).toBeCloseTo((2 * caught) / (caught + alarms + sum({ label: 'fraud' })), 12);
  const [large, many, none] = report.rules;
  expect(large).toMatchObject({
    hits: sum({}, 'large'),
    without: { alerts: sum({}, 'large') - sum({}, 'both') },
  });
  expect(many).toMatchObject({
    hits: sum({}, 'many'),
    overlaps: [{ id: 'large', rows: sum({}, 'both') }],
  });
  expect(none).toMatchObject({ hits: 0, precision: null, overlaps: [] });
  for (const { currency, fraud_stopped } of report.subject.money) {
    const stopped = counted.filter(
      (one) => one.currency === currency && one.verdict === 'decline' && one.label === 'fraud',
    );
    const amount = stopped.reduce((total, one) => total + Number(one.amount), 0);
    expect(Number(fraud_stopped)).toBeCloseTo(amount, 6);
  }
});

async function readBands(id: string, { review, decline }: Bands, corridor?: string) {
  const only = corridor === undefined ? '' : `&corridor=${corridor}`;
  const path = `/v1/backtests/${id}/bands?review=${review}&decline=${decline}${only}`;
  return (await answerOf(await api.request(path))).body as BandsJson;
}

test('other bands give what SQL counts, of all corridors and of one', async () => {
  const { backtest_id: id, report } = await finished({ source: source('banded@1') });
  const isCounted = async (side: BandsJson['after'], bands: Bands, corridor: string | null) =>
    expect(side.confusion).toEqual(await countBands(api.database, bands, corridor));
  const [own, other] = [
    { review: 500, decline: 800 },
    { review: 650, decline: 881 },
  ];
  const all = await readBands(id, other);
  await isCounted(all.before, own, null);
  await isCounted(all.after, other, null);
  for (const { corridor, after } of all.corridors) await isCounted(after, other, corridor);
  const one = await readBands(id, other, 'US-MX');
  expect(one.corridors.map(({ corridor, bands_after }) => [corridor, bands_after])).toEqual([
    ['US-EG', own],
    ['US-MX', other],
  ]);
  for (const { corridor, before, after, bands_after } of one.corridors) {
    await isCounted(before, own, corridor);
    await isCounted(after, bands_after, corridor);
  }
  const alerts = one.days.reduce((sum, { alerts_after }) => sum + alerts_after, 0);
  expect(alerts / report.days).toBeCloseTo(one.after.alerts_per_day, 2);
  const text = `delete from market.backtest_days where day = (select min(day) from market.backtest_days)`;
  await api.database.query({ text });
  expect(await readBands(id, other)).toMatchObject({ status: 409 });
});

test('flips are those of SQL, with rows to open', async () => {
  const { report } = await finished({ source: source('tried@2', 40) });
  expect([report.against.version, report.left_out]).toEqual(['default@4', []]);
  const counted = await countInSql(api.database, 40, 40, null);
  const flagged = counted.filter(({ verdict }) => verdict !== 'approve');
  const fromApprove = report.flips.filter(({ from }) => from === 'approve');
  expect(fromApprove.reduce((total, { rows }) => total + rows, 0)).toBe(
    flagged.reduce((total, { rows }) => total + rows, 0),
  );
  const frauds = flagged.filter(({ label }) => label === 'fraud');
  expect(report.changes.frauds_newly_caught).toBe(
    frauds.reduce((total, { rows }) => total + rows, 0),
  );
  for (const { examples, fraud } of fromApprove) {
    expect(examples.filter(({ label }) => label === 'fraud')).toHaveLength(Math.min(fraud, 10));
  }
});

test('a run page by page, and one that is killed and resumed, give the same bytes', async () => {
  const tried = { source: source('tried@4', 30) };
  const { report_sha256: whole, backtest_id: first } = await finished(tried);
  const { backtest_id: id } = await ask(tried);
  for (let page = 0; page < 3; page++) await runPage();
  const begun = await read(id);
  expect(begun).toMatchObject({ state: 'running', rows_read: 1500 });
  await using worker = spawnRisk(['worker'], {
    DATABASE_URL: api.testDatabase.url,
    REDIS_URL: api.redisService.url,
    RISK_TEST_FAILPOINT: 'leader-before-end-backtest',
  });
  expect(await worker.exited).toMatchObject({ signal: 'SIGKILL' });
  expect(await read(id)).toMatchObject({ state: 'running', report: null });
  await api.database.query({ text: 'update market.leaderships set expires_at = now()' });
  await runAll();
  expect(await read(id)).toMatchObject({ state: 'done', report_sha256: whole, progress: 1 });
  const bands = { review: 400, decline: 650 };
  expect(await readBands(id, bands)).toEqual(await readBands(first, bands));
});

test('rows and labels that come later do not move a report', async () => {
  const tried = { source: source('tried@5', 30) };
  const before = await finished(tried);
  const [row] = await api.database.query<{ id: string; at: Date }>({
    text: 'select transaction_id as id, created_at as at from market.scores order by 1 limit 1',
  });
  const createdAtMs = row?.at.getTime() ?? 0;
  const lateMs = Date.parse(KNOWN_BY) + 1;
  await storeLabels(api.database, [
    { id: row?.id ?? '', createdAtMs, label: 'fraud', labelledAtMs: lateMs },
  ]);
  const late = { createdAtMs: FROM_MS + 5, receivedAtMs: lateMs, score: 0 };
  await storeTransactions(api.database, [late]);
  expect((await finished(tried)).report_sha256).toBe(before.report_sha256);
  const known = { ...tried, known_by: new Date(lateMs + 1000).toISOString() };
  expect((await finished(known)).report_sha256).not.toBe(before.report_sha256);
});

test('what waits is cancelled', async () => {
  const { backtest_id: id } = await ask({ rule_set: 'default@4' });
  const cancel = async () => await answerOf(await api.post(`/v1/backtests/${id}/cancel`, {}));
  await runPage();
  const ended = { state: 'cancelled', cancelled_by: 'key of RISK_BOOTSTRAP_KEY' };
  expect((await cancel()).body).toMatchObject(ended);
  expect((await cancel()).body).toMatchObject(ended);
  const { items } = (await answerOf(await api.request('/v1/audit?limit=3'))).body;
  expect(items.filter(({ subject }: { subject: string }) => subject === id)).toMatchObject([
    { action: 'backtest.cancel', after: { rows_read: 500 } },
    { action: 'backtest.request', after: { version: 'default@4', from: WINDOW.from } },
  ]);
  const bands = await api.request(`/v1/backtests/${id}/bands?review=400&decline=800`);
  expect(bands.status).toBe(409);
  await runAll();
  expect(await read(id)).toMatchObject({ state: 'cancelled', report: null });
});

test('what was cancelled is resumed behind what it has counted, and gives the same bytes', async () => {
  const whole = await finished({ rule_set: 'default@4' });
  const { backtest_id: id } = await ask({ rule_set: 'default@4', known_by: whole.known_by });
  const send = async (step: string) =>
    await answerOf(await api.post(`/v1/backtests/${id}/${step}`, {}));
  await runPage();
  const { rows_read: rows } = (await send('cancel')).body;
  expect(rows).toBeGreaterThan(0);
  expect((await send('resume')).body).toMatchObject({ state: 'queued', rows_read: rows });
  expect((await send('resume')).status).toBe(200);
  await runAll();
  expect(await read(id)).toMatchObject({ state: 'done', report_sha256: whole.report_sha256 });
  const again = await send('resume');
  expect([again.status, again.body.code]).toEqual([409, 'BACKTEST_ENDED']);
});

test('a month that is detached is no part of a report, before it begins or while it runs', async () => {
  const { backtest_id: id } = await ask({ rule_set: 'default@4' });
  await runPage();
  const month = monthOf(TO_MS);
  await detachMonth(api.database, month);
  await runAll();
  expect(await read(id)).toMatchObject({ state: 'failed', report: null });
  const refused = await answerOf(
    await api.post('/v1/backtests', { ...WINDOW, rule_set: 'default@4' }),
  );
  expect(refused).toMatchObject({
    status: 409,
    body: { detail: '2026-10 is detached: its rows cannot be read.' },
  });
});

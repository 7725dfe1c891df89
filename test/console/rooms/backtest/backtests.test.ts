/**
 * Goal: an analyst asks what a draft would have decided, ends and resumes the run, and reads the report, also beside another
 * one. Method: an engine with a sample scored and labelled, and Chromium.
 */
import { beforeAll, expect, test } from 'vitest';
import { insertPersonKey } from '../../../support/people.ts';
import { answerOf, labelInput, postLabels } from '../../../support/submit.ts';
import { heading } from '../../support/log-in.ts';
import { inspect } from '../../support/pages.ts';
import { setUpConsole } from '../../support/set-up.ts';
import { logInAs } from '../../support/walk.ts';

const it = setUpConsole();
const DAY_MS = 86_400_000;
const TEN_DAYS_AGO = new Date(Date.now() - 10 * DAY_MS).toISOString().slice(0, 10);
const TOMORROW = new Date(Date.now() + DAY_MS).toISOString().slice(0, 10);
const WITHIN_MS = 30_000;
let ann: string;
beforeAll(async () => {
  const { api } = it.engine;
  ann = await insertPersonKey(api.testDatabase, 'Ann', ['analyst']);
  const rows = await api.testDatabase.sql<{ id: string; score: number }>(
    'select transaction_id as id, score from scores order by transaction_id',
  );
  const labels = rows.flatMap(({ id, score }, at) => {
    if (at % 3 > 0) return [];
    const isFraud = score >= 450 ? at % 2 === 0 : at % 60 === 0;
    return [labelInput({ transaction_id: id, label: isFraud ? 'fraud' : 'legitimate' })];
  });
  expect((await postLabels(api, labels)).status).toBeLessThan(300);
  // Scores and labels of the last minute do not count.
  await api.testDatabase.sql(`update scores set scored_at = scored_at - interval '10 minutes'`);
  await api.testDatabase.sql(`update labels set received_at = received_at - interval '4 minutes'`);
  const { source } = await send('GET', '/v1/rule-sets/default@4');
  for (const id of ['careful@1', 'bold@1', 'bold@2']) {
    const all = { review: id === 'careful@1' ? 300 : 700, decline: 900 };
    const draft = { ...source, id, verdicts: { all } };
    expect(await send('POST', '/v1/rule-sets', draft)).toMatchObject({ state: 'draft' });
  }
});

async function send(method: string, path: string, body?: object) {
  const headers = { Authorization: `Bearer ${ann}`, 'Content-Type': 'application/json' };
  const content = body === undefined ? {} : { body: JSON.stringify(body) };
  return (await answerOf(await it.engine.api.request(path, { method, headers, ...content }))).body;
}
const as = (path: string, title: string, options = {}) =>
  logInAs(it.engine, it.browser, ann, [path, title], options);

test('a draft is backtested from the editor by the keyboard; the run is cancelled, resumed and reported', async () => {
  const { worker } = it.engine;
  await using page = await as('/rules/careful%401', 'careful@1');
  worker.kill('SIGSTOP');
  try {
    await page.getByRole('link', { name: 'Backtest it' }).press('Enter');
    await heading(page, 'Backtests').waitFor();
    await expect
      .poll(() => page.getByLabel('Rule set', { exact: true }).inputValue())
      .toBe('careful@1');
    await page.keyboard.press('n');
    await page.getByLabel('From, day in UTC').fill(TEN_DAYS_AGO);
    await page.getByLabel('To, exclusive').fill(TOMORROW);
    await page.keyboard.press('Enter');
    await heading(page, 'Backtest').waitFor();
    await page.getByText('It waits: workers run one at a time').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).press('Enter');
    await page.getByText('Resumed, it goes on').waitFor();
    expect(await inspect(page, 'backtest-cancelled-1280-light')).toEqual([]);
    await page.getByRole('button', { name: 'Resume' }).press('Enter');
    await page.getByText('It waits: workers run one at a time').waitFor();
  } finally {
    worker.kill('SIGCONT');
  }
  await page.getByRole('heading', { name: 'careful@1 instead of' }).waitFor({ timeout: WITHIN_MS });
  const [one] = (await send('GET', '/v1/backtests')).items;
  expect(one).toMatchObject({ state: 'done', version: 'careful@1', requested_by: 'Ann' });
  const { report } = await send('GET', `/v1/backtests/${one.backtest_id}`);
  const figures = page.getByRole('region', { name: 'Figures' });
  const shown = await figures
    .getByRole('row', { name: 'Alerts a day' })
    .getByRole('cell')
    .allTextContents();
  expect(Number(shown[1])).toBeCloseTo(report.subject.alerts_per_day, 0);
  await page.getByRole('button', { name: 'rows from approve to review' }).press('Enter');
  const rows = page.getByRole('region', { name: 'From approve to review' });
  const slider = page.getByLabel('Flag from this score on');
  await slider.fill('300');
  const { alerts_per_day: alerts } = report.curve.find(
    (at: { threshold: number }) => at.threshold >= 300,
  );
  await page.getByText(`careful@1 from 300 on: ${alerts}`, { exact: false }).waitFor();
  await rows.getByRole('link').first().press('Enter');
  await heading(page, 'Transaction').waitFor();
});

test('two reports stand on one page, and other rows are told', async () => {
  const window = { from: TEN_DAYS_AGO, to: TOMORROW };
  await send('POST', '/v1/backtests', { ...window, rule_set: 'bold@1' });
  await send('POST', '/v1/backtests', { ...window, rule_set: 'bold@2', corridor: 'US-EG' });
  const isDone = async () => {
    const { items } = await send('GET', '/v1/backtests');
    return items.every(({ state }: { state: string }) => state === 'done');
  };
  await expect.poll(isDone, { timeout: WITHIN_MS }).toBe(true);
  await using page = await as('/backtests', 'Backtests');
  await page.getByRole('link', { name: 'careful@1' }).press('Enter');
  const compare = page.getByLabel('Compare with');
  await compare.selectOption({ label: `bold@1, ${TEN_DAYS_AGO} to ${TOMORROW}, all corridors` });
  await page.getByRole('heading', { name: 'Rules of bold@1' }).waitFor();
  const heads = page.getByRole('region', { name: 'Figures' }).getByRole('columnheader');
  expect(await heads.allTextContents()).toEqual(['Figure', 'careful@1', 'bold@1', 'default@4']);
  await compare.selectOption({ label: `bold@2, ${TEN_DAYS_AGO} to ${TOMORROW}, US-EG` });
  await page.getByText('The rows differ').waitFor();
  expect(await inspect(page, 'backtest-compare-1280-light')).toEqual([]);
});

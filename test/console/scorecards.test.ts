/**
 * Goal: the page of the scorecards shows what a table has learnt, in both themes and widths, and what is missing while it has not.
 * Method: an engine with made days, tables by the command, and Chromium.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { textOfDay } from '../../src/core/score/scorecard/day-table.ts';
import { setControl } from '../support/controls.ts';
import { makeDay, storeLabelled } from '../support/made-days.ts';
import { insertPersonKey } from '../support/people.ts';
import { learntTable, POLICY_1, storeTable, storeUntaken } from '../support/policies.ts';
import { runRisk } from '../support/run-risk.ts';
import { answerOf } from '../support/submit.ts';
import { heading } from './support/log-in.ts';
import { inspect, isWider, LOOKS, settle, shoot } from './support/pages.ts';
import { setUpConsole } from './support/set-up.ts';
import { logInAs } from './support/walk.ts';

const it = setUpConsole();
const TODAY = Math.floor(Date.now() / 86_400_000);
const NEWEST = TODAY;
/** Days before today from which on payments are made, and on which tables are built. */
const [FROM, FIRST, SECOND] = [80, 61, 1];
const UNLEARNT = textOfDay(TODAY - FIRST);

async function build(day: number): Promise<void> {
  const { url, market } = it.engine.api.testDatabase;
  const environment = { DATABASE_URL: url, RISK_MARKET: market };
  const { code, stderr } = await runRisk(
    ['scorecard', 'build', '--day', textOfDay(day)],
    environment,
  );
  expect(code, stderr).toBe(0);
}

async function store(from: number, to: number, scorecard: number | null): Promise<void> {
  const { database } = it.engine.api;
  for (let day = TODAY - from; day < TODAY - to; day++) {
    const made = makeDay(day, 100);
    await storeLabelled(database, made, scorecard);
  }
}

beforeAll(async () => {
  await store(FROM, FIRST + 9, null);
  await build(TODAY - FIRST);
  const [table] = await it.engine.api.testDatabase.sql<{ serial: number }>(
    'select serial from scorecards',
  );
  await store(FIRST + 9, SECOND + 9, table?.serial ?? null);
  await build(TODAY - SECOND);
  await build(NEWEST);
});

describe.each(LOOKS)('at %s px, %s %s', (width, viewport, colorScheme) => {
  test('a table is complete, and says what it lacks before it has learnt', async () => {
    await using tab = await it.logIn({ viewport, colorScheme });
    await it.open(tab, '/scorecards');
    await settle(tab, 'Stopped');
    await shoot(tab, `scorecard-whole-${width}-${colorScheme}`, { isWhole: true });
    const found = await inspect(tab, `scorecard-${width}-${colorScheme}`);
    await it.open(tab, `/scorecards/${UNLEARNT}`);
    await settle(tab, / of 50 known frauds$/);
    found.push(...(await inspect(tab, `scorecard-unlearnt-${width}-${colorScheme}`)));
    expect(found).toEqual([]);
    expect(await tab.getByText('No week has matured since').count()).toBe(1);
  });
});

test('measures are opened by the keyboard and by the list, and a curve has the points of its buckets', async () => {
  await using tab = await it.logIn();
  await tab.keyboard.press('g');
  await tab.keyboard.press('n');
  await heading(tab, 'Scorecards').waitFor();
  const titled = (name: string) => tab.getByRole('heading', { name, level: 2 }).waitFor();
  await titled('Points of amount to median');
  const { body } = await answerOf(
    await it.engine.api.request(`/v1/scorecards/${textOfDay(NEWEST)}`),
  );
  const known = body.measures.find(
    ({ measure }: { measure: string }) => measure === 'amount_to_median',
  );
  const said = (await tab.getByRole('img').getAttribute('aria-label')) ?? '';
  const points = said
    .replace(/\.$/, '')
    .split('; ')
    .map((bucket) => Number(bucket.split(': ').at(-1)));
  expect(points).toHaveLength(32);
  for (const [at, value] of points.entries()) expect(value).toBeCloseTo(known.points[at], 2);
  await tab.keyboard.press('j');
  await tab.keyboard.press('j');
  await tab.keyboard.press('Enter');
  await tab.waitForURL(/\?measure=/);
  const [, second] = await tab.getByRole('region', { name: 'Measures' }).getByRole('link').all();
  await titled(`Points of ${await second?.textContent()}`);
  await tab.getByLabel('Measure', { exact: true }).selectOption('hour');
  await titled('Points of hour');
  await tab.setViewportSize({ width: 375, height: 800 });
  expect(await isWider(tab)).toBe(false);
  await tab.getByLabel('Day', { exact: true }).selectOption(UNLEARNT);
  await titled('What is missing');
});

test('a payment shows the points of its measures, and the table that gave them', async () => {
  const [judged] = await it.engine.api.testDatabase.sql<{ id: string }>(
    'select transaction_id as id from scores where scorecard is not null limit 1',
  );
  await using tab = await it.logIn();
  await it.open(tab, `/transactions/${judged?.id}`);
  await settle(tab, 'Its log-odds of fraud are');
  await tab.getByRole('link', { name: `Table of ${UNLEARNT}` }).click();
  await heading(tab, 'Scorecards').waitFor();
  expect(await tab.getByLabel('Day', { exact: true }).inputValue()).toBe(UNLEARNT);
});

test('a backtest may ask what the scorecard would have decided', async () => {
  await using tab = await it.logIn();
  await it.open(tab, '/backtests');
  await tab.getByLabel('Model', { exact: true }).selectOption('scorecard');
  const sent = tab.waitForRequest((request) => request.method() === 'POST');
  await tab.getByRole('button', { name: 'Ask' }).click();
  expect((await sent).postDataJSON()).toMatchObject({ model: 'scorecard' });
  await heading(tab, 'Backtest').waitFor();
});

/** Opens the page of the scorecards as a risk officer. */
async function as(name: string) {
  const key = await insertPersonKey(it.engine.api.testDatabase, name, ['risk_officer']);
  return await logInAs(it.engine, it.browser, key, ['/scorecards', 'Scorecards']);
}
type Tab = Awaited<ReturnType<typeof as>>;
async function send(tab: Tab, action: string, reason = 'it catches twice as many'): Promise<void> {
  const dialog = tab.getByRole('dialog');
  await dialog.getByLabel('Reason').fill(reason);
  await dialog.getByRole('button', { name: action, exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
}

test('two people take a table that waits, and one person refuses it and allows it again', async () => {
  const day = textOfDay(await storeUntaken(it.engine.api.testDatabase, NEWEST + 1));
  await using max = await as('Max');
  const state = (tab: Tab, said: string) =>
    tab.getByRole('row', { name: day }).getByText(said, { exact: true }).waitFor();
  await state(max, 'waits');
  expect(await inspect(max, 'nights-1280-light')).toEqual([]);
  await max.getByRole('button', { name: `Take ${day}` }).click();
  await send(max, 'Take');
  await using ida = await as('Ida');
  await ida.getByRole('button', { name: `Confirm ${day}` }).click();
  await ida.getByRole('dialog').getByRole('button', { name: 'Confirm' }).click();
  await state(max, 'taken');
  await max.getByRole('button', { name: `Refuse ${day}` }).click();
  await send(max, 'Refuse');
  await state(max, 'refused');
  await max.getByRole('button', { name: `Allow ${day}` }).click();
  await send(max, 'End');
  await state(max, 'taken');
  await max.setViewportSize({ width: 375, height: 800 });
  expect(await isWider(max)).toBe(false);
});

test('one person proposes a policy, another confirms it, and each alone freezes, thaws and ends it', async () => {
  const { api } = it.engine;
  for (const day of [TODAY - SECOND, TODAY])
    await setControl(api.database, 'stop', `model:scorecard@${textOfDay(day)}`);
  await storeTable(api.testDatabase, learntTable('console', { day: TODAY - SECOND - 1 }).table);
  await using kim = await as('Kim');
  await kim.getByText('No policy is in force').waitFor();
  await kim.getByRole('button', { name: 'Propose a policy' }).click();
  await kim.getByLabel('Reviewed or declined').fill('2');
  expect(await inspect(kim, 'policy-proposed-1280-light')).toEqual([]);
  await send(kim, 'Propose');
  await kim.getByText(`${POLICY_1} is proposed`).waitFor();
  expect(await kim.getByRole('button', { name: `Confirm ${POLICY_1}` }).count()).toBe(0);
  await using lee = await as('Lee');
  await lee.getByRole('link', { name: 'backtest', exact: true }).click();
  await heading(lee, 'Backtests').waitFor();
  expect(await lee.getByLabel('Model', { exact: true }).inputValue()).toBe(POLICY_1);
  expect(await lee.getByLabel('To, exclusive').inputValue()).toBe(textOfDay(TODAY - 14));
  await lee.getByRole('button', { name: 'Ask' }).click();
  await heading(lee, 'Backtest').waitFor();
  await it.open(lee, '/scorecards');
  await lee.getByRole('button', { name: `Confirm ${POLICY_1}` }).click();
  await lee.getByRole('dialog').getByRole('button', { name: 'Confirm' }).click();
  await lee.getByText('in force', { exact: true }).waitFor();
  expect(await lee.getByText('2 %', { exact: true }).count()).toBe(1);
  await shoot(lee, 'policy-in-force-1280-light', { isWhole: true });
  expect(await inspect(lee, 'policy-1280-light')).toEqual([]);
  await lee.setViewportSize({ width: 375, height: 800 });
  expect(await isWider(lee)).toBe(false);
  for (const [button, action, then] of [
    ['Freeze', 'Freeze', 'frozen'],
    ['Thaw', 'End', 'in force'],
    ['End', 'End', 'No policy is in force: margins decide nothing.'],
  ] as const) {
    await lee.getByRole('button', { name: `${button} ${POLICY_1}` }).click();
    await send(lee, action);
    await lee.getByText(then, { exact: true }).waitFor();
  }
});

/**
 * Goal: an operator sees at a glance what waits, what will be late and how many people it takes, and what rules did. Method: an
 * engine whose review cases are made older while Chromium shows them.
 */
import { expect, test } from 'vitest';
import { count } from '../../../../console/src/format.ts';
import { openCasesOf } from '../../../support/rooms/review/cases.ts';
import { heading } from '../../support/log-in.ts';
import { inspect } from '../../support/pages.ts';
import { setUpConsole } from '../../support/set-up.ts';
import { logInAs } from '../../support/walk.ts';

const it = setUpConsole();
const LIVE_MS = 20_000;

const sql = <Row extends object>(text: string, values: unknown[] = []) =>
  it.engine.api.testDatabase.sql<Row>(text, values);
const openCases = (count: number) =>
  openCasesOf(
    it.engine.api.testDatabase,
    it.engine.api.database,
    Array.from({ length: count }, () => ({})),
  );
const asOperator = async (path: string, name: string) =>
  logInAs(it.engine, it.browser, await it.engine.keyOf('operator'), [path, name]);

test('an operator’s night: the depth grows, a case is near its deadline, dead letters are replayed', async () => {
  await using page = await asOperator('/workload', 'Workload');
  await page.getByText('Live', { exact: true }).waitFor();
  const tile = (name: string) =>
    page.locator('.tiles > div').filter({ hasText: name }).locator('strong').textContent();
  const waiting = async () => Number((await tile('Waiting'))?.replaceAll(',', ''));
  // "Live" says that the connection stands; the first figures come after that.
  await expect.poll(waiting, { timeout: LIVE_MS }).toBeGreaterThan(0);
  const before = await waiting();
  const [late = '', near = '', old = ''] = await openCases(30);
  await expect.poll(waiting, { timeout: LIVE_MS }).toBe(before + 30);

  const dueIn = (id: string, minutes: number) =>
    sql(
      `update review_cases set due_at = now() + $2::int4 * interval '1 minute' where transaction_id = $1`,
      [id, minutes],
    );
  await dueIn(near, 11);
  await dueIn(late, -5);
  const due = page.getByRole('region', { name: 'Due next' }).locator('tbody tr');
  await expect.poll(() => due.first().textContent(), { timeout: LIVE_MS }).toContain('late');
  expect(await due.nth(1).textContent()).toMatch(/in 1[01] min/);
  expect(await tile('Deadline missed')).toBe('1');
  await page.getByText('1 more within 30 min').waitFor();

  await sql(
    `update review_cases set opened_at = now() - interval '9 hours' where transaction_id = $1`,
    [old],
  );
  await page.getByText('1 case is older than 8 h').waitFor();
  await page.getByText('The policy suggests to tighten the corridor').waitFor();
  await sql(
    `update review_cases set locked_by = 'Ann', locked_until = now() + interval '1 hour' where transaction_id = $1`,
    [near],
  );
  await sql(
    `update review_cases set state = 'confirming', disposition = 'fraud', decision_reason = 'seen', decided_by = 'Dee',
            decided_at = now(), due_at = now() - interval '1 minute' where transaction_id = $1`,
    [old],
  );
  await due.getByText('to be confirmed; Dee proposed').waitFor();
  await sql(
    `update review_cases set escalated_by = 'Cy', escalated_at = now() where transaction_id = $1`,
    [late],
  );
  await due.getByText('escalated, claimed by nobody').waitFor();
  const waits = `${count(await waiting())} cases wait`;
  await page.getByText(`${waits}, `).waitFor();
  const officers = page.getByRole('region', { name: 'Officers' });
  await officers.getByText('Ann').waitFor();
  await page.getByRole('region', { name: 'Review by corridor' }).getByText('US-EG').waitFor();
  expect(await inspect(page, 'workload-night-1280-light')).toEqual([]);

  await page.keyboard.press('g');
  await page.keyboard.press('d');
  await heading(page, 'Dead letters').waitFor();
  await page.getByRole('button', { name: 'replay CRASHES_WORKER in US-EG' }).click();
  await page.getByRole('button', { name: 'Replay', exact: true }).click();
  await page.getByText('26 replayed.').waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('c');
  const corridor = page.getByRole('region', { name: 'Corridors', exact: true });
  await corridor.getByText('US-EG').waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('p');
  await heading(page, 'Workload').waitFor();
});

test('what is measured is told, and what is entered is calculated: 1,500 reviews take two officers more', async () => {
  await using page = await asOperator('/workload', 'Workload');
  const enter = (label: string, value: string) =>
    page.getByLabel(label, { exact: true }).fill(value);
  await enter('Transactions a day', '5000');
  await enter('Auto-cleared, %', '70');
  await enter('Reviews an hour, each', '20');
  await enter('Officers', '10');
  await page.getByRole('button', { name: 'Calculate' }).click();
  await page.getByText('1,500 reviews a day keep 10 officers 93.8% busy').waitFor();
  await page.getByText('hire 2 more').waitFor();
  await enter('Growth a month, %', '10');
  await page.getByRole('button', { name: 'Calculate' }).click();
  const table = page.getByRole('region', { name: 'Projection by month' });
  await table.getByText('in 12', { exact: true }).waitFor();
  // 5,000 · 1.1¹² = 15,692 transactions, of which 4,708 are reviewed at 160 an officer.
  const last = await table.locator('tbody tr').last().locator('td').allTextContents();
  expect(last).toEqual(['in 12', '15,692', '4,708', '30', '37']);
  await table.scrollIntoViewIfNeeded();
  expect(await inspect(page, 'capacity-1280-light')).toEqual([]);
  await enter('Growth a month, %', '5000');
  await page.getByRole('button', { name: 'Calculate' }).click();
  await page.getByText('must be a number from 0 to 1').waitFor();
  await page.getByRole('button', { name: 'As measured' }).click();
  await expect.poll(() => page.getByText('must be a number').count()).toBe(0);
});

test('rules show their numbers, their hits and what became of them', async () => {
  await using page = await it.logIn();
  await it.open(page, '/rules');
  const table = page.getByRole('region', { name: 'Rules', exact: true });
  await table.waitFor();
  const [{ name, hits } = { name: '', hits: 0 }] = await sql<{ name: string; hits: number }>(
    `select lower(replace(outcome, '_', ' ')) as name, sum(count)::int as hits
       from (select * from daily_tallies union all select * from daily_increments) t
      where outcome ~ '^[A-Z]' and day > (now() at time zone 'UTC')::date - 7 group by 1 order by 2 desc limit 1`,
  );
  expect(hits).toBeGreaterThan(0);
  const row = table.locator('tr').filter({ hasText: name });
  const text = (index: number) => row.locator('td').nth(index).textContent();
  expect(Number((await text(2))?.replaceAll(',', ''))).toBe(hits);
  const first = () => table.locator('tbody tr[data-index="0"]').textContent();
  await table.getByRole('button', { name: 'Hits' }).click();
  expect(await first()).toContain(name);
  await table.getByRole('button', { name: 'Hits' }).click();
  expect(await first()).not.toContain(name);
  const sorted = table.getByRole('columnheader', { name: 'Hits' });
  expect(await sorted.getAttribute('aria-sort')).toBe('ascending');
  expect(await row.getByRole('link').first().getAttribute('href')).toContain(
    `reason=${name.toUpperCase().replaceAll(' ', '_')}&from=`,
  );
  await inspect(page, 'rules-sorted-1280-light');
  await page.getByRole('button', { name: '28 days' }).click();
  await page.getByText('scores from').waitFor();
  await table.getByRole('button', { name: 'velocity count 1h' }).click();
  const dialog = page.getByRole('dialog', { name: 'velocity count 1h' });
  await dialog.getByText('VELOCITY_COUNT_1H').waitFor();
  expect(await dialog.locator('tbody tr').count()).toBe(4);
  await dialog.getByText('count_1h (transactions): Siblings of the last hour.').waitFor();
  expect(await inspect(page, 'rule-1280-light')).toEqual([]);
  await page.keyboard.press('Escape');
});

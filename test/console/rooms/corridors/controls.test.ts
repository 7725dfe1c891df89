/**
 * Goal: a person stops a corridor with two keys and a reason, everybody sees it, and starts it again; another
 * person resumes a frozen corridor and raises a limit. Method: an engine and Chromium.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { Kind } from '../../../../src/core/domain/control-kinds.ts';
import type { Role } from '../../../../src/kit/words/principal.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { putControl } from '../../../support/rooms/corridors/requests.ts';
import { heading } from '../../support/log-in.ts';
import { inspect, LOOKS, settle } from '../../support/pages.ts';
import { setUpConsole } from '../../support/set-up.ts';
import { logInAs, walk } from '../../support/walk.ts';

const shown = setUpConsole();
const PAGE = ['/controls', 'Controls'] as const;

afterEach(() =>
  shown.engine.api.testDatabase.sql(`delete from controls;
    update approvals set withdrawn_by = 'Ann', withdrawn_at = now() where confirmed_at is null and withdrawn_at is null`),
);

const set = async (kind: Kind, scope: string, more: object = {}, key?: string) => {
  const { status } = await putControl(shown.engine.api, kind, scope, more, key);
  expect(status).toBe(200);
};
const stop = (scope: string, more: object = {}) =>
  set('stop', scope, { reason: 'payouts fail at the bank', ...more });
const limit = (scope: string, rate: number, key?: string) =>
  set('limit-transactions', scope, { rate_per_second: rate, burst: rate * 2 }, key);
const as = async (name: string, ...roles: Role[]) => {
  const key = await insertPersonKey(shown.engine.api.testDatabase, name, roles);
  return await logInAs(shown.engine, shown.browser, key, PAGE);
};

test('an operator stops a corridor by keys, each page says so, and it is started with a reason', async () => {
  const key = await shown.engine.keyOf('operator', 'analyst');
  await using page = await logInAs(shown.engine, shown.browser, key, ['/', 'Overview']);
  await page.keyboard.press('g');
  await page.keyboard.press('s');
  await page.getByText('Nothing is bounded').waitFor();
  await page.keyboard.press('c');
  await page.getByLabel('Scope', { exact: true }).selectOption('corridor:US-EG');
  await page.getByLabel('Reason').fill('payouts fail at the bank');
  await page.keyboard.press('Enter');
  await page.getByRole('cell', { name: 'payouts fail at the bank' }).waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('o');
  await heading(page, 'Overview').waitFor();
  await page.getByText('The corridor US-EG is stopped').waitFor();
  await page.getByRole('main').getByRole('link', { name: 'Controls' }).click();
  await page.getByRole('button', { name: 'End stop: The corridor US-EG' }).click();
  await page.getByLabel('Reason').fill('the bank answers again');
  await page.keyboard.press('Enter');
  await page.getByText('Nothing is bounded').waitFor();
});

test('a corridor is frozen by keys, is drained, and is resumed by another person', async () => {
  await using ann = await as('Ann', 'risk_officer', 'analyst');
  await ann.getByText('Nothing is bounded').waitFor();
  await ann.keyboard.press('f');
  await ann.getByLabel('Scope', { exact: true }).selectOption('corridor:US-EG');
  await ann.getByLabel('Reason').fill('a wave of stolen cards');
  await ann.keyboard.press('Enter');
  const frozen = ann.getByRole('region', { name: 'In force' });
  await frozen.getByText('drained').waitFor();
  await frozen.getByText('Release no value.').waitFor();
  const others = 'another person than Ann with the role risk_officer or admin ends it';
  await frozen.getByText(others).waitFor();
  await using cy = await as('Cy', 'operator');
  await cy.getByText(others).waitFor();
  expect(await cy.getByRole('button', { name: /^End/ }).count()).toBe(0);
  await using bob = await as('Bob', 'risk_officer');
  await bob.getByRole('button', { name: 'End freeze: The corridor US-EG' }).click();
  await bob.getByLabel('Reason').fill('the cards are blocked');
  await bob.keyboard.press('Enter');
  await bob.getByText('Nothing is bounded').waitFor();
});

test('a limit is set by one person, and raised by two', async () => {
  await using ann = await as('Ann', 'operator');
  await ann.getByText('Nothing is bounded').waitFor();
  const give = async (rate: string, burst: string) => {
    await ann.getByLabel('A second').fill(rate);
    await ann.getByLabel('Burst').fill(burst);
    await ann.getByLabel('Reason').fill('contract of 2026');
    await ann.keyboard.press('Enter');
  };
  await ann.keyboard.press('i');
  await ann.getByLabel('Scope', { exact: true }).selectOption('client:');
  await ann.getByLabel('Name or id').fill('shop');
  await give('500', '1000');
  const inForce = ann.getByRole('region', { name: 'In force' });
  await inForce.getByText('The client shop, 500 a second, burst 1,000').waitFor();
  const named = (action: string) => ({ name: `${action} limit transactions: The client shop` });
  await ann.getByRole('button', named('Change')).click();
  await give('800', '1600');
  await ann.getByText('rate_per_second 800').waitFor();
  await using bob = await as('Bob', 'risk_officer');
  await bob.getByRole('button', { name: 'Confirm limit-transactions:client:shop' }).click();
  await bob.getByRole('button', { name: 'Confirm', exact: true }).click();
  await bob.getByText('The client shop, 800 a second, burst 1,600').waitFor();
});

test('a flag is turned off and on with a reason, and a level is set by hand and ended', async () => {
  await using page = await as('Ann', 'operator');
  for (const [kind, scope, name] of [
    ['off', 'flag:shadows', 'off: The flag shadows'],
    ['read-only', 'corridor:US-EG', 'read only: The corridor US-EG'],
  ] as const) {
    await page.getByRole('button', { name: /^Set a control/ }).click();
    await page.getByLabel('Kind', { exact: true }).selectOption(kind);
    await page.getByLabel('Scope', { exact: true }).selectOption(scope);
    await page.getByLabel('Reason').fill('the disks are busy');
    await page.keyboard.press('Enter');
    const end = page.getByRole('button', { name: `End ${name}` });
    await end.waitFor();
    if (kind === 'read-only') {
      const levels = page.getByRole('region', { name: 'Levels of degradation' });
      await levels.getByText('Ann: the disks are busy').waitFor();
    }
    await end.click();
    await page.getByLabel('Reason').fill('they work');
    await page.keyboard.press('Enter');
    await page.getByText('Nothing is bounded').waitFor();
  }
});

describe.each(LOOKS)('at %s px, %s %s', (width, viewport, colorScheme) => {
  test('the page with controls, without, its dialog, and a page with the banner', async () => {
    await using tab = await shown.logIn({ viewport, colorScheme });
    const look = `${width}-${colorScheme}`;
    await walk(shown.engine, tab, [['controls-none', '/controls', 'Nothing is bounded']], look);
    const endsAt = new Date(Date.now() + 3_600_000).toISOString();
    await stop('corridor:US-EG', { message: 'Payouts to Egypt are paused.', ends_at: endsAt });
    await stop('client:shop');
    await set('freeze', 'corridor:FR-MA', { reason: 'a wave of stolen cards' });
    await limit('client:shop', 500);
    await limit('corridor:US-EG', 100);
    const ann = await insertPersonKey(shown.engine.api.testDatabase, 'Ann', ['operator']);
    await limit('corridor:US-EG', 200, ann);
    await set('off', 'flag:shadows', { reason: 'the disks are busy' });
    await walk(
      shown.engine,
      tab,
      [
        ['stopped-banner', '/corridors', 'and 2 more'],
        ['controls', '/controls', 'stop: The client shop'],
      ],
      look,
    );
    for (const [key, name] of [
      ['c', 'stop'],
      ['i', 'limit'],
      ['f', 'freeze'],
    ] as const) {
      await tab.keyboard.press(key);
      await settle(tab, 'Set a control');
      expect(await inspect(tab, `control-dialog-${name}-${look}`)).toEqual([]);
      await tab.keyboard.press('Escape');
    }
  });
});

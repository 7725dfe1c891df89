/**
 * Goal: an analyst writes a rule set without an engineer, sees what it hits as it is typed, and two others put it in force
 * and take it back. Method: an engine with a sample scored, and Chromium for each person.
 */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Role } from '../../../../src/kit/words/principal.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { answerOf, input, postBatch } from '../../../support/submit.ts';
import { heading } from '../../support/log-in.ts';
import {
  inspect,
  isWider,
  LOOKS,
  settle,
  shoot,
  type Tab,
  violationsOf,
} from '../../support/pages.ts';
import { setUpConsole } from '../../support/set-up.ts';
import { logInAs } from '../../support/walk.ts';

const it = setUpConsole();
const ROLES: Readonly<Record<string, Role>> = {
  ...{ Ann: 'analyst', Bob: 'risk_officer', Cy: 'risk_officer' },
};
const keys = new Map<string, string>();
const tabs: Tab[] = [];
beforeAll(async () => {
  for (const [name, role] of Object.entries(ROLES)) {
    keys.set(name, await insertPersonKey(it.engine.api.testDatabase, name, [role]));
  }
});
afterAll(async () => {
  for (const tab of tabs) await tab[Symbol.asyncDispose]();
});

const keyOf = (name: string) => keys.get(name) ?? '';
const as = async (name: string, path: string, title: string, options = {}) =>
  await logInAs(it.engine, it.browser, keyOf(name), [path, title], options);
const put = (path: string, name: string) => ({
  headers: { Authorization: `Bearer ${keyOf(name)}`, 'Content-Type': 'application/json' },
  path: `/v1/rule-sets${path}`,
});
const read = async (id: string) => {
  const { headers, path } = put(`/${id}`, 'Ann');
  return (await answerOf(await it.engine.api.request(path, { headers }))).body;
};
const hitsOf = (page: Page, rule: string) =>
  page.getByRole('region', { name: 'Rules of the set' }).getByRole('row', { name: rule });
const DRAFT = '/rules/careful%401';

test('a draft is written by the keyboard, with completion, errors as typed and hits of yesterday', async () => {
  await using ann = await as('Ann', '/rules', 'Rules');
  const page = ann;
  await page.getByRole('button', { name: 'New draft' }).click();
  await page.getByLabel('Name and version').fill('careful@1');
  await page.keyboard.press('Enter');
  await heading(page, 'careful@1').waitFor();
  await settle(page, 'Rules of the draft');
  await page.keyboard.press('n');
  const when = page.getByLabel('Fires where');
  await expect.poll(() => when.inputValue()).toBe('');
  await when.press('c');
  await page.keyboard.type('ount_1');
  await page.getByRole('option', { name: 'count_1h number' }).first().waitFor();
  await shoot(page, 'editor-completion');
  await page.keyboard.press('Enter');
  expect(await when.inputValue()).toBe('count_1h');
  await page.keyboard.type(' >= ammount');
  await page.getByText('found `ammount`, allowed is `amount').waitFor();
  await page.getByText('1 problem', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'line 1, column 13' }).click();
  await page.keyboard.type('0');
  const typedMs = performance.now();
  await expect.poll(() => hitsOf(page, 'new-rule').textContent()).toMatch(/[1-9]\d*$/);
  process.stdout.write(`hits ${Math.round(performance.now() - typedMs)} ms after the last key\n`);
  await page.getByLabel('Points alone, to 1,000').fill('600');
  await page.getByLabel('Name', { exact: true }).fill('busy-hour');
  await when.focus();
  await page.keyboard.press('Control+s');
  await page.getByText('Saved', { exact: true }).waitFor();
  const { source } = await read('careful@1');
  expect(source.rules.at(-1)).toEqual({
    ...{ id: 'busy-hour', code: 'BUSY_HOUR', when: 'count_1h >= 0', weight: 0.6 },
    sentence: 'Say what abuse it catches.',
  });
  await page.keyboard.press('Escape');
  await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('busy-hour');
  await page.keyboard.press('k');
  await page.keyboard.press('Enter');
  await expect
    .poll(() => page.getByLabel('Name', { exact: true }).inputValue())
    .not.toBe('busy-hour');
});

test('a transaction is tried by the rules as they are typed', async () => {
  await using ann = await as('Ann', DRAFT, 'careful@1');
  const [riskiest] = it.engine.riskiest;
  await ann.getByLabel('Transaction', { exact: true }).fill(riskiest?.id ?? '');
  await ann.getByRole('button', { name: 'What would it decide?' }).click();
  await ann.getByText(/It scored \d+/).waitFor();
});

test('what was saved elsewhere meanwhile is shown before anything is lost', async () => {
  await using ann = await as('Ann', DRAFT, 'careful@1');
  const page = ann;
  const { tag, source } = await read('careful@1');
  const { headers, path } = put('/careful%401', 'Ann');
  const elsewhere = { ...source, verdicts: { all: { review: 450, decline: 800 } } };
  const sent = await it.engine.api.request(path, {
    ...{ method: 'PUT', headers: { ...headers, 'If-Match': tag } },
    body: JSON.stringify(elsewhere),
  });
  expect(sent.status).toBe(200);
  await page.getByLabel('Decline, all corridors').fill('700');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const asked = page.getByRole('dialog', { name: 'saved elsewhere' });
  await asked.getByText(/verdicts\.all\.review: \d+ -> 450/).waitFor();
  expect(await inspect(page, 'editor-conflict-1280-light')).toEqual([]);
  await asked.getByRole('button', { name: 'Take what is saved' }).click();
  await expect.poll(() => page.getByLabel('Review, all corridors').inputValue()).toBe('450');
  await page.getByLabel('Review, all corridors').fill('500');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved', { exact: true }).waitFor();
  expect((await read('careful@1')).source.verdicts.all).toEqual({ review: 500, decline: 800 });
});

test('nights set the bands by shares, which stay as thresholds of a corridor come and go', async () => {
  await using page = await as('Ann', '/rules', 'Rules');
  await page.getByRole('link', { name: 'careful@1' }).click();
  const save = async () => {
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Saved', { exact: true }).waitFor();
    return (await read('careful@1')).source.verdicts;
  };
  await page.getByRole('button', { name: 'Let nights set the bands' }).click();
  await page.getByLabel('Stopped at most, %').fill('1.5');
  await page.getByLabel('A corridor that differs').selectOption({ index: 1 });
  await page.getByRole('button', { name: /as all corridors$/ }).click();
  const all = { review: 500, decline: 800 };
  expect(await save()).toEqual({ all, shares: { review: 0.015, decline: 0.001 } });
  expect(await inspect(page, 'editor-shares-1280-light')).toEqual([]);
  await page.getByRole('button', { name: 'Fixed bands alone' }).click();
  expect(await save()).toEqual({ all });
});

test.each(LOOKS)(
  'at %s px the pages are complete, and axe finds nothing',
  async (width, viewport, colorScheme) => {
    const look = `${width}-${colorScheme}`;
    await using page = await as('Ann', '/rules', 'Rules', { viewport, colorScheme });
    await settle(page, 'Rules and what became of their hits');
    const found = await inspect(page, `rule-sets-${look}`);
    await page.getByRole('link', { name: 'careful@1' }).click();
    await settle(page, 'Rules of the draft');
    // On a small page the last row is not drawn before somebody scrolls to it.
    await page.evaluate(`document.querySelector('.editor-list .table').scrollTo(0, 1e6)`);
    await expect.poll(() => hitsOf(page, 'busy-hour').textContent()).toMatch(/[1-9]\d*$/);
    found.push(...(await inspect(page, `editor-${look}`)));
    await page.getByRole('button', { name: 'busy-hour' }).first().click();
    await page.getByLabel('Fires where').fill('count_1h >= 0 && amou');
    await page.getByLabel('Fires where').press('Control+ ');
    await page.getByRole('option', { name: 'amount', exact: false }).first().waitFor();
    await page.getByText('One problem', { exact: true }).waitFor();
    found.push(...(await inspect(page, `editor-typed-${look}`)));
    await shoot(page, `editor-whole-${look}`, { isWhole: true });
    await page.getByLabel('Fires where').press('Escape');
    expect(await isWider(page)).toBe(false);
    found.push(...(await violationsOf(page)));
    expect(found).toEqual([]);
  },
);

test('its author submits what declines many by a word more, and another person approves it', async () => {
  await using ann = await as('Ann', DRAFT, 'careful@1');
  await ann.getByLabel('Decline, all corridors').fill('600');
  await ann.getByRole('button', { name: 'Save', exact: true }).click();
  await ann.getByText('Saved', { exact: true }).waitFor();
  await ann.getByRole('button', { name: 'Submit' }).click();
  const asked = ann.getByRole('dialog', { name: 'Submit careful@1' });
  await asked.getByRole('button', { name: 'Submit', exact: true }).click();
  await asked.getByText('careful@1 would decline').waitFor();
  expect(await inspect(ann, 'editor-submit-1280-light')).toEqual([]);
  await asked.getByRole('button', { name: 'Submit all the same' }).click();
  await ann.getByRole('button', { name: 'Withdraw careful@1' }).waitFor();
  // The approval and the rule set are read side by side, and either may come first.
  await ann.getByRole('button', { name: 'Save', exact: true }).waitFor({ state: 'detached' });
  expect(await ann.getByLabel('Fires where').isDisabled()).toBe(true);
  await using bob = await as('Bob', DRAFT, 'careful@1');
  await confirm(bob, 'careful@1');
  await bob.getByRole('heading', { name: 'Rollout' }).waitFor();
  expect(await read('careful@1')).toMatchObject({ state: 'approved', approved_by: 'Bob' });
});

async function confirm(page: Page, subject: string): Promise<void> {
  await page.getByRole('button', { name: `Confirm ${subject}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Confirm' }).click();
  await page.getByText(`${subject}: confirmed.`).waitFor();
}

/** Bob proposes a step, and Cy confirms it. @param early why they go on before the end of a stage, once the step was refused */
async function rollOut(step: string, words: string, early = ''): Promise<void> {
  await using bob = await as('Bob', DRAFT, 'careful@1');
  await bob.getByLabel('Next step').selectOption(step);
  await bob.getByLabel('Corridor', { exact: true }).selectOption('US-EG');
  const propose = bob.getByRole('button', { name: 'Propose', exact: true });
  await propose.click();
  if (early !== '') {
    await bob.getByText('An override with a reason').waitFor();
    expect(await inspect(bob, 'rule-set-stage-1280-light')).toEqual([]);
    await bob.getByLabel('Reason to go on early').fill(early);
    await propose.click();
  }
  await bob.getByText(`Proposed: ${words} in US-EG`).waitFor();
  await using cy = await as('Cy', DRAFT, 'careful@1');
  if (early !== '') await cy.getByText(early).waitFor();
  await confirm(cy, 'careful@1 US-EG');
}

/** Counts of the shadow rise on an open page, in all looks. */
async function watchShadow(): Promise<void> {
  await using ann = await as('Ann', DRAFT, 'careful@1');
  const flips = ann.getByRole('region', { name: 'Flips of the shadow' });
  const post = (count: number) =>
    postBatch(
      it.engine.api,
      Array.from({ length: count }, () => input({ corridor: 'US-EG' })),
    );
  const compared = async () => Number((await flips.getByRole('cell').allTextContents())[1]);
  await ann.getByText('The shadow has compared no score yet').waitFor();
  await post(5);
  await flips.waitFor();
  const before = await compared();
  await post(10);
  await expect.poll(compared, { timeout: 20_000 }).toBeGreaterThanOrEqual(before + 10);
  const found: string[] = [];
  for (const [width, viewport, colorScheme] of LOOKS) {
    await ann.setViewportSize(viewport);
    await ann.emulateMedia({ colorScheme });
    found.push(...(await inspect(ann, `rule-set-shadow-${width}-${colorScheme}`)));
  }
  expect(found).toEqual([]);
}

test('two people roll it out by a shadow, and one rolls it back after a confirmation', async () => {
  await rollOut('shadow', 'shadow');
  await watchShadow();
  await rollOut('canary', 'canary 5 %');
  expect((await read('careful@1')).corridors).toEqual([{ corridor: 'US-EG', to: 'canary:5' }]);
  await rollOut('active', 'active', 'a ring empties accounts');
  expect((await read('careful@1')).rollouts[0]).toMatchObject({
    ...{ to: 'active', reason: 'a ring empties accounts' },
  });
  await using cy = await as('Cy', DRAFT, 'careful@1');
  const back = cy.getByRole('button', { name: 'Roll back US-EG' });
  await back.click();
  await cy.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await back.click();
  await shoot(cy, 'rule-set-rollback-1280-light');
  await cy.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click();
  await cy.getByText('Rolled back.').waitFor();
  await cy.getByRole('region', { name: 'Decisions' }).getByText('rollback').first().waitFor();
  expect(await inspect(cy, 'rule-set-rollout-1280-light')).toEqual([]);
});

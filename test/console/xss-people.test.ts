/**
 * Goal: what people write of cases and models is text in every dialog, and so are their own names. Method: people named by texts of the
 * corpus claim, decide, note and propose; Chromium shows it to them and to a colleague, who goes on with it.
 */
import { expect, test } from 'vitest';
import { createRandom } from '../../src/kit/random.ts';
import { describeModel } from '../../src/rooms/models/registry/check-model.ts';
import { modelFile, startModelsRig } from '../support/models-command.ts';
import { openCasesOf } from '../support/rooms/review/cases.ts';
import { answerOf } from '../support/submit.ts';
import { setUpConsole } from './support/set-up.ts';
import { OFFICER, opens, setUpPeople, TEXTS } from './support/xss-people.ts';
import { expectQuiet, expectShown } from './support/xss-tab.ts';

const LONG = { timeout: 600_000 };
/** Names that every object has a member of. */
const MEMBERS = ['constructor', '__proto__'].filter((name) => !TEXTS.includes(name));

const it = setUpConsole();
const { keyOf, post, openAs, go } = setUpPeople(it, MEMBERS);

test(
  'the login, and a person whose name is a text: around each page, in sessions and saved filters',
  LONG,
  async () => {
    const out = await openAs(null);
    for (const text of TEXTS) {
      await out.page.goto('about:blank');
      await out.page.goto(`${it.engine.api.url}/console#login=${text}`);
      await out.page.getByLabel('API key').fill(text);
      await out.page.keyboard.press('Enter');
      await out.page.getByRole('alert').waitFor();
      await expectQuiet(out, `login ${text}`);
    }
    await out[Symbol.asyncDispose]();
    for (const text of [...TEXTS, ...MEMBERS]) {
      const tab = await openAs(text);
      const { page } = tab;
      await go(tab, '/keys');
      await expectShown(tab, 'keys', text);
      const query = `/transactions?account_id=${encodeURIComponent(text)}`;
      await go(tab, query);
      await page.getByRole('button', { name: 'Save filters' }).click();
      await page.getByLabel('Name of these filters').fill(text);
      await page.keyboard.press('Enter');
      await go(tab, query);
      await expect.poll(() => page.getByLabel('Saved filters').inputValue()).toBe(text);
      await expectShown(tab, 'saved filters', text);
      await page.getByRole('button', { name: 'Forget it' }).click();
      await expect.poll(() => page.getByLabel('Saved filters').count()).toBe(0);
      await tab[Symbol.asyncDispose]();
    }
  },
);

test(
  'cases: claimed, decided, escalated and given back by such people, with notes, and several at once',
  LONG,
  async () => {
    const { testDatabase, database } = it.engine.api;
    const tab = await openAs();
    const { page } = tab;
    for (const text of TEXTS) {
      const of = { accountId: text, merchantId: text };
      const [first = '', second = '', theirs = '', rich = ''] = await openCasesOf(
        testDatabase,
        database,
        [of, of, of, { ...of, amount: '99999.00' }],
      );
      const review = (id: string) => `/v1/reviews/${id}`;
      for (const id of [theirs, rich]) await post(text, `${review(id)}/claim`);
      await post(text, `${review(theirs)}/notes`, { note: `${text}\n${text}` });
      await post(text, `${review(rich)}/decide`, { disposition: 'fraud', reason: text });

      await go(tab, `/review/${theirs}`);
      await expectShown(tab, 'another’s case', `${text} has claimed it.`, `${text}\n${text}`);

      await go(tab, `/review/${rich}`);
      await expectShown(tab, 'a decision', `by ${text}`, text);
      const back = page.getByRole('button', { name: 'Give it back' });
      const reason = await opens(tab, back, 'Give it back: it is open again');
      await reason.getByLabel('Reason').fill(text);
      await reason.getByRole('button', { name: 'Give it back' }).click();
      await page.getByText('Nobody has it').waitFor();
      await page.getByLabel('Assigned to').selectOption(text);
      await expectShown(tab, 'an assigned case', `It is assigned to ${text}.`);

      await go(tab, `/review/${first}`);
      await page.getByLabel('Note', { exact: true }).fill(text);
      await page.getByRole('button', { name: 'Add note' }).click();
      await page.locator('.note').getByText(text, { exact: true }).waitFor();
      await page.getByRole('button', { name: 'Escalate' }).click();
      await page.getByRole('dialog').getByLabel('Reason').fill(text);
      await page.keyboard.press('Enter');
      await page.getByText('escalated', { exact: true }).waitFor();
      await go(tab, `/review?account_id=${encodeURIComponent(text)}`);
      await page.locator('input[type="checkbox"]:enabled').first().check();
      await page.getByRole('button', { name: 'All shown' }).click();
      await page.getByRole('button', { name: /^Decide \d/ }).click();
      const many = page.getByRole('dialog');
      await many.getByLabel('Reason').fill(text);
      await expectShown(tab, 'several cases', text);
      await many.getByRole('button', { name: 'Fraud', exact: true }).click();
      await many.getByRole('button', { name: /^Decide \d/ }).click();
      await page.getByText(/cases? decided: fraud/).waitFor();

      await go(tab, `/review/${second}`);
      await page.getByText('History').click();
      await expectShown(tab, 'history', `decided fraud: ${text}`);
    }
    await go(tab, '/workload');
    await expectShown(tab, '/workload', ...TEXTS.slice(0, 3));
    await tab[Symbol.asyncDispose]();
  },
);

test('what-if: fields that are taken, and fields that are refused', LONG, async () => {
  const tab = await openAs();
  const { page } = tab;
  await go(tab, `/transactions/${it.engine.riskiest[0]?.id}`);
  const fields = ['Merchant', 'Account', 'Device', 'Channel', 'Type'];
  for (const text of TEXTS) {
    for (const label of fields) await page.getByLabel(label, { exact: true }).fill(text);
    await page.getByRole('button', { name: 'What would it score?' }).click();
    await page.locator('.compared').waitFor();
    await expectShown(tab, 'a what-if', text);
    for (const label of ['Country', 'Amount', 'Currency', 'Corridor', 'Address']) {
      await page.getByLabel(label, { exact: true }).fill(text);
    }
    await page.getByRole('button', { name: 'What would it score?' }).click();
    await page.getByRole('alert').filter({ hasText: 'country' }).waitFor();
    await expectShown(tab, 'a refused what-if', text);
    await page.getByRole('button', { name: 'Reset' }).click();
    await page.getByRole('alert').waitFor({ state: 'detached' });
  }
  await tab[Symbol.asyncDispose]();
});

test('models with such cards, proposed by such people; and names of priorities', LONG, async () => {
  await using rig = await startModelsRig(it.engine.api.testDatabase);
  const tab = await openAs();
  const { page } = tab;
  for (const [n, text] of TEXTS.entries()) {
    const model = `x${n}@1`;
    const artefact = Buffer.from(JSON.stringify(modelFile(n + 100)));
    const manifest = describeModel(artefact, model, createRandom('golden'));
    const lineage = { ...manifest.lineage, code_version: text };
    const path = rig.write(`x${n}.json`, artefact);
    rig.write(
      `x${n}.json.manifest.json`,
      JSON.stringify({ ...manifest, lineage, card: cardOf(text) }),
    );
    await rig.run(keyOf(text), 'import', path);
    await post(text, `/v1/models/${model}/proposals`, { corridor: 'US-EG', to: 'shadow' });
    await go(tab, `/models/${model}`);
    await expectShown(tab, 'a model', text);
    const approve = page.getByRole('button', { name: 'Approve shadow in US-EG' });
    const asked = await opens(tab, approve, 'Approve a proposal', `as ${text} proposed`);
    await asked.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('Approved: workers follow').waitFor();
    await expectQuiet(tab, model);
  }
  const { policy } = await (await answerOf(await it.engine.api.request('/v1/reviews/policy'))).body;
  for (const text of TEXTS) {
    const priorities = policy.priorities.map((one: object) => ({ ...one, name: text }));
    await post(OFFICER, '/v1/reviews/policy', {
      ...{ ...policy, priorities, dispute_sources: [text] },
    });
    await go(tab, '/workload');
    await expectShown(tab, 'a policy', text);
  }
  await tab[Symbol.asyncDispose]();
});

/** Every text that its page reads of a card. */
function cardOf(text: string): object {
  return {
    figures: { [text]: { value: 0.5, low: 0.4, high: 0.6 } },
    validation: { from: text, to: text, rows: 1 },
    importance: [{ name: text, share: 0.5 }],
    segments: { corridor: [{ segment: text, rows: 1, frauds: 1, flagged: 0.5 }] },
  };
}

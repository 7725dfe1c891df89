/**
 * Goal: of two steps that exclude each other exactly one is taken, and named cases are decided once.
 * Method: steps of several people at once against a real database.
 */
import { beforeEach, expect, test } from 'vitest';
import { revokeIdentity } from '../../../../src/kit/access/identities.ts';
import { CASE_LIMITS } from '../../../../src/rooms/review/case.ts';
import { caseListParameters, listCases } from '../../../../src/rooms/review/queries/cases.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { createReviewRig } from '../../../support/rooms/review/rig.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const FRAUD = { disposition: 'fraud', reason: 'seen' } as const;

const rig = await openForFile(createReviewRig());

beforeEach(() => rig.clear());

test('of one case, one of two steps at once is taken, and what is stored is its', async () => {
  const { reviewing, by, actions } = rig;
  const steps = {
    decide: (id: string) => reviewing.decide(id, FRAUD, by('Bob')),
    confirm: (id: string) => reviewing.confirm(id, by('Cy')),
    giveBack: (id: string) => reviewing.giveBack(id, 'no', by('Cy')),
  };
  const race = async (id: string, ...names: (keyof typeof steps)[]) => {
    const settled = await Promise.allSettled(names.map((name) => steps[name](id)));
    return settled.filter(({ status }) => status === 'fulfilled').length;
  };
  const ids = await rig.open(Array.from({ length: 8 }, () => ({ amount: '9000.00' })));
  for (const id of ids) {
    await reviewing.claim(id, by('Bob'));
    expect(await race(id, 'decide', 'decide')).toBe(1);
    expect(await race(id, 'confirm', 'giveBack', 'confirm')).toBe(1);
  }
  const states = await rig.testDatabase.sql<{ id: string; state: string; confirmed: boolean }>(
    'select transaction_id as id, state, confirmed_by is not null as confirmed from review_cases',
  );
  for (const { id, state, confirmed } of states) {
    expect([(await actions(id)).at(-1), state, confirmed]).toEqual(
      state === 'open' ? ['Cy case.return', 'open', false] : ['Cy case.confirm', 'decided', true],
    );
  }
});

test('a decision is undone or final, never both, where both happen at once', async () => {
  const { reviewing, by } = rig;
  const ids = await rig.open(Array.from({ length: 20 }, () => ({})));
  for (const id of ids) {
    await reviewing.claim(id, by('Ann'));
    await reviewing.decide(id, FRAUD, by('Ann'));
  }
  await rig.testDatabase.sql(
    `update review_cases set final_at = clock_timestamp() + random() * interval '400 ms'`,
  );
  const undone = new Set<string>();
  const undoing = ids.map((id) =>
    reviewing.undo(id, by('Ann')).then(
      () => undone.add(id),
      (error: { code?: string }) => expect(error.code).toBe('DECISION_FINAL'),
    ),
  );
  const left = async () =>
    (await rig.testDatabase.sql(`select from review_cases where state = 'decided'`)).length > 0;
  while (await left()) await rig.close();
  await Promise.all(undoing);
  const labelled = (await rig.labels()).map(({ id }) => id);
  expect(labelled).toEqual(ids.filter((id) => !undone.has(id)));
  const final = await rig.testDatabase.sql<{ id: string }>(
    'select transaction_id as id from final_decisions order by 1',
  );
  expect(final.map(({ id }) => id)).toEqual(labelled);
});

test('on several cases decide each case that is free, and a repetition changes nothing', async () => {
  const ids = await rig.open([{}, { amount: '9000.00' }, {}, {}, {}]);
  const [plain = '', rich = '', others = '', left = '', escalated = ''] = ids;
  await rig.reviewing.claim(others, rig.by('Bob'));
  await rig.reviewing.escalate(escalated, 'who is it', rig.by('Bob'));
  const unknown = '01a1f84a-95c0-7000-8000-00000000002a';
  const cases = [plain, rich, others, escalated, unknown, plain];
  const first = await rig.reviewing.decideMany(cases, FRAUD, rig.by('Ann'));
  expect(first.items.map((one) => [one.transaction_id, one.state])).toEqual([
    [plain, 'decided'],
    [rich, 'confirming'],
  ]);
  expect(first.refused.map((one) => [one.transaction_id, one.code])).toEqual([
    [others, 'CASE_LOCKED'],
    [escalated, 'CASE_ESCALATED'],
    [unknown, 'CASE_UNKNOWN'],
  ]);
  const again = await rig.reviewing.decideMany(cases, FRAUD, rig.by('Ann'));
  expect(again).toEqual(first);
  expect(await rig.actions(plain)).toEqual(['Ann case.decide']);
  const other = { ...FRAUD, reason: 'another' };
  const changed = await rig.reviewing.decideMany([plain, left], other, rig.by('Ann'));
  expect(changed.refused.map(({ code }) => code)).toEqual(['CASE_NOT_OPEN']);
  expect(changed.items.map((one) => one.transaction_id)).toEqual([left]);
});

test('of notes that are added at once, as many are taken as there is room for', async () => {
  const { reviewing, by, testDatabase } = rig;
  const [id = ''] = await rig.open([{}]);
  await testDatabase.sql(
    `insert into review_notes (transaction_id, written_by, note)
     select $1, 'Ann', 'x' from generate_series(1, ${CASE_LIMITS.shownRows - 1})`,
    [id],
  );
  const adding = Promise.allSettled(
    await startTogether([1, 2, 3].map(() => () => reviewing.note(id, 'x', by('Ann')))),
  );
  const codes = (await adding).map((one) =>
    one.status === 'rejected' ? one.reason.code : 'taken',
  );
  expect(codes.sort()).toEqual(['CASE_FULL', 'CASE_FULL', 'taken']);
});

test('lists of cases with one deadline have each of them once, whatever their pages', async () => {
  const ids = await rig.open(Array.from({ length: 25 }, () => ({})));
  await rig.testDatabase.sql(`update review_cases set due_at = '2026-11-21'`);
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const asked = caseListParameters.parse({ limit: '7', ...(cursor === null ? {} : { cursor }) });
    const page = await listCases(rig.database.query, asked);
    // The listed cases change their state meanwhile.
    for (const one of page.items) {
      seen.push(one.transaction_id);
      await rig.reviewing.claim(one.transaction_id, rig.by('Ann'));
      await rig.reviewing.decide(one.transaction_id, FRAUD, rig.by('Ann'));
    }
    cursor = page.next_cursor;
  } while (cursor !== null);
  expect(seen).toEqual(ids);
});

test('a case is not left to a person who is revoked while it is assigned to them, in either order', async () => {
  const { reviewing, by, actions, testDatabase, database } = rig;
  const [first = '', second = '', third = ''] = await rig.open([{}, {}, {}]);
  for (const name of ['Eve', 'Fay']) await insertPersonKey(testDatabase, name, ['risk_officer']);
  await reviewing.assign(third, 'Eve', by('Bob'));
  const assigning = [first, third].map((id) => () => reviewing.assign(id, 'Eve', by('Bob')));
  await Promise.all(
    await startTogether([...assigning, () => revokeIdentity(database, 'Eve', by('Cy'))]),
  );
  const [, late] = await startTogether([
    () => revokeIdentity(database, 'Fay', by('Cy')),
    () => reviewing.assign(second, 'Fay', by('Bob')),
  ]);
  await expect(late).rejects.toThrow('must be the name of a person');
  const free = await testDatabase.sql<{ id: string }>(
    `select transaction_id as id from review_cases where assignee is null and locked_by is null order by 1`,
  );
  expect(free.map(({ id }) => id)).toEqual([first, second, third]);
  expect(await actions(second)).toEqual([]);
});

/** Begins each once those before it wait for a lock; none commits before all have begun. */
async function startTogether(
  begin: readonly (() => Promise<unknown>)[],
): Promise<Promise<unknown>[]> {
  const audit = 'lock table market.audit_log in share row exclusive mode';
  const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
  return await rig.database.transaction(async (query) => {
    await query({ text: audit });
    const begun: Promise<unknown>[] = [];
    for (const one of begin) {
      const running = one();
      running.catch(() => undefined);
      begun.push(running);
      const all = async () => (await rig.testDatabase.sql(waiting)).length >= begun.length;
      await waitUntil(all, 5000, 'all to wait');
    }
    return begun;
  });
}

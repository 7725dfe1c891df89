/**
 * Goal: no two reviewers have one case, a decision becomes final once and makes one label, and much money takes two people.
 * Method: many reviewers at once against a real database; locks and deadlines pass by moving their times in the table.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { closeDecided } from '../../src/control/cases/close-decided.ts';
import { type By, createReviewing, type Reviewing } from '../../src/control/cases/reviewing.ts';
import type { Database } from '../../src/store/database/pool.ts';
import { readStoredTransaction } from '../../src/store/transactions/read-transactions.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { insertPersonKey } from '../support/people.ts';
import { openCasesOf } from '../support/review-cases.ts';
import type { TransactionSeed } from '../support/stored-rows.ts';
import { waitUntil } from '../support/wait-until.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const FRAUD = { disposition: 'fraud', reason: 'seen' } as const;

let testDatabase: TestDatabase;
let database: Database;
let reviewing: Reviewing;
const people = new Map<string, By>();
const by = (name: string): By => {
  const person = people.get(name);
  if (person === undefined) throw new Error(`nobody is ${name}`);
  return person;
};

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = testDatabase.open({ connectionsMax: 20 });
  reviewing = createReviewing(database);
  for (const name of ['Ann', 'Bob', 'Cy', 'Dee']) {
    const isOfficer = name === 'Bob' || name === 'Cy';
    const roles = isOfficer ? (['analyst', 'risk_officer'] as const) : (['analyst'] as const);
    await insertPersonKey(testDatabase, name, roles);
    const [key] = await testDatabase.sql<{ keyId: string }>(
      `select key_id as "keyId" from api_keys where identity = $1`,
      [name],
    );
    people.set(name, { name, keyId: key?.keyId ?? '', request: 'test', isOfficer });
  }
  // Cy made Dee's key, so he may hold it.
  const made = `update api_keys set made_by = $1 where identity = 'Dee'`;
  await testDatabase.sql(made, [by('Cy').keyId]);
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await testDatabase[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await testDatabase.sql(
    'truncate transactions, scores, labels, label_batches, review_intake, review_cases cascade',
  );
  await testDatabase.sql('delete from final_decisions');
});

const open = (seeds: readonly Partial<TransactionSeed>[]) =>
  openCasesOf(testDatabase, database, seeds);

const invalidated: string[][] = [];
const invalidateLabelled = async (ids: readonly string[]) => void invalidated.push([...ids]);
const close = (writes: Pick<Database, 'transaction'> = database) =>
  closeDecided({ writes, database, invalidateLabelled }, 'test');
const passUndo = () =>
  testDatabase.sql(
    `update review_cases set final_at = now() - interval '1 s' where state = 'decided'`,
  );
const labels = () =>
  testDatabase.sql(`select transaction_id as id, label, source, identity from labels order by 1`);
const actions = async (id: string) =>
  (
    await testDatabase.sql<{ action: string; who: string }>(
      'select action, who from audit_log where subject = $1 order by audit_id',
      [id],
    )
  ).map(({ action, who }) => `${who} ${action}`);

describe('claims', () => {
  test('50 reviewers who race for 200 cases get each case once, the most urgent first', async () => {
    const ids = await open(
      Array.from({ length: 200 }, (_, index) => ({
        amount: index % 2 === 0 ? '2000.00' : '10.00',
      })),
    );
    const racers = Array.from({ length: 50 }, (_, index) => ({
      ...by('Ann'),
      name: `racer ${index}`,
    }));
    const claimed = await Promise.all(
      racers.map(async (racer) => {
        const mine: string[] = [];
        for (;;) {
          const next = await reviewing.next({}, racer);
          if (next === undefined) return mine;
          mine.push(next.transaction_id);
        }
      }),
    );
    expect(claimed.flat().sort()).toEqual(ids.toSorted());
    const [rows] = await testDatabase.sql<{ holders: number; locked: number; claims: number }>(
      `select count(distinct locked_by)::int as holders, count(locked_by)::int as locked,
              (select count(*)::int from audit_log where action = 'case.claim' and who like 'racer%') as claims
         from review_cases`,
    );
    expect(rows).toMatchObject({ locked: 200, claims: 200 });
    const firsts = claimed.flatMap(([first]) => first ?? []);
    // More cases are urgent than there are reviewers: one may skip a case that another has just locked.
    const urgent = new Set(ids.filter((_, index) => index % 2 === 0));
    expect(firsts.filter((id) => !urgent.has(id))).toEqual([]);
  }, 120_000);

  test('of one case by 50 at once, one wins and the others are told who', async () => {
    const [id = ''] = await open([{}]);
    const racers = Array.from({ length: 50 }, (_, index) => ({
      ...by('Ann'),
      name: `racer ${index}`,
    }));
    // They meet while another transaction has the row.
    const row = 'select from market.review_cases where transaction_id = $1 for update';
    const { racing } = await database.transaction(async (query) => {
      await query({ name: '', text: row }, [id]);
      const racing = Promise.allSettled(racers.map((racer) => reviewing.claim(id, racer)));
      const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
      await waitUntil(async () => (await testDatabase.sql(waiting)).length > 9, 5000, 'racers');
      return { racing };
    });
    const settled = await racing;
    const won = settled.filter(({ status }) => status === 'fulfilled');
    const lost = settled.flatMap((one) =>
      one.status === 'rejected' ? String(one.reason.code) : [],
    );
    expect([won.length, new Set(lost)]).toEqual([1, new Set(['CASE_LOCKED'])]);
  });

  test('an expired lock is nobody’s; an extended one is kept', async () => {
    const [id = ''] = await open([{}]);
    await reviewing.claim(id, by('Ann'));
    await expect(reviewing.claim(id, by('Bob'))).rejects.toThrow('Ann has claimed it');
    expect(await reviewing.next({}, by('Bob'))).toBeUndefined();
    await testDatabase.sql(`update review_cases set locked_until = now() + interval '1 s'`);
    const kept = await reviewing.keepLock(id, by('Ann'));
    expect(Date.parse(kept.locked_until ?? '')).toBeGreaterThan(Date.now() + 600_000);
    await testDatabase.sql(`update review_cases set locked_until = now() - interval '1 ms'`);
    await expect(reviewing.decide(id, FRAUD, by('Ann'))).rejects.toThrow('claim it first');
    expect((await reviewing.next({}, by('Bob')))?.locked_by).toBe('Bob');
    await expect(reviewing.decide(id, FRAUD, by('Ann'))).rejects.toThrow('Bob has claimed it');
  });

  test('an assigned case is its assignee’s, and an escalated one a risk officer’s', async () => {
    const [id = ''] = await open([{}]);
    await reviewing.claim(id, by('Bob'));
    expect(await reviewing.assign(id, 'Ann', by('Cy'))).toMatchObject({
      state: 'open',
      assignee: 'Ann',
    });
    expect(await reviewing.next({}, by('Bob'))).toBeUndefined();
    expect((await reviewing.next({}, by('Ann')))?.transaction_id).toBe(id);
    await reviewing.escalate(id, 'a ring', by('Ann'));
    expect(await reviewing.next({}, by('Ann'))).toBeUndefined();
    await expect(reviewing.claim(id, by('Ann'))).rejects.toMatchObject({ code: 'CASE_ESCALATED' });
    expect((await reviewing.next({}, by('Bob')))?.locked_by).toBe('Bob');
    await expect(reviewing.assign(id, 'Nobody', by('Bob'))).rejects.toThrow('the name of a person');
  });
});

describe('decisions', () => {
  test('become final after the time to undo, once, as label, decision and audit', async () => {
    const ids = await open([{}, {}, {}]);
    const dispositions = ['fraud', 'legitimate', 'unsure'] as const;
    for (const [index, disposition] of dispositions.entries()) {
      await reviewing.claim(ids[index] ?? '', by('Ann'));
      await reviewing.decide(ids[index] ?? '', { disposition, reason: 'seen' }, by('Ann'));
    }
    expect(await close()).toEqual([]);
    expect(await labels()).toEqual([]);
    await passUndo();
    invalidated.length = 0;
    expect((await Promise.all([close(), close()])).flat()).toHaveLength(3);
    expect(await close()).toEqual([]);
    expect(await labels()).toEqual([
      { id: ids[0], label: 'fraud', source: 'review', identity: 'Ann' },
      { id: ids[1], label: 'legitimate', source: 'review', identity: 'Ann' },
    ]);
    expect(invalidated.flat().sort()).toEqual(ids.slice(0, 2));
    expect(await testDatabase.sql('select from label_batches')).toEqual([]);
    const decisions = await testDatabase.sql(
      'select decision_id as nth, disposition, label from final_decisions order by transaction_id',
    );
    expect(decisions).toMatchObject([
      { disposition: 'fraud', label: 'posted' },
      { disposition: 'legitimate', label: 'posted' },
      { disposition: 'unsure', label: 'none' },
    ]);
    const stored = await readStoredTransaction(database, ids[0] ?? '', NOW, null);
    expect(stored?.finalDecision).toMatchObject({ disposition: 'fraud' });
    expect(new Set(decisions.map((row) => Object(row).nth))).toEqual(new Set(['1', '2', '3']));
    expect(await actions(ids[0] ?? '')).toEqual([
      'Ann case.claim',
      'Ann case.decide',
      'engine case.close',
    ]);
  });

  test('leave all or nothing where the worker ends before its commit, and one label where it ends after', async () => {
    const [id = ''] = await open([{}]);
    await reviewing.claim(id, by('Ann'));
    await reviewing.decide(id, FRAUD, by('Ann'));
    await passUndo();
    const cut: Pick<Database, 'transaction'> = {
      transaction: (work) =>
        database.transaction(async (query) => {
          await work(query);
          throw new Error('ends before');
        }),
    };
    await expect(close(cut)).rejects.toThrow('ends before');
    expect([await labels(), await testDatabase.sql('select from final_decisions')]).toEqual([
      [],
      [],
    ]);
    const failing = async () => {
      throw new Error('ends after');
    };
    await expect(
      closeDecided({ writes: database, database, invalidateLabelled: failing }, 'test'),
    ).rejects.toThrow('ends after');
    expect(await labels()).toHaveLength(1);
    expect(await testDatabase.sql('select from label_batches')).toHaveLength(1);
    expect(await close()).toEqual([]);
    expect(await labels()).toHaveLength(1);
  });

  test('can be undone until they are final, by those who made them', async () => {
    const [id = ''] = await open([{}]);
    await reviewing.claim(id, by('Ann'));
    await reviewing.decide(id, FRAUD, by('Ann'));
    await expect(reviewing.undo(id, by('Bob'))).rejects.toMatchObject({ code: 'NOT_YOURS' });
    expect(await reviewing.undo(id, by('Ann'))).toMatchObject({ state: 'claimed', decision: null });
    await passUndo();
    await close();
    expect(await labels()).toEqual([]);
    await reviewing.decide(id, { disposition: 'legitimate', reason: 'seen' }, by('Ann'));
    await passUndo();
    await expect(reviewing.undo(id, by('Ann'))).rejects.toMatchObject({ code: 'DECISION_FINAL' });
    await close();
    expect(await labels()).toMatchObject([{ label: 'legitimate' }]);
  });

  test('on much money, or an unknown amount, take two people', async () => {
    const [rich = '', unknown = ''] = await open([{ amount: '5000.00' }, { currency: 'EGP' }]);
    for (const id of [rich, unknown]) {
      await reviewing.claim(id, by('Bob'));
      const decided = await reviewing.decide(id, FRAUD, by('Bob'));
      expect(decided).toMatchObject({ state: 'confirming', needs_second_person: true });
      await passUndo();
      expect(await close()).toEqual([]);
      await expect(reviewing.confirm(id, by('Bob'))).rejects.toMatchObject({ code: 'ONE_PERSON' });
      await expect(reviewing.confirm(id, by('Ann'))).rejects.toMatchObject({
        code: 'NOT_AN_OFFICER',
      });
    }
    expect(await reviewing.confirm(rich, by('Cy'))).toMatchObject({ state: 'decided' });
    expect(await reviewing.giveBack(unknown, 'no receipt', by('Cy'))).toMatchObject({
      state: 'open',
    });
    await passUndo();
    await close();
    expect(await labels()).toMatchObject([{ id: rich, label: 'fraud' }]);
    await reviewing.claim(unknown, by('Dee'));
    await reviewing.decide(unknown, FRAUD, by('Dee'));
    await expect(reviewing.confirm(unknown, by('Cy'))).rejects.toMatchObject({
      code: 'ONE_PERSON',
    });
    const confirm = testDatabase.sql(
      `update review_cases set state = 'decided', final_at = now(), confirmed_by = 'Cy', confirmed_by_key = $1
        where transaction_id = $2`,
      [by('Cy').keyId, unknown],
    );
    await expect(confirm).rejects.toThrow("are not two people's");
  });

  test('on a ring take all open cases of a party, but those that others have claimed', async () => {
    const ids = await open([
      ...Array.from({ length: 5 }, () => ({ accountId: 'ring' })),
      { accountId: 'ring', amount: '9000.00' },
      { accountId: 'other' },
    ]);
    await reviewing.claim(ids[0] ?? '', by('Bob'));
    await reviewing.claim(ids[1] ?? '', by('Ann'));
    const ring = { party: 'account', id: 'ring', ...FRAUD } as const;
    const { items, more } = await reviewing.decideRing(ring, by('Ann'));
    expect(more).toBe(false);
    expect(items.map((one) => [one.transaction_id, one.state])).toEqual([
      ...ids.slice(1, 5).map((id) => [id, 'decided']),
      [ids[5], 'confirming'],
    ]);
    expect((await reviewing.decideRing(ring, by('Ann'))).items).toEqual([]);
    await passUndo();
    await close();
    expect(await labels()).toHaveLength(4);
  });
});

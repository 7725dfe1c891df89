/**
 * Goal: no two reviewers have one case, a decision becomes final once and makes one label, much money takes two people, and no
 * dispute is lost, whatever people have done with the case before.
 * Method: many reviewers at once against a real database; locks and deadlines pass by moving their times in the table.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { readStoredTransaction } from '../../../../src/core/store/transactions/read-transactions.ts';
import type { Database } from '../../../../src/kit/database/pool.ts';
import { closeDecided } from '../../../../src/rooms/review/change/close-decided.ts';
import { addDisputes } from '../../../../src/rooms/review/store/reviewed.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { raiseCases } from '../../../support/rooms/review/cases.ts';
import { createReviewRig } from '../../../support/rooms/review/rig.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const FRAUD = { disposition: 'fraud', reason: 'seen' } as const;

const rig = await openForFile(createReviewRig());

beforeEach(() => rig.clear());

describe('claims', () => {
  test('50 reviewers who race for 200 cases get each case once, the most urgent first', async () => {
    const ids = await rig.open(
      Array.from({ length: 200 }, (_, index) => ({
        amount: index % 2 === 0 ? '2000.00' : '10.00',
      })),
    );
    const racers = Array.from({ length: 50 }, (_, index) => ({
      ...rig.by('Ann'),
      name: `racer ${index}`,
    }));
    const claimed = await Promise.all(
      racers.map(async (racer) => {
        const mine: string[] = [];
        for (;;) {
          const next = await rig.reviewing.next({}, racer);
          if (next === null) return mine;
          mine.push(next.transaction_id);
        }
      }),
    );
    expect(claimed.flat().sort()).toEqual(ids.toSorted());
    const [rows] = await rig.testDatabase.sql<{ holders: number; locked: number; claims: number }>(
      `select count(distinct locked_by)::int as holders, count(locked_by)::int as locked,
              (select count(*)::int from audit_log where action = 'case.claim' and who like 'racer%') as claims
         from review_cases`,
    );
    expect(rows).toMatchObject({ locked: 200, claims: 200 });
    const firsts = claimed.flatMap(([first]) => first ?? []);
    // More cases are urgent than there are reviewers: one may skip a case that another has just locked.
    const urgent = new Set(ids.filter((_, index) => index % 2 === 0));
    expect(firsts.filter((id) => !urgent.has(id))).toEqual([]);
  });

  test('an expired lock is nobody’s; an extended one is kept', async () => {
    const [id = ''] = await rig.open([{}]);
    await rig.reviewing.claim(id, rig.by('Ann'));
    await expect(rig.reviewing.claim(id, rig.by('Bob'))).rejects.toThrow('Ann has claimed it');
    expect(await rig.reviewing.next({}, rig.by('Bob'))).toBeNull();
    await rig.testDatabase.sql(`update review_cases set locked_until = now() + interval '1 s'`);
    const kept = await rig.reviewing.extendLock(id, rig.by('Ann'));
    expect(Date.parse(kept.locked_until ?? '')).toBeGreaterThan(Date.now() + 600_000);
    await rig.testDatabase.sql(`update review_cases set locked_until = now() - interval '1 ms'`);
    await expect(rig.reviewing.decide(id, FRAUD, rig.by('Ann'))).rejects.toThrow('claim it first');
    expect((await rig.reviewing.next({}, rig.by('Bob')))?.locked_by).toBe('Bob');
    await expect(rig.reviewing.decide(id, FRAUD, rig.by('Ann'))).rejects.toThrow(
      'Bob has claimed it',
    );
  });

  test('an assigned case is its assignee’s, and an escalated one a risk officer’s', async () => {
    const [id = ''] = await rig.open([{}]);
    await rig.reviewing.claim(id, rig.by('Bob'));
    expect(await rig.reviewing.assign(id, 'Ann', rig.by('Cy'))).toMatchObject({
      state: 'open',
      assignee: 'Ann',
    });
    expect(await rig.reviewing.next({}, rig.by('Bob'))).toBeNull();
    expect((await rig.reviewing.next({}, rig.by('Ann')))?.transaction_id).toBe(id);
    await rig.reviewing.escalate(id, 'a ring', rig.by('Ann'));
    expect(await rig.reviewing.next({}, rig.by('Ann'))).toBeNull();
    await expect(rig.reviewing.claim(id, rig.by('Ann'))).rejects.toMatchObject({
      code: 'CASE_ESCALATED',
    });
    expect((await rig.reviewing.next({}, rig.by('Bob')))?.locked_by).toBe('Bob');
    await expect(rig.reviewing.assign(id, 'Nobody', rig.by('Bob'))).rejects.toThrow(
      'the name of a person',
    );
    // Whom an officer names has it, although it was left to officers.
    await rig.reviewing.assign(id, 'Ann', rig.by('Bob'));
    expect(await rig.reviewing.next({}, rig.by('Bob'))).toBeNull();
    expect((await rig.reviewing.next({}, rig.by('Ann')))?.transaction_id).toBe(id);
  });
});

describe('decisions', () => {
  test('become final after the time to undo, once, as label, decision and audit', async () => {
    const ids = await rig.open([{}, {}, {}]);
    const dispositions = ['fraud', 'legitimate', 'unsure'] as const;
    for (const [index, disposition] of dispositions.entries()) {
      await rig.reviewing.claim(ids[index] ?? '', rig.by('Ann'));
      await rig.reviewing.decide(ids[index] ?? '', { disposition, reason: 'seen' }, rig.by('Ann'));
    }
    expect(await rig.close()).toEqual([]);
    expect(await rig.labels()).toEqual([]);
    await rig.passUndo();
    rig.invalidated.length = 0;
    expect((await Promise.all([rig.close(), rig.close()])).flat()).toHaveLength(3);
    expect(await rig.close()).toEqual([]);
    expect(await rig.labels()).toEqual([
      { id: ids[0], label: 'fraud', source: 'review', identity: 'Ann' },
      { id: ids[1], label: 'legitimate', source: 'review', identity: 'Ann' },
    ]);
    expect(rig.invalidated.flat().sort()).toEqual(ids.slice(0, 2));
    expect(await rig.testDatabase.sql('select from outbox_labels')).toEqual([]);
    const decisions = await rig.testDatabase.sql(
      'select decision_id as nth, disposition, label from final_decisions order by transaction_id',
    );
    expect(decisions).toMatchObject([
      { disposition: 'fraud', label: 'posted' },
      { disposition: 'legitimate', label: 'posted' },
      { disposition: 'unsure', label: 'none' },
    ]);
    const stored = await readStoredTransaction(rig.database, ids[0] ?? '', NOW, null);
    expect(stored?.finalDecision).toMatchObject({ disposition: 'fraud' });
    expect(new Set(decisions.map((row) => Object(row).nth))).toEqual(new Set(['1', '2', '3']));
    expect(await rig.actions(ids[0] ?? '')).toEqual([
      'Ann case.claim',
      'Ann case.decide',
      'engine case.close',
    ]);
  });

  test('leave all or nothing where the worker ends before its commit, and one label where it ends after', async () => {
    const [id = ''] = await rig.open([{}]);
    await rig.reviewing.claim(id, rig.by('Ann'));
    await rig.reviewing.decide(id, FRAUD, rig.by('Ann'));
    await rig.passUndo();
    const cut: Pick<Database, 'transaction'> = {
      transaction: (work) =>
        rig.database.transaction(async (query) => {
          await work(query);
          throw new Error('ends before');
        }),
    };
    await expect(rig.close(cut)).rejects.toThrow('ends before');
    expect([await rig.labels(), await rig.testDatabase.sql('select from final_decisions')]).toEqual(
      [[], []],
    );
    const failing = async () => {
      throw new Error('ends after');
    };
    await expect(
      closeDecided(
        { writes: rig.database, database: rig.database, invalidateLabelled: failing },
        'test',
      ),
    ).rejects.toThrow('ends after');
    expect(await rig.labels()).toHaveLength(1);
    expect(await rig.testDatabase.sql('select from outbox_labels')).toHaveLength(1);
    expect(await rig.close()).toEqual([]);
    expect(await rig.labels()).toHaveLength(1);
  });

  test('can be undone until they are final, by those who made them', async () => {
    const [id = ''] = await rig.open([{}]);
    await rig.reviewing.claim(id, rig.by('Ann'));
    await rig.reviewing.decide(id, FRAUD, rig.by('Ann'));
    await expect(rig.reviewing.undo(id, rig.by('Bob'))).rejects.toMatchObject({
      code: 'NOT_YOURS',
    });
    expect(await rig.reviewing.undo(id, rig.by('Ann'))).toMatchObject({
      state: 'claimed',
      decision: null,
    });
    await rig.passUndo();
    await rig.close();
    expect(await rig.labels()).toEqual([]);
    await rig.reviewing.decide(id, { disposition: 'legitimate', reason: 'seen' }, rig.by('Ann'));
    await rig.passUndo();
    await expect(rig.reviewing.undo(id, rig.by('Ann'))).rejects.toMatchObject({
      code: 'DECISION_FINAL',
    });
    await rig.close();
    expect(await rig.labels()).toMatchObject([{ label: 'legitimate' }]);
  });

  test('on much money, or an unknown amount, take two people', async () => {
    const [rich = '', unknown = ''] = await rig.open([{ amount: '5000.00' }, { currency: 'EGP' }]);
    for (const id of [rich, unknown]) {
      await rig.reviewing.claim(id, rig.by('Bob'));
      const decided = await rig.reviewing.decide(id, FRAUD, rig.by('Bob'));
      expect(decided).toMatchObject({ state: 'confirming', needs_second_person: true });
      await rig.passUndo();
      expect(await rig.close()).toEqual([]);
      await expect(rig.reviewing.confirm(id, rig.by('Bob'))).rejects.toMatchObject({
        code: 'ONE_PERSON',
      });
      await expect(rig.reviewing.confirm(id, rig.by('Ann'))).rejects.toMatchObject({
        code: 'NOT_AN_OFFICER',
      });
    }
    expect(await rig.reviewing.confirm(rich, rig.by('Cy'))).toMatchObject({ state: 'decided' });
    expect(await rig.reviewing.giveBack(unknown, 'no receipt', rig.by('Cy'))).toMatchObject({
      state: 'open',
    });
    await rig.passUndo();
    await rig.close();
    expect(await rig.labels()).toMatchObject([{ id: rich, label: 'fraud' }]);
    await rig.reviewing.claim(unknown, rig.by('Dee'));
    await rig.reviewing.decide(unknown, FRAUD, rig.by('Dee'));
    await expect(rig.reviewing.confirm(unknown, rig.by('Cy'))).rejects.toMatchObject({
      code: 'ONE_PERSON',
    });
    const confirm = rig.testDatabase.sql(
      `update review_cases set state = 'decided', final_at = now(), confirmed_by = 'Cy', confirmed_by_key = $1
        where transaction_id = $2`,
      [rig.by('Cy').keyId, unknown],
    );
    await expect(confirm).rejects.toThrow("are not two people's");
  });
});

const dispute = (transactionId: string) =>
  rig.database.transaction((query) => addDisputes(query, [{ transactionId, source: 'bank' }]));
const raise = async () => (await raiseCases(rig.database)).length;

const P0 = { source: 'dispute', priority: 0, soon: true };
const rowsOf = () =>
  rig.testDatabase.sql(
    `select source, state, priority, disposition, due_at < now() + interval '3 hours' as soon from review_cases`,
  );

test.each([
  { before: 'verdict', as: 'legitimate', isHigh: false, state: 'open' },
  { before: 'dispute', as: 'legitimate', isHigh: false, state: 'open' },
  { before: 'dispute', as: 'unsure', isHigh: true, state: 'open' },
  { before: 'verdict', as: 'fraud', isHigh: false, state: 'decided' },
  { before: 'verdict', as: 'fraud', isHigh: true, state: 'confirming' },
] as const)(
  'a $before that is decided as $as, not final yet, is $state and urgent',
  async ({ before, as, isHigh, state }) => {
    const [id = ''] = await rig.open([{ amount: isHigh ? '9000.00' : '10.00' }]);
    if (before === 'dispute') await dispute(id);
    await raise();
    await rig.reviewing.claim(id, rig.by('Ann'));
    await rig.reviewing.decide(id, { disposition: as, reason: 'seen' }, rig.by('Ann'));
    await rig.testDatabase.sql(`update review_cases set due_at = now() + interval '9 hours'`);
    await dispute(id);
    expect(await raise()).toBe(1);
    const isKept = state !== 'open';
    expect(await rowsOf()).toEqual([{ ...P0, state, disposition: isKept ? 'fraud' : null }]);
    const audited = await rig.testDatabase.sql(
      `select who, action, before, after from audit_log where subject = $1 order by audit_id desc limit 1`,
      [id],
    );
    expect(audited).toMatchObject([
      { who: 'engine', action: 'case.dispute', before: { disposition: as }, after: { state } },
    ]);
    await dispute(id);
    expect(await raise()).toBe(0);
    if (!isKept) return;
    expect(await rig.reviewing.undo(id, rig.by('Ann'))).toMatchObject({
      ...{ state: 'claimed', priority: 'P0', source: 'dispute' },
    });
  },
);

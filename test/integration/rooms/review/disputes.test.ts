/**
 * Goal: no dispute is lost, whatever people have done with the case before, and what it changes is audited.
 * Method: cases of each state, disputed as labels of a bank dispute them.
 */
import { beforeEach, expect, test } from 'vitest';
import { raiseCases } from '../../../../src/rooms/review/change/raise-cases.ts';
import { addDisputes } from '../../../../src/rooms/review/store/intake.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { createReviewRig } from '../../../support/rooms/review/rig.ts';

const rig = await openForFile(createReviewRig());

beforeEach(() => rig.clear());

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

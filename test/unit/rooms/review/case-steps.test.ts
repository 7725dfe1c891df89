/** Goal: a step is refused unless the case is in the state that it needs. Method: cases of each state, and who acts on them. */
import { describe, expect, test } from 'vitest';
import { later, type StoredCase, type StoredState } from '../../../../src/rooms/review/case.ts';
import * as steps from '../../../../src/rooms/review/case-steps.ts';
import { storedCase } from '../../../support/rooms/review/cases.ts';
import { FIRST_POLICY } from '../../../support/rooms/review/policy.ts';

const NOW = '2026-11-20T12:00:00.000Z';
const SOON = later(NOW, 1);
const policy = FIRST_POLICY;
const ann = { name: 'Ann', keyId: 'ann', isOfficer: false };
const bob = { name: 'Bob', keyId: 'bob', isOfficer: true };

const held = { locked_by: 'Ann', locked_until: SOON };
const decided: Partial<StoredCase> = {
  ...{ decision_reason: 'seen', decided_by: 'Ann', decided_by_key: 'ann', decided_at: NOW },
  disposition: 'fraud',
};
const STATES: Readonly<Record<StoredState, Partial<StoredCase>>> = {
  open: held,
  confirming: decided,
  decided: { ...decided, final_at: SOON },
  closed: { ...decided, final_at: NOW, closed_at: NOW },
};
const inState = (state: StoredState, changed: Partial<StoredCase> = {}) =>
  storedCase({ now: NOW, state, ...STATES[state], ...changed });

/** Steps that a risk officer may take, with the states in which they are taken. */
const STEPS: Readonly<Record<string, [(one: StoredCase) => object, readonly StoredState[]]>> = {
  extendLock: [(one) => steps.extendLock(one, ann, policy), ['open']],
  release: [(one) => steps.release(one, bob), ['open']],
  assign: [(one) => steps.assign(one, bob, policy, { assignee: 'Ann' }), ['open']],
  escalate: [(one) => steps.escalate(one, bob), ['open']],
  decide: [
    (one) => steps.decide(one, ann, policy, { disposition: 'fraud', reason: 'seen' }),
    ['open'],
  ],
  confirm: [(one) => steps.confirm(one, bob, policy), ['confirming']],
  giveBack: [(one) => steps.giveBack(one), ['confirming']],
  undo: [(one) => steps.undo(one, ann, policy), ['confirming', 'decided']],
};

describe.each(Object.keys(STATES) as StoredState[])('a case that is %s', (state) => {
  test.each(Object.entries(STEPS))('%s', (_, [step, allowed]) => {
    const taken = () => step(inState(state));
    if (allowed.includes(state)) expect(taken()).toBeTypeOf('object');
    else expect(taken).toThrow('the case stays as it is');
  });
});

test('a lock ends at its last millisecond, and so does the time to undo', () => {
  const verdict = { disposition: 'fraud', reason: 'seen' } as const;
  const at = (locked_until: string) =>
    steps.decide(inState('open', { locked_until }), ann, policy, verdict);
  expect(at(SOON)).toMatchObject({ state: 'decided', final_at: later(NOW, 20_000) });
  expect(() => at(NOW)).toThrow('claim it first');
  const undo = (final_at: string) => steps.undo(inState('decided', { final_at }), ann, policy);
  expect(undo(SOON)).toMatchObject({ state: 'open', locked_by: 'Ann' });
  expect(() => undo(NOW)).toThrow('the decision is final');
});

test('an undone decision that claimed the case by itself leaves the case to nobody', () => {
  const undo = (claimed_at: string) => steps.undo(inState('decided', { claimed_at }), ann, policy);
  expect(undo(NOW)).toMatchObject({ state: 'open', locked_by: null, claimed_at: null });
  expect(undo(later(NOW, -1000))).toMatchObject({ state: 'open', locked_by: 'Ann' });
});

test('a decision on a transaction of the future is not final before that', () => {
  const created_at = later(NOW, 60_000);
  const verdict = { disposition: 'fraud', reason: 'seen' } as const;
  const taken = steps.decide(inState('open', { created_at }), ann, policy, verdict);
  expect(taken).toMatchObject({ final_at: created_at });
});

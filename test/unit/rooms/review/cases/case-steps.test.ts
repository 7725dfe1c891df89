/** Goal: a step is refused unless the case is in the state that it needs. Method: cases of each state, and who acts on them. */
import { describe, expect, test } from 'vitest';
import * as steps from '../../../../../src/rooms/review/cases/case-steps.ts';
import type { StoredCase, StoredState } from '../../../../../src/rooms/review/review-case.ts';
import { storedCase } from '../../../../support/rooms/review/cases.ts';
import { FIRST_POLICY } from '../../../../support/rooms/review/policy.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const policy = FIRST_POLICY;
const ann = { name: 'Ann', keyId: 'ann', isOfficer: false };
const bob = { name: 'Bob', keyId: 'bob', isOfficer: true };

const held = { lockedBy: 'Ann', lockedUntilMs: NOW + 1 };
const decided: Partial<StoredCase> = {
  ...{ decisionReason: 'seen', decidedBy: 'Ann', decidedByKey: 'ann', decidedAtMs: NOW },
  disposition: 'fraud',
};
const STATES: Readonly<Record<StoredState, Partial<StoredCase>>> = {
  open: held,
  confirming: decided,
  decided: { ...decided, finalAtMs: NOW + 1 },
  closed: { ...decided, finalAtMs: NOW, closedAtMs: NOW },
};
const inState = (state: StoredState, changed: Partial<StoredCase> = {}) =>
  storedCase({ nowMs: NOW, state, ...STATES[state], ...changed });

/** Steps that a risk officer may take, with the states in which they are taken. */
const STEPS: Readonly<Record<string, [(one: StoredCase) => object, readonly StoredState[]]>> = {
  keepLock: [(one) => steps.keepLock(one, ann, policy), ['open']],
  release: [(one) => steps.release(one, bob), ['open']],
  assign: [(one) => steps.assign(one, 'Ann'), ['open']],
  escalate: [(one) => steps.escalate(one, bob), ['open']],
  decide: [
    (one) => steps.decide(one, ann, { disposition: 'fraud', reason: 'seen' }, policy),
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
  const at = (lockedUntilMs: number) =>
    steps.decide(inState('open', { lockedUntilMs }), ann, verdict, policy);
  expect(at(NOW + 1)).toMatchObject({ state: 'decided', finalAtMs: NOW + 10_000 });
  expect(() => at(NOW)).toThrow('claim it first');
  const undo = (finalAtMs: number) => steps.undo(inState('decided', { finalAtMs }), ann, policy);
  expect(undo(NOW + 1)).toMatchObject({ state: 'open', lockedBy: 'Ann' });
  expect(() => undo(NOW)).toThrow('the decision is final');
});

test('a decision on a transaction of the future is not final before that', () => {
  const createdAtMs = NOW + 60_000;
  const verdict = { disposition: 'fraud', reason: 'seen' } as const;
  const taken = steps.decide(inState('open', { createdAtMs }), ann, verdict, policy);
  expect(taken).toMatchObject({ finalAtMs: createdAtMs });
});

test('whom a risk officer assigns a case to may claim it, although it was left to risk officers', () => {
  const one = inState('open', { lockedBy: null, lockedUntilMs: null, escalatedBy: 'Cy' });
  expect(() => steps.claim(one, ann, policy)).toThrow('Cy left it to a risk officer');
  expect(steps.claim({ ...one, assignee: 'Ann' }, ann, policy)).toMatchObject({ lockedBy: 'Ann' });
  expect(() => steps.claim({ ...one, assignee: 'Ann' }, bob, policy)).toThrow('assigned to Ann');
});

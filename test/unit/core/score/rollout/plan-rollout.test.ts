/**
 * Goal: however people promote and roll back, a corridor has one active model and one canary at most,
 * no step is left out, and going back leads to what was. Method: properties over drawn decisions.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ProposedState, Rollout } from '../../../../../src/core/score/rollout/holding.ts';
import {
  holdingsIn,
  planOwnShadow,
  planPromotion,
  planRollback,
  type Target,
} from '../../../../../src/core/score/rollout/plan-rollout.ts';
import { Failure } from '../../../../../src/kit/words/failure.ts';

const CORRIDORS = ['US-EG', 'US-MX'];

const target = fc
  .record({
    subject: fc.constantFrom('a', 'b', 'c'),
    state: fc.constantFrom<ProposedState>('shadow', 'canary', 'active'),
    percent: fc.constantFrom(5, 50),
  })
  .map(({ percent, ...rest }) => ({
    ...rest,
    canary_percent: rest.state === 'canary' ? percent : 0,
  }));
const decision = fc.record({
  corridors: fc.constantFrom(CORRIDORS, ['US-EG'], ['US-MX']),
  target: fc.option(target, { freq: 5, nil: undefined }),
});
/** All steps of a model one after the other, which single draws seldom are. */
const rise = fc
  .record({
    subject: fc.constantFrom('a', 'b', 'c'),
    corridors: decision.map((one) => one.corridors),
  })
  .map(({ subject, corridors }) => activate(subject).map((step) => ({ ...step, corridors })));
const decisions = fc
  .array(
    fc.oneof(
      decision.map((one) => [one]),
      rise,
    ),
    { maxLength: 20 },
  )
  .map((made) => made.flat());
type Decision = { corridors: string[]; target: Target | undefined };

/** The rows of a decision; none when it is refused. */
function decide(log: readonly Rollout[], { corridors, target: to }: Decision): Rollout[] {
  try {
    return to === undefined ? planRollback(log, corridors) : planPromotion(log, corridors, to);
  } catch (error) {
    if (error instanceof Failure && error.code === 'ROLLOUT_REFUSED') return [];
    throw error;
  }
}
function logOf(made: readonly Decision[]): Rollout[] {
  const log: Rollout[] = [];
  for (const next of made) log.push(...decide(log, next));
  return log;
}
const modelsOf = (log: readonly Rollout[], corridor: string, state: string) =>
  [...holdingsIn(log, corridor)].filter(([, held]) => held.state === state).map(([id]) => id);

function to(subject: string, state: ProposedState, percent = 0): Decision {
  return { corridors: ['US-EG'], target: { subject, state, canary_percent: percent } };
}
function activate(subject: string): Decision[] {
  return [to(subject, 'shadow'), to(subject, 'canary', 5), to(subject, 'active')];
}
const back: Decision = { corridors: ['US-EG'], target: undefined };

test('a corridor has one active model and one canary at most', () => {
  fc.assert(
    fc.property(decisions, (made) => {
      const log = logOf(made);
      for (const corridor of CORRIDORS) {
        expect(modelsOf(log, corridor, 'active').length).toBeLessThan(2);
        expect(modelsOf(log, corridor, 'canary').length).toBeLessThan(2);
      }
    }),
  );
});

test('a model becomes active only after it was a canary somewhere', () => {
  fc.assert(
    fc.property(decisions, (made) => {
      const log = logOf(made);
      const first = log.findIndex(({ state }) => state === 'active');
      if (first < 0) return;
      const before = log.slice(0, first).filter(({ subject }) => subject === log[first]?.subject);
      expect(before.map(({ state }) => state)).toContain('canary');
    }),
  );
});

test('rolling an activation back brings back the model that was active', () => {
  fc.assert(
    fc.property(decisions, fc.constantFrom('a', 'b', 'c'), (made, subject) => {
      const log = logOf(made);
      const rows = decide(log, to(subject, 'active'));
      fc.pre(rows.length > 0 && modelsOf([...log, ...rows], 'US-EG', 'canary').length === 0);
      const after = [...log, ...rows, ...planRollback([...log, ...rows], ['US-EG'])];
      expect(modelsOf(after, 'US-EG', 'active')).toEqual(modelsOf(log, 'US-EG', 'active'));
      expect(holdingsIn(after, 'US-EG').get(subject)?.state).toBe('deprecated');
    }),
  );
});

test('rolling back again and again ends with the rules alone', () => {
  fc.assert(
    fc.property(decisions, (made) => {
      let log = logOf(made);
      for (let rows = decide(log, back); rows.length > 0; rows = decide(log, back)) {
        log = [...log, ...rows];
        expect(log.length).toBeLessThan(500);
      }
      expect(modelsOf(log, 'US-EG', 'active')).toEqual([]);
      expect(modelsOf(log, 'US-EG', 'canary')).toEqual([]);
    }),
  );
});

test('the engine has one shadow a corridor, and ends none that people have moved', () => {
  const first = planOwnShadow([], CORRIDORS, 'a');
  const second = planOwnShadow(first, CORRIDORS, 'b');
  expect(modelsOf([...first, ...second], 'US-MX', 'shadow')).toEqual(['b']);
  const log = [...first, ...decide(first, to('a', 'canary', 5))];
  expect(modelsOf(log, 'US-EG', 'canary')).toEqual(['a']);
  const after = [...log, ...planOwnShadow(log, CORRIDORS, 'b')];
  expect(modelsOf(after, 'US-EG', 'canary')).toEqual(['a']);
  expect(modelsOf(after, 'US-MX', 'shadow')).toEqual(['b']);
});

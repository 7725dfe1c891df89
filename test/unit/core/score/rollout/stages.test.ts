/**
 * Goal: nothing decides more before it has decided less for as long and as well as the table of stages says. Method: logs of
 * rollouts and counts on both sides of each bound.
 */
import { describe, expect, test } from 'vitest';
import type { Rollout } from '../../../../../src/core/score/rollout/holding.ts';
import {
  type Counts,
  lookAt,
  progressOf,
  STAGES,
  type Stage,
  stageBefore,
  type TimedRollout,
  whyTakeBack,
} from '../../../../../src/core/score/rollout/stages.ts';

const KNOWN = ['DE-TR', 'GB-NG', 'GB-PK', 'US-EG', 'US-IN', 'US-MX'];
const at = (minutes: number) => new Date(minutes * 60_000).toISOString();
/** `US-EG canary 5`, or `US-EG active`, a minute after the row before it. */
const rowsOf = (...texts: readonly string[]): TimedRollout[] =>
  texts.map((text, minute) => {
    const [corridor = '', state = '', percent = '0', cause = 'approval'] = text.split(' ');
    return {
      ...{ corridor, subject: 'own@1', canary_percent: Number(percent), created_at: at(minute) },
      ...{ state: state as Rollout['state'], cause: cause as Rollout['cause'] },
    };
  });
const progress = (...texts: readonly string[]) => progressOf(rowsOf(...texts), 'own@1', KNOWN);

test.each<[string, string[], string[], number | undefined]>([
  ['a shadow', [], ['US-EG shadow'], undefined],
  ['a first canary of 5 %', ['US-EG shadow'], ['US-EG canary 5'], undefined],
  ['a first canary of 6 %', ['US-EG shadow'], ['US-EG canary 6'], 1],
  ['a smaller canary', ['US-EG canary 50'], ['US-EG canary 1'], undefined],
  ['a larger canary of its stage', ['US-EG canary 1'], ['US-EG canary 5'], undefined],
  ['the whole corridor', ['US-EG canary 5'], ['US-EG active'], 1],
  ['the rest of a corridor', ['US-EG canary 6'], ['US-EG active'], undefined],
  ['a second corridor of the country', ['US-EG active'], ['US-IN canary 1'], 2],
  ['a second corridor beside a canary', ['US-EG canary 5'], ['US-IN canary 5'], 2],
  ['a third of the country', ['US-EG active', 'US-IN active'], ['US-MX active'], undefined],
  ['a corridor of another country', ['US-EG active'], ['DE-TR canary 1'], 3],
  ['a canary everywhere', [], KNOWN.map((one) => `${one} canary 1`), 3],
  [
    'a further one of several countries',
    ['US-EG active', 'DE-TR active'],
    ['GB-NG active'],
    undefined,
  ],
  ['what an emergency has done', ['US-EG active 0 emergency'], ['US-EG active'], 1],
  ['what was rolled back', ['US-EG canary 5', 'US-EG deprecated'], ['US-EG active'], 1],
])('stageBefore of %s', (_what, log, asked, stage) => {
  expect(stageBefore(progress(...log), rowsOf(...asked), 'own@1')).toBe(stage);
});

describe('progressOf', () => {
  test('a stage lasts from when it was reached, through further steps of it', () => {
    const { stage, since } = progress(
      'US-EG canary 1',
      'US-EG canary 5',
      'US-EG active',
      'US-IN active',
    );
    expect([stage, ...since.slice(1)]).toEqual([3, at(0), at(2), at(3), null]);
  });

  test('a rollback ends the stages that it leaves', () => {
    const { stage, since } = progress(
      'US-EG active',
      'US-IN active',
      'US-IN deprecated 0 rollback',
    );
    expect([stage, ...since.slice(1)]).toEqual([2, at(0), at(0), null, null]);
  });

  test('one corridor that is all its country has, or the market, is the later stage too', () => {
    expect(progress('DE-TR active').stage).toBe(3);
    expect(progress('DE-TR canary 99').stage).toBe(2);
    expect(stageBefore(progress('DE-TR active'), rowsOf('US-EG active'), 'own@1')).toBe(3);
    expect(progressOf(rowsOf('DE-TR active'), 'own@1', ['DE-TR']).stage).toBe(4);
  });
});

describe('lookAt', () => {
  const [canary, corridor] = STAGES as [Stage, Stage, Stage];
  const fine: Counts = {
    ...{ corridor: 'US-EG', decided: 1000, failed: 9, scored: 20_000, over500: 200, over750: 100 },
  };
  const look = (stage: Stage, minutes: number, counts: Partial<Counts> = {}) =>
    lookAt(stage, at(0), [{ ...fine, ...counts }], minutes * 60_000).refusal;

  test('a stage is over with its dwell time and its gates held', () => {
    expect(look(canary, 30)).toBeNull();
    expect(look(canary, 29.9)).toBe(
      'the stage canary (5 % of one corridor) comes before: its dwell time of 30 min ends in 1 min',
    );
    expect(look(corridor, 119)).toContain('its dwell time of 120 min ends in 1 min');
    expect(lookAt(canary, null, [], 0).refusal).toContain(
      'its dwell time of 30 min ends in 30 min',
    );
  });

  test.each<[string, Stage, Partial<Counts>, RegExp | null]>([
    ['2 % failed', corridor, { failed: 20 }, /2.00 % of its decisions .* less than 2.00 % may/],
    ['1.9 % failed', corridor, { failed: 19 }, null],
    ['p99 of 750 ms', corridor, { over500: 20_000, over750: 201 }, /750 ms or longer/],
    ['p99 below 750 ms', corridor, { over500: 20_000, over750: 200 }, null],
    ['enough', canary, { decided: 100, failed: 0 }, null],
    ['nothing', canary, { decided: 0, failed: 0, scored: 0, over500: 0 }, /decided 0 transactions/],
  ])('%s', (_what, stage, counts, refusal) => {
    const found = look(stage, 1000, counts);
    if (refusal === null) expect(found).toBeNull();
    else expect(found).toMatch(refusal);
  });
});

test.each([
  [{ decided: 60, failed: 3, severe: 0 }, 'of 60 decisions within two minutes 3 failed'],
  [{ decided: 61, failed: 3, severe: 0 }, undefined],
  [{ decided: 2, failed: 2, severe: 2 }, undefined],
  [
    { decided: 299, failed: 0, severe: 3 },
    'of 299 decisions within two minutes 3 took over 2000 ms',
  ],
  [{ decided: 300, failed: 0, severe: 3 }, undefined],
])('whyTakeBack of %j', (recent, why) => {
  expect(whyTakeBack(recent)).toBe(why);
});

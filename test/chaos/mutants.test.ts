/**
 * Goal: the mutants of the fault suite are up to date with the engine. Method: every replacement applies
 * exactly once to the file it names, and every mutant names a scenario that exists.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../src/kit/random.ts';
import { DRILLS } from '../drills/catalogue.ts';
import { MUTANTS as DRILL_MUTANTS } from '../drills/mutants.ts';
import { MUTANTS as ISOLATION_MUTANTS, PROOFS } from '../isolation/catalogue.ts';
import { SETUPS } from '../setups/catalogue.ts';
import { MUTANTS as SETUP_MUTANTS } from '../setups/mutants.ts';
import { REPOSITORY } from '../support/risk.ts';
import { SCENARIOS } from './catalogue.ts';
import { MUTANTS } from './mutants.ts';
import { mutate } from './support/mutations.ts';

const SUITES = [
  { mutants: MUTANTS, scenarios: SCENARIOS },
  { mutants: SETUP_MUTANTS, scenarios: SETUPS },
  { mutants: ISOLATION_MUTANTS, scenarios: PROOFS },
  { mutants: DRILL_MUTANTS, scenarios: DRILLS },
];

describe('mutants', () => {
  test.each(SUITES.flatMap(({ mutants }) => mutants))(
    '$name applies to the engine as it is',
    ({ also = [], ...first }) => {
      for (const replacement of [first, ...also]) {
        const text = readFileSync(join(REPOSITORY, replacement.file), 'utf8');
        expect(mutate(text, replacement)).not.toBe(text);
      }
    },
  );

  test.each(SUITES)('each names a scenario', ({ mutants, scenarios }) => {
    const names = scenarios.map(({ name }) => name);
    expect(mutants.filter(({ scenario }) => !names.includes(scenario))).toEqual([]);
  });

  test('one that does not apply, or applies twice, is refused', () => {
    const replacement = { file: 'f', find: 'a', replace: 'b' };
    expect(() => mutate('x', replacement)).toThrow('0 times');
    expect(() => mutate('a a', replacement)).toThrow('2 times');
    expect(mutate('a', replacement)).toBe('b');
  });
});

test('scenarios have names of their own', () => {
  const names = [...SCENARIOS, ...SETUPS, ...PROOFS, ...DRILLS].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test('the same seed draws the same faults', () => {
  const scale = { transactions: 4000, rate: 1000, isQuick: false };
  const draw = (seed: string) =>
    SCENARIOS.map(({ plan }) => plan(createRandom(seed), scale).schedule.join());
  expect(draw('1')).toEqual(draw('1'));
  expect(draw('1')).not.toEqual(draw('2'));
});

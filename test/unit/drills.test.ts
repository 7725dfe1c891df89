/** Drills say what was gone and for how long, miss no target silently, and run commands that documents have. */
import { expect, test } from 'vitest';
import { createOutput } from '../../src/kit/command/output.ts';
import type { Outcome } from '../chaos/support/run-scenario.ts';
import { DRILLS } from '../drills/catalogue.ts';
import { longestPause, RPO, secondsOf, UNACCEPTED, UNSCORED } from '../drills/support/drill.ts';
import { printDrills } from '../drills/support/table.ts';
import { readText } from './ship/ship-files.ts';

test('what is gone counts from its first answer until the incident, or until its last answer', () => {
  expect(secondsOf([], 9000)).toBe(0);
  expect(secondsOf([4000, 6000], 9000)).toBe(5);
  expect(secondsOf([4000, 12_000], 9000)).toBe(8);
});

test('the longest pause begins with the incident at the earliest', () => {
  expect(longestPause([1000, 20_000, 21_000], 9000)).toBe(11);
  expect(longestPause([9500, 12_000, 12_500], 9000)).toBe(2.5);
  expect(longestPause([1000], 9000)).toBeNaN();
});

test('a drill that breaches a bar fails all of them, and is a line of the table', () => {
  const printed: string[] = [];
  const stdout = { write: (text: string) => printed.push(text) };
  const output = createOutput({ json: false, stdout });
  const bar = (check: string, found: number, ok = true) =>
    ({ invariant: 'bar', check, found, expected: '', ok }) as const;
  const outcome = (isMet: boolean): Outcome => ({
    ...{ scenario: 'disk-lost', rate: 300, recoverySeconds: 1, seconds: 50, remarks: [] },
    checks: [bar(RPO, 12.34, isMet), bar(UNACCEPTED, 20), bar(UNSCORED, 21.5)],
    balance: {
      ...{ accepted: 9, scored: 9, dead_lettered: 0, pending: 0, lost: 0, doubled: 0 },
      events_doubled: 0,
    },
    faults: { 'the disk is lost': 1, 'engine recovered': 1 },
    counts: {
      ...{ sent: 9, acknowledged: 9, repeated: 0, refused: 0, unknown: 0, improper: 0 },
      ...{ leftRefused: 0, leftUnknown: 0, contradictions: 0, changed: 0, doubled: 0 },
      ...{ planted: 0, rewound: 0 },
    },
  });
  expect(printDrills(output, [outcome(true)])).toBe(0);
  expect(printed.join('')).toMatch(/disk-lost +the disk is lost +12\.3 +21\.5 .* ok/);
  expect(printDrills(output, [outcome(true), outcome(false)])).toBe(1);
});

test('the page of incidents has a row for each drill, and no other', () => {
  const [, section = ''] = readText('docs/incidents.md').split('## Drills');
  const named = [...section.matchAll(/^\| `([a-z-]+)`/gm)].map(([, name]) => name);
  expect(named.toSorted()).toEqual(DRILLS.map(({ name }) => name).toSorted());
});

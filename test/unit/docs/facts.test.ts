/** Goal: what documents count and list is what the code has. */
import { expect, test } from 'vitest';
import { AUDIT_ACTIONS } from '../../../src/kit/words/audit.ts';
import { MUTANTS } from '../../chaos/mutants.ts';
import { MUTANTS as SETUP_MUTANTS } from '../../setups/mutants.ts';
import { readText } from '../ship/ship-files.ts';
import { DOCUMENTS, PAGES } from './documents.ts';

const LINES_MAX: Readonly<Record<string, number>> = {
  'README.md': 90,
  'ARCHITECTURE.md': 120,
  'docs/performance.md': 200,
};
const RECORD_LINES_MAX = 60;

test('faults.md says how many mechanisms are taken out', () => {
  const simulated = readText('test/simulation/worker-core.test.ts')
    .split('CAUGHT_BY')[1]
    ?.split('];')[0]
    ?.matchAll(/^ {2}\['([\w-]+)'/gm);
  const mechanisms = new Set([...(simulated ?? [])].map(([, name]) => name));
  const faults = readText('docs/faults.md').replaceAll('\n', ' ');
  expect(faults).toContain(`takes each of ${MUTANTS.length} mechanisms out`);
  expect(faults).toContain(`does the same with ${SETUP_MUTANTS.length} mechanisms`);
  expect(faults).toContain(`simulation takes ${mechanisms.size} mechanisms out`);
});

test('audit.md lists each action that is audited, and no other', () => {
  const named = readText('docs/audit.md').matchAll(/`([a-z-]+\.[a-z-]+)`/g);
  expect([...new Set([...named].map(([, name]) => name))].toSorted()).toEqual(
    AUDIT_ACTIONS.toSorted(),
  );
});

test('documents stay within their sizes', () => {
  for (const name of DOCUMENTS) {
    const isRecord = /^docs\/adr\/\d/.test(name);
    const linesMax = isRecord ? RECORD_LINES_MAX : (LINES_MAX[name] ?? Number.POSITIVE_INFINITY);
    expect(readText(name).trimEnd().split('\n').length, name).toBeLessThanOrEqual(linesMax);
  }
  expect(PAGES.length).toBeGreaterThan(50);
});

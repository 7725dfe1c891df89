/**
 * Goal: the simulator's rows are the same everywhere. Method: a digest, which pins every scenario and habit, and the scenario that
 * others are told from; test/property/simulate.test.ts has the laws of any run.
 */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  type SimulateOptions,
  simulate,
  transactionLine,
} from '../../src/tools/simulate/simulate.ts';

const OPTIONS: SimulateOptions = {
  transactions: 40_000,
  accounts: 1_000,
  merchants: 300,
  days: 30,
  endMs: Date.UTC(2026, 10, 1),
  seed: 'unit',
  fraudRate: 0.02,
};
const ROWS = [...simulate(OPTIONS)];

test('simulate gives the same bytes on every machine', () => {
  const bytes = ROWS.slice(0, 5_000).map(transactionLine).join('');
  const digest = createHash('sha256').update(bytes).digest('hex');
  expect(digest).toBe('397407d9c46a164d6482c34a257b61fb9c15b12d566ad871a095a97be4928b5a');
});

test('simulate gives other keys for other options, so that two files never conflict', () => {
  const keys = new Set(ROWS.map((row) => row.idempotencyKey));
  const longer = simulate({ ...OPTIONS, transactions: OPTIONS.transactions + 1 });
  expect([...longer].some((row) => keys.has(row.idempotencyKey))).toBe(false);
});

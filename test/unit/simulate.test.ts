/**
 * Goal: the simulator's rows are the same everywhere. Method: a digest, which pins every scenario and habit, and the scenario that
 * others are told from; test/property/simulate.test.ts has the laws of any run.
 */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { transactionLine } from '../../src/tools/simulate/format.ts';
import { type SimulateOptions, simulate } from '../../src/tools/simulate/simulate.ts';
import type { ScenarioName, SimulatedTransaction } from '../../src/tools/simulate/world.ts';

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
const HOUR_MS = 3_600_000;

const ofScenario = (name: ScenarioName) => ROWS.filter((row) => row.scenario === name);

function groups(
  rows: readonly SimulatedTransaction[],
  field: 'accountId' | 'merchantId' | 'deviceId',
): [SimulatedTransaction, ...SimulatedTransaction[]][] {
  return [...Map.groupBy(rows, (row) => row[field]).values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : [[first, ...others]],
  );
}

function spanMs(rows: readonly SimulatedTransaction[]): number {
  return (rows.at(-1)?.createdAtMs ?? 0) - (rows[0]?.createdAtMs ?? 0);
}

describe('simulate', () => {
  test('gives the same bytes on every machine', () => {
    const bytes = ROWS.slice(0, 5_000).map(transactionLine).join('');
    const digest = createHash('sha256').update(bytes).digest('hex');
    expect(digest).toBe('397407d9c46a164d6482c34a257b61fb9c15b12d566ad871a095a97be4928b5a');
  });

  test('gives other keys for other options, so that two files never conflict', () => {
    const keys = new Set(ROWS.map((row) => row.idempotencyKey));
    const longer = simulate({ ...OPTIONS, transactions: OPTIONS.transactions + 1 });
    expect([...longer].some((row) => keys.has(row.idempotencyKey))).toBe(false);
  });
});

describe('scenarios', () => {
  test('account_takeover comes from one strange device abroad within two hours', () => {
    const known = new Set(ofScenario('none').map((row) => row.deviceId));
    const episodes = groups(ofScenario('account_takeover'), 'deviceId');
    expect(episodes.length).toBeGreaterThan(3);
    for (const episode of episodes) {
      expect(known.has(episode[0].deviceId)).toBe(false);
      expect(episode[0].country).not.toBe(episode[0].corridor.slice(0, 2));
      expect(new Set(episode.map((row) => row.accountId)).size).toBe(1);
      expect(spanMs(episode)).toBeLessThan(2 * HOUR_MS);
    }
  });
});

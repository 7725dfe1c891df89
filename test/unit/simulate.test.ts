/**
 * Goal: the simulator's rows match its scenarios and habits. One run of 40,000 rows is examined from several
 * sides.
 */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { currencyScale } from '../../src/core/domain/currency.ts';
import { reportingLimitMinor } from '../../src/core/domain/reporting-limit.ts';
import { transactionWriter } from '../../src/tools/simulate/format.ts';
import { type SimulateOptions, simulate } from '../../src/tools/simulate/simulate.ts';
import {
  SCENARIOS,
  type ScenarioName,
  type SimulatedTransaction,
} from '../../src/tools/simulate/world.ts';

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

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Median ordinary amount of the account, from the simulated rows themselves. */
function usualAmount(accountId: string): number {
  const amounts = ofScenario('none').filter((row) => row.accountId === accountId);
  return median(amounts.map((row) => Number(row.amount)));
}

describe('simulate', () => {
  test('gives the same bytes on every machine', () => {
    const { line } = transactionWriter('csv');
    const bytes = ROWS.slice(0, 5_000).map(line).join('');
    const digest = createHash('sha256').update(bytes).digest('hex');
    expect(digest).toBe('e347aa4f48efb49aed54072c1b7a4a9b6923c610047a4dde447f10ebc566c761');
  });

  test('gives other people for another seed', () => {
    const others = [...simulate({ ...OPTIONS, transactions: 100, seed: 'another' })];
    const same = [...simulate({ ...OPTIONS, transactions: 100 })];
    expect(others.map((row) => row.amount)).not.toEqual(same.map((row) => row.amount));
  });

  test('gives other keys for other options, so that two files never conflict', () => {
    const keys = new Set(ROWS.map((row) => row.idempotencyKey));
    const longer = simulate({ ...OPTIONS, transactions: OPTIONS.transactions + 1 });
    expect([...longer].some((row) => keys.has(row.idempotencyKey))).toBe(false);
  });

  test('has every scenario', () => {
    expect(new Set(ROWS.map((row) => row.scenario))).toEqual(new Set(SCENARIOS));
  });

  test('uses currencies of scale 0, 2 and 3', () => {
    expect(new Set(ROWS.map((row) => currencyScale(row.currency)))).toEqual(new Set([0, 2, 3]));
  });
});

describe('habits', () => {
  test('most ordinary transactions of an account are with few merchants and near its usual amount', () => {
    const busy = groups(ofScenario('none'), 'accountId').filter((rows) => rows.length >= 40);
    expect(busy.length).toBeGreaterThan(50);
    for (const rows of busy) {
      const visits = groups(rows, 'merchantId').map((visit) => visit.length);
      const topSix = visits.toSorted((one, other) => other - one).slice(0, 6);
      expect(topSix.reduce((sum, count) => sum + count, 0) / rows.length).toBeGreaterThan(0.7);
      const usual = median(rows.map((row) => Number(row.amount)));
      const near = rows.filter((row) => Number(row.amount) < 4 * usual);
      expect(near.length / rows.length).toBeGreaterThan(0.9);
    }
  });

  test('accounts have hours: the busiest eight of the day hold most of their transactions', () => {
    const busy = groups(ofScenario('none'), 'accountId').filter((rows) => rows.length >= 60);
    const shares = busy.map((rows) => {
      const hours = new Array<number>(24).fill(0);
      for (const row of rows) {
        const hour = new Date(row.createdAtMs).getUTCHours();
        hours[hour] = (hours[hour] ?? 0) + 1;
      }
      const best = hours.toSorted((one, other) => other - one).slice(0, 8);
      return best.reduce((sum, count) => sum + count, 0) / rows.length;
    });
    expect(median(shares)).toBeGreaterThan(0.6);
  });

  test('an account keeps its corridor and currency', () => {
    for (const rows of groups(ROWS, 'accountId')) {
      expect(new Set(rows.map((row) => `${row.corridor} ${row.currency}`)).size).toBe(1);
    }
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

  test('structuring stays just below the reporting limit', () => {
    const rows = ofScenario('structuring');
    for (const row of rows) {
      const minor = Number(row.amount) * 10 ** (currencyScale(row.currency) ?? 2);
      const share = minor / reportingLimitMinor(row.currency);
      expect(share).toBeGreaterThanOrEqual(0.88);
      expect(share).toBeLessThan(1);
    }
    for (const episode of groups(rows, 'accountId')) expect(episode.length).toBeGreaterThan(1);
  });

  test('stolen_account spends at least three times the usual amount', () => {
    const ratios = ofScenario('stolen_account').map(
      (row) => Number(row.amount) / usualAmount(row.accountId),
    );
    expect(median(ratios)).toBeGreaterThan(3);
  });

  test('compromised_merchant takes many accounts from strange devices', () => {
    for (const episode of groups(ofScenario('compromised_merchant'), 'merchantId')) {
      expect(new Set(episode.map((row) => row.deviceId)).size).toBe(episode.length);
      expect(new Set(episode.map((row) => row.accountId)).size).toBeGreaterThan(episode.length / 2);
    }
  });

  test('mule_fan_in brings at least 20 accounts to one merchant within an hour', () => {
    const rows = ofScenario('mule_fan_in');
    const first = rows.filter((row) => row.merchantId === rows[0]?.merchantId);
    expect(new Set(first.map((row) => row.accountId)).size).toBeGreaterThanOrEqual(20);
    expect(spanMs(first)).toBeLessThan(HOUR_MS);
  });
});

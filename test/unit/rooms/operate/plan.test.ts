/** Goal: a plan is the formula over measured figures, as computed by hand. */
import { describe, expect, test } from 'vitest';
import { calibrate } from '../../../../src/rooms/operate/plan/calibrate.ts';
import type {
  Content,
  Usage,
  Workers,
  WorkerUsage,
} from '../../../../src/rooms/operate/plan/measure-engine.ts';
import {
  type Calibration,
  type Demand,
  fleetFor,
  peakOf,
  planCapacity,
  postgresMemoryGb,
  priceOf,
} from '../../../../src/rooms/operate/plan/plan.ts';
import { PRICES } from '../../../../src/rooms/operate/plan/prices.ts';

const MEASURED: Calibration = {
  ...{ measured_at: '2026-11-27T08:00:00.000Z', machine: 'two cores', seconds: 30 },
  ...{ transactions: 60_000, transactions_per_request: 100 },
  ...{ api_us: 50, worker_us: 100, postgres_us: 70, redis_us: 14 },
  ...{ postgres_bytes_per_transaction: 1000, review_ratio: 0.001, merchants_per_account: 0.1 },
  ...{ redis_bytes_per_account: 500, redis_bytes_per_merchant: 5000 },
  corridors: { 'US-EG': 0.75, 'GB-NG': 0.25 },
};
const DEMAND: Demand = {
  ...{ tps: 1000, growth: 0, months: 0, seasonal: 1, interaction: 1, safety: 1 },
  ...{ mean: 0.5, accounts: 1_000_000, merchants: 100_000 },
};
const EACH = { api: 18, worker: 6, trainer: 3 };
const HALF = { api: 0.5, worker: 0.5 };

describe('by hand', () => {
  test('the peak is the product of all factors', () => {
    const all = { growth: 0.08, months: 12, seasonal: 2, interaction: 1.3, safety: 2.5 };
    // 1.08^12 = 2.51817, and 2 × 1.3 × 2.5 = 6.5.
    expect(peakOf({ ...DEMAND, ...all })).toBeCloseTo(16_368.1, 1);
  });

  test('1,000 a second of 50 and 100 µs', () => {
    const plan = planCapacity(DEMAND, MEASURED, 0.7);
    // 0.05 and 0.1 of a core, at 70 %.
    expect(plan.cores.api).toBeCloseTo(0.0714, 4);
    expect(plan.cores.worker).toBeCloseTo(0.1429, 4);
    expect(plan.cores.postgres).toBeCloseTo(0.1, 6);
    expect(plan.cores.redis).toBeCloseTo(0.02, 6);
    expect(fleetFor(plan, HALF, EACH)).toEqual({
      api: 1,
      worker: 1,
      connections: 27,
      connectionsMax: 39,
    });
    // 10^6 × 500 + 10^5 × 5,000 bytes, and 1,000 × 300 s × 160 bytes, times 2.2.
    expect(plan.redis.profilesGb).toBeCloseTo(1, 9);
    expect(plan.redis.waitingGb).toBeCloseTo(0.048, 9);
    expect(plan.redis.maxmemoryGb).toBeCloseTo(2.3056, 9);
    // 500 × 86,400 × 30.436875 rows, of 1,000 bytes; a third more and 4 GB for the log.
    expect(plan.rowsAMonth).toBeCloseTo(1_314_873_000, 0);
    expect(plan.diskGb).toBeCloseTo(1314.873 * 1.3 + 4, 3);
    // 43.2 million a day: 43,200 reviews, 128 a day of an officer.
    expect(plan.reviewsADay).toBeCloseTo(43_200, 6);
    expect(plan.officers).toBe(338);
    // 500 × 900 s × 1,000 bytes are a quarter of the memory; 200 sessions need more.
    expect(postgresMemoryGb(plan, MEASURED, 24)).toBeCloseTo(1.8, 6);
    expect(postgresMemoryGb(plan, MEASURED, 200)).toBeCloseTo(0.45 + 0.25 + 2, 6);
  });

  test('a small load costs what starter costs', () => {
    const demand = { ...DEMAND, tps: 1, accounts: 1000, merchants: 100 };
    const plan = planCapacity(demand, MEASURED, 0.7);
    const [free, starter] = ['free', 'starter'].map((name) => {
      const tier = PRICES.tiers.find((tier) => tier.name === name);
      return tier && priceOf(tier, plan, MEASURED, EACH);
    });
    // 1.31 GB of rows: 5.71 GB of disk. The least buffers are a quarter of 1 GB, which 27 sessions fit; API, worker and trainer.
    const usd = 7 + 7 + 7 + 19 + 10 + (1.314873 * 1.3 + 4) * 0.3;
    expect(starter?.usdAMonth).toBeCloseTo(usd, 6);
    expect(starter?.corridors?.['US-EG']).toBeCloseTo(usd * 0.75, 6);
    expect(free).toMatchObject({ lacks: 'a worker', usdAMonth: null });
  });
});

describe('a calibration', () => {
  const working = (seconds: number, scored: number): WorkerUsage => ({
    seconds,
    scored,
    state: 'works',
  });
  const usage = (accepted: number, more: Partial<Usage> = {}): Usage => ({
    api: { startedAt: 1, seconds: 2 + accepted * 50e-6, accepted, posts: accepted / 100 },
    workers: new Map([['w1', working(1 + accepted * 100e-6, accepted)]]),
    postgresSeconds: 5 + accepted * 70e-6,
    redisSeconds: 1 + accepted * 14e-6,
    ...more,
  });
  const content: Content = {
    ...{ accepted: 100_000, scored: 100_000, reviewed: 100, bytes: 1e8 },
    byCorridor: new Map([
      ['US-EG', 75_000],
      ['GB-NG', 25_000],
    ]),
    profiles: {
      account: { count: 1000, bytes: 500_000 },
      merchant: { count: 100, bytes: 500_000 },
    },
  };
  const spanOf = (before: Usage, after: Usage) => ({
    ...{ before, after, seconds: 30, machine: 'two cores' },
    at: new Date('2026-11-27T08:00:00.000Z'),
  });

  test('divides what was used by what was done', () => {
    const made = calibrate(spanOf(usage(1000), usage(61_000)), content);
    for (const [name, value] of Object.entries(MEASURED)) {
      const own = made[name as keyof Calibration];
      if (typeof value === 'number') expect(own, name).toBeCloseTo(value, 6);
      else expect(own, name).toEqual(value);
    }
  });

  test('is refused where figures are of too little, or of two processes', () => {
    const other = usage(61_000, {
      api: { startedAt: 2, seconds: 9, accepted: 61_000, posts: 610 },
    });
    expect(() => calibrate(spanOf(usage(0), usage(1999)), content)).toThrow(
      'at least 2000 are needed',
    );
    expect(() => calibrate(spanOf(usage(0), other), content)).toThrow('name one by --url');
    const few = { ...content, accepted: 9999 };
    expect(() => calibrate(spanOf(usage(0), usage(61_000)), few)).toThrow(
      '9999 transactions are stored',
    );
  });

  test.each(['redisSeconds', 'postgresSeconds'] as const)(
    'is refused where the server of %s was restarted, whose time began anew',
    (name) => {
      const after = usage(61_000, { [name]: 0.1 });
      expect(() => calibrate(spanOf(usage(1000), after), content)).toThrow('was restarted');
    },
  );

  const w1 = working(1.1, 1000);
  const of = (...all: [string, WorkerUsage][]): Workers => new Map(all);
  test.each<[string, Workers, Workers]>([
    ['came', of(['w1', w1]), of(['w1', w1], ['w2', w1])],
    ['came and went', of(['w1', w1]), of(['w1', w1], ['w2', { ...w1, state: 'ends' }])],
    ['went', of(['w1', w1], ['w2', w1]), of(['w1', w1], ['w2', { ...w1, state: 'ends' }])],
    ['was killed', of(['w1', w1], ['w2', w1]), of(['w1', w1], ['w2', { ...w1, state: 'silent' }])],
    ['is long gone', of(['w1', w1], ['w2', w1]), of(['w1', w1])],
    ['was ending', of(['w1', w1], ['w2', { ...w1, state: 'ends' }]), of(['w1', w1])],
    ['woke', of(['w1', w1], ['w2', { ...w1, state: 'silent' }]), of(['w1', w1], ['w2', w1])],
  ])('is refused where another worker %s', (_, before, after) => {
    const span = spanOf(usage(1000, { workers: before }), usage(61_000, { workers: after }));
    expect(() => calibrate(span, content)).toThrow('workers came or went: w2.');
  });
});

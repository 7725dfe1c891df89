/** Goal: the model of the engine is decided by its seed, spends what its costs say, and finds costs again that it was given. */
import { expect, test } from 'vitest';
import { costsWith, foretell, offeredOf, siteOf } from '../../../../bench/model/calibrate.ts';
import type { Costs, Waits } from '../../../../bench/model/costs.ts';
import { type Observed, TRIALS } from '../../../../bench/model/observe.ts';
import { type Offered, simulate } from '../../../../bench/model/simulate.ts';

const costs: Costs = {
  generator: { request: 60, transaction: 1, read: 40 },
  api: { request: 100, commit: 200, transaction: 18, read: 100 },
  worker: { batch: 1200, transaction: 30, mergedShare: 0.24 },
  postgres: { statement: 400, claimed: 26, scored: 14, read: 60 },
  redis: { stream: 15, appended: 2, folded: 8, look: 8, read: 5 },
  idle: { api: 0.01, worker: 0.03, postgres: 0.02, redis: 0.01 },
};
const waits: Waits = {
  ...{
    hopMs: 0.1,
    flushMs: 1.5,
    sigma: 0.4,
    busySpeed: 0.8,
    others: 0.1,
    othersThreads: 1,
    othersEveryMs: 60,
  },
};
const model = { costs, waits, seed: '1' };
const site = {
  ...{ sharedCores: 2, postgresCores: 2, apis: 1, workers: 1 },
  ...{ replicas: 0, replicaShare: 0, corridors: 12, readsMissed: 1 },
};
const load: Offered = {
  ...{ posts: 20, batch: 100, reads: 0, isRandom: false, connections: 16, seconds: 5 },
  ...{ unmeasured: 0, transactionsMax: Number.POSITIVE_INFINITY },
};

test('a seed decides everything, and another seed makes another run', () => {
  expect(simulate(model, site, load)).toEqual(simulate(model, site, load));
  expect(simulate({ ...model, seed: '2' }, site, load).scored).not.toEqual(
    simulate(model, site, load).scored,
  );
});

test('each transaction is scored once, and its processor time is what its steps cost', () => {
  const still = { ...waits, sigma: 0, others: 0, busySpeed: 1 };
  const idle = { api: 0, worker: 0, postgres: 0, redis: 0 };
  const ran = simulate({ ...model, waits: still, costs: { ...costs, idle } }, site, load);
  const { scored, commits, batches, used, posts } = ran;
  expect([scored.length, posts.length]).toEqual([10_000, 100]);
  const { api, postgres, worker } = costs;
  const apiUs = 100 * api.request + commits * api.commit + 10_000 * api.transaction;
  expect(used['api']?.ms).toBeCloseTo(apiUs / 1000, 3);
  const statements = (commits + batches) * postgres.statement;
  const rows = 10_000 * (postgres.claimed + postgres.scored);
  expect(used['postgres']?.ms).toBeCloseTo((statements + rows) / 1000, 3);
  expect(used['worker']?.ms).toBeCloseTo(
    (batches * worker.batch + 10_000 * worker.transaction) / 1000,
    3,
  );
});

/** The model whose costs are looked for: short runs tell of a mean only where times differ little. */
const even = { ...model, waits: { ...waits, sigma: 0.1 } };

/** Runs that the model itself makes, in the place of an engine's. */
function observed(): Observed {
  const machine = { cpu: 'a model', cores: 2, memory_bytes: 0, kernel: '', node: '' };
  const base = { machine, corridors: 12, idle: costs.idle } as Observed;
  const runs = TRIALS.filter(({ use }) => use === 'calibrates').map((one) => {
    const run = {
      ...one,
      seconds: 4,
      readsMissed: 1,
      transactions: one.rate * 4,
    } as Observed['runs'][number];
    const ran = simulate(even, siteOf(run, base), offeredOf(run));
    const { cores, ...own } = foretell(even, run, base);
    const requests = ran.posts.length + ran.reads.length;
    return {
      ...run,
      ...own,
      cores,
      lasted: ran.lasted,
      scoredTransactions: ran.scored.length,
      requests,
    };
  });
  return { ...base, runs };
}

test('costs that made runs are found again from these runs', () => {
  const known = observed();
  const found = costsWith(even.waits, known.runs, known);
  /** Cost of a post, where so many share a commit and a batch. */
  const us = ({ api, worker, postgres }: Costs, rows: number, shared: number) => [
    api.request + api.commit / shared + api.transaction * rows,
    worker.batch / shared + worker.transaction * rows,
    (2 * postgres.statement) / shared + (postgres.claimed + postgres.scored) * rows,
  ];
  for (const [rows, shared] of [
    [1, 8],
    [20, 1],
    [100, 1],
    [1000, 1],
  ] as const) {
    for (const [at, own] of us(costs, rows, shared).entries()) {
      const ratio = (us(found, rows, shared)[at] as number) / own;
      expect(ratio).toBeGreaterThan(0.9);
      expect(ratio).toBeLessThan(1.1);
    }
  }
});

/**
 * Goal: a fold that goes on from a copy sees what a fold of one profile sees, bit for bit. Method: two workers fold batches of a few
 * merchants by turns, so that each merges what the other appended, in front of what it has too; copies and logs are evicted,
 * profiles are rebuilt and installed.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FEATURE_LIST } from '../../../src/core/domain/feature-schema.ts';
import { type MerchantPast, NO_FRAUDS } from '../../../src/core/domain/history.ts';
import type { Transaction } from '../../../src/core/domain/transaction.ts';
import { merchantKind } from '../../../src/core/profile/merchant-kind.ts';
import type { MerchantProfile } from '../../../src/core/profile/merchant-profile.ts';
import { createRandom } from '../../../src/kit/random.ts';
import { HOUR_MS } from '../../../src/kit/words/range.ts';
import { foldRow } from '../../support/fold-one.ts';
import { runsOf } from '../../support/thorough.ts';
import { createSharedLogs, createWorker } from './workers.ts';

const TIMEOUT_MS = 120_000;
const START_MS = Date.UTC(2026, 4, 30, 22, 15);
const NOTHING = { rows: [], ceiling: null, frauds: NO_FRAUDS };
const NO_MERCHANT: MerchantPast = { ...NOTHING, tallies: [], horizon: null, knownFromMs: 0 };
const MERCHANT_FEATURES = FEATURE_LIST.map(({ name }, index) => ({ name, index })).filter(
  ({ name }) => name.includes('merchant_'),
);

type World = {
  readonly seed: number;
  readonly merchants: number;
  readonly accounts: number;
  readonly count: number;
  readonly stepMs: number;
  /** Greatest lateness, in arrivals. */
  readonly late: number;
  readonly currencies: readonly string[];
  readonly amountMax: number;
  /** A small memory evicts. */
  readonly bytesMax: number;
};

const worlds: fc.Arbitrary<World> = fc.record({
  seed: fc.nat(),
  merchants: fc.constantFrom(1, 4, 30),
  accounts: fc.constantFrom(3, 200, 5000),
  count: fc.integer({ min: 200, max: 700 }),
  stepMs: fc.constantFrom(1, 60_000, HOUR_MS / 4, 30 * HOUR_MS),
  late: fc.constantFrom(0, 5, 100),
  currencies: fc.constantFrom(['USD'], ['USD', 'JPY']),
  amountMax: fc.constantFrom(20_000, 999_999_999_999_999),
  bytesMax: fc.constantFrom(2 ** 15, 2 ** 21),
});

function makeTransactions(world: World, below: (bound: number) => number): Transaction[] {
  return Array.from({ length: world.count }, (_, index) => {
    const key = index - (below(4) === 0 ? below(world.late + 1) : 0);
    const createdAtMs = START_MS + key * world.stepMs;
    const time = createdAtMs.toString(16).padStart(12, '0');
    return {
      ...{ createdAtMs, receivedAtMs: createdAtMs, corridor: 'US-EG', type: null, ip: null },
      ...{ deviceId: null, country: null, channel: null, declared: null },
      transactionId: `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${index.toString(16).padStart(12, '0')}`,
      accountId: `acc_${below(world.accounts)}`,
      merchantId: `m_${below(world.merchants)}`,
      amount: String(1 + below(world.amountMax)),
      currency: world.currencies[below(world.currencies.length)] as string,
    };
  });
}

async function compare(world: World): Promise<void> {
  const random = createRandom(`copies ${world.seed}`);
  const below = (bound: number) => Math.floor(random() * bound);
  const transactions = makeTransactions(world, below);
  const shared = createSharedLogs();
  /**
   * A past has the rows folded before, without the batch: arrivals of one batch would otherwise see each other.
   */
  let folded = 0;
  const load = async function* (points: readonly Transaction[]) {
    for (const { merchantId } of points) {
      const mine = transactions.slice(0, folded).filter((one) => one.merchantId === merchantId);
      yield { ...NO_MERCHANT, rows: mine.sort(byPlace) };
    }
  };
  const workers = [0, 1].map(() =>
    createWorker(merchantKind, shared, load, { bytesMax: world.bytesMax }),
  );
  const references = new Map<string, MerchantProfile>();
  while (folded < transactions.length) {
    const from = folded;
    const batch = transactions.slice(from, from + 1 + below(8));
    for (const { merchantId } of batch) {
      if (below(100) === 0) shared.invalidate('merchant', merchantId);
    }
    const rows = await workers[below(3) === 0 ? 1 : 0]?.foldBatch(batch);
    batch.forEach((transaction, index) => {
      const { merchantId } = transaction;
      const reference = references.get(merchantId) ?? merchantKind.rebuild(NO_MERCHANT);
      references.set(merchantId, reference);
      const expected = foldRow(merchantKind, reference, transaction);
      for (const { name, index: feature } of MERCHANT_FEATURES) {
        const [value, defined] = [rows?.[index]?.[feature], expected?.[feature]];
        if (Object.is(value, defined)) continue;
        expect({ name, at: from + index, value }).toEqual({
          name,
          at: from + index,
          value: defined,
        });
      }
    });
    folded += batch.length;
  }
}

function byPlace(a: Transaction, b: Transaction): number {
  return a.createdAtMs - b.createdAtMs || (a.transactionId < b.transactionId ? -1 : 1);
}

/**
 * In so small a memory a copy is evicted between the append of a batch and its reply, so that the batch reads
 * its own block.
 */
const READ_AGAIN: World = {
  ...{ seed: 27, merchants: 4, accounts: 3, count: 469, stepMs: 1, late: 100 },
  ...{ currencies: ['USD'], amountMax: 20_000, bytesMax: 2 ** 15 },
};

/** Records arrive in front of the newest ones, among which accounts are counted. */
const LATE: World = {
  ...{ seed: 5, merchants: 1, accounts: 300, count: 3000, stepMs: 1, late: 600 },
  ...{ currencies: ['USD'], amountMax: 20_000, bytesMax: 2 ** 21 },
};

test(
  'a fold that goes on from a copy is that of one profile',
  () =>
    fc.assert(fc.asyncProperty(worlds, compare), {
      numRuns: runsOf(40),
      examples: [[READ_AGAIN], [LATE]],
    }),
  TIMEOUT_MS,
);

test(
  'also once a list was cut',
  () => {
    const pace = { seed: 1, merchants: 1, accounts: 5000, count: 3000, stepMs: 20_000, late: 5 };
    return compare({ ...pace, currencies: ['USD'], amountMax: 20_000, bytesMax: 2 ** 22 });
  },
  TIMEOUT_MS,
);

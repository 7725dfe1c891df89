/** The folds of one worker over a real Redis and Postgres, with its own copies in memory, and what it counted. */
import { vectorOf } from '../../src/core/domain/feature-rows.ts';
import {
  type AccountPast,
  LABEL_MATURITY_DAYS,
  type MerchantPast,
  NO_FRAUDS,
  type SharedPast,
} from '../../src/core/domain/history.ts';
import type { FieldSlot } from '../../src/core/domain/metadata.ts';
import type { PartyKind, Transaction } from '../../src/core/domain/transaction.ts';
import { accountKind, merchantKind } from '../../src/core/profile/kinds.ts';
import { SHARED_KINDS } from '../../src/core/profile/shared-profile.ts';
import type { DayTable } from '../../src/core/score/scorecard/day-table.ts';
import {
  loadAccountPasts,
  loadMerchantPasts,
  loadSharedPasts,
} from '../../src/core/store/profiles/history.ts';
import { readMark } from '../../src/core/store/profiles/profile-snapshots.ts';
import { loadTransactions } from '../../src/core/store/transactions/read-transactions.ts';
import { watchMemory } from '../../src/core/stream/memory/memory.ts';
import { PROFILE_LOGS, type ProfileLogs } from '../../src/core/stream/profiles/profile-logs.ts';
import { foldProfiles } from '../../src/core/work/profiles/fold-profiles.ts';
import { LateMerchants } from '../../src/core/work/profiles/late-merchants.ts';
import { LateShared } from '../../src/core/work/profiles/late-shared.ts';
import { openProfiles, type Snapshots } from '../../src/core/work/profiles/profiles.ts';
import { snapshotsOf } from '../../src/core/work/profiles/sources.ts';
import type { Guards } from '../../src/kit/breakers/guards.ts';
import type { Query } from '../../src/kit/database/pool.ts';
import { createMetrics } from '../../src/kit/metrics/metrics.ts';
import type { RedisClient } from '../../src/kit/redis/connection.ts';
import { deliver } from './delivered.ts';
import { type NamedFeatures, named } from './fold-one.ts';

type FoldRigOptions = {
  readonly redis: RedisClient;
  /** Without it, every party has an empty past. */
  readonly query?: Query;
  readonly market: string;
  /** False: each party that is missing is rebuilt from its rows. */
  readonly hasSnapshots?: boolean;
  /** Bounds the copies of each kind. */
  readonly bytesMax?: number;
  readonly logs?: ProfileLogs;
  /** Judges all transactions. */
  readonly table?: DayTable | null;
  readonly slots?: readonly FieldSlot[];
};

const FIRST = { createdAtMs: 0, transactionId: '00000000-0000-0000-0000-000000000000' };
/** No breaker ever opens here. */
const OPEN = { redis: { run: <T>(call: () => Promise<T>) => call() } } as unknown as Guards;
/** Each party that is missing is rebuilt from its rows. */
const NO_SNAPSHOTS: Snapshots = {
  mark: async () => ({ foldedTo: '0', rowsFrom: '1970-01-01 00:00:00+00' }),
  read: async (points) => points.map(() => undefined),
  store: async () => undefined,
  rowsMin: Number.POSITIVE_INFINITY,
};
const NOTHING = { rows: [], ceiling: null, frauds: NO_FRAUDS };

async function* noAccountPasts(points: readonly Transaction[]): AsyncGenerator<AccountPast> {
  for (const _ of points) yield { ...NOTHING, floor: FIRST };
}

async function* noMerchantPasts(points: readonly Transaction[]): AsyncGenerator<MerchantPast> {
  for (const _ of points) yield { ...NOTHING, tallies: [], horizon: null, knownFromMs: 0 };
}

async function* noSharedPasts(points: readonly Transaction[]): AsyncGenerator<SharedPast> {
  const oldest = { sinceMs: 0, times: [], toMs: Infinity };
  for (const _ of points) yield { ...NOTHING, floor: FIRST, oldest };
}

type Count = { readonly labels: Partial<Record<string, string | number>>; readonly value: number };

export function startFold({
  redis,
  query,
  market,
  hasSnapshots = true,
  bytesMax = 1_000_000,
  logs = PROFILE_LOGS,
  table = null,
  slots = [],
}: FoldRigOptions) {
  const snapshots = (kind: PartyKind) =>
    query === undefined || !hasSnapshots
      ? NO_SNAPSHOTS
      : snapshotsOf(query, kind, () => readMark(query));
  const metrics = createMetrics();
  const inRedis = { name: market, redis, memory: watchMemory(0) };
  const guarded = { ...inRedis, guards: OPEN };
  const profiles = openProfiles(
    {
      market: guarded,
      logs,
      metrics,
      nowMs: Date.now,
      ttlSeconds: 60,
      slots: () => slots,
      reload: async (ids) => (query === undefined ? [] : await loadTransactions({ query }, ids)),
    },
    [
      {
        kind: accountKind,
        loadPasts: (points, numbers) =>
          query === undefined ? noAccountPasts(points) : loadAccountPasts(query, points, numbers),
        snapshots: snapshots('account'),
        bytesMax,
      },
      {
        kind: merchantKind,
        loadPasts: (points) =>
          query === undefined
            ? noMerchantPasts(points)
            : loadMerchantPasts(query, points, LABEL_MATURITY_DAYS),
        snapshots: snapshots('merchant'),
        ...(query && { late: new LateMerchants(query, LABEL_MATURITY_DAYS) }),
        bytesMax,
      },
      ...SHARED_KINDS.map((kind) => ({
        kind,
        loadPasts: (points: readonly Transaction[]) =>
          query === undefined ? noSharedPasts(points) : loadSharedPasts(query, kind.party, points),
        snapshots: snapshots(kind.party),
        ...(query && { late: new LateShared(query, kind) }),
        bytesMax,
      })),
    ],
  );
  const sum = async (
    counter: { get(): Promise<{ readonly values: readonly Count[] }> },
    labels: Readonly<Record<string, string>>,
  ) =>
    (await counter.get()).values
      .filter((one) => Object.entries(labels).every(([name, value]) => one.labels[name] === value))
      .reduce((total, { value }) => total + value, 0);
  return {
    /** Features by name, one object per transaction. */
    async fold(
      transactions: readonly Transaction[],
      tables: readonly (DayTable | null)[] = transactions.map(() => table),
    ): Promise<NamedFeatures[]> {
      const rows = await foldProfiles(
        profiles,
        deliver(transactions.map((one) => ({ ...one, receivedAtMs: one.createdAtMs }))),
        tables,
      );
      return transactions.map((_, index) => named(vectorOf(rows, index), slots));
    },
    market: inRedis,
    rebuilds: (party: string, reason?: string) =>
      sum(metrics.profileRebuilds, reason === undefined ? { party } : { party, reason }),
    merged: (party: string) => sum(metrics.profileRecordsMerged, { party }),
    /** Parties that were made of a snapshot in Postgres. */
    fromSnapshots: () => sum(metrics.cacheHits, { tier: 'postgres' }),
    snapshots: (outcome: string) => sum(metrics.profileSnapshots, { outcome }),
    installs: (outcome: string) => sum(metrics.profileInstalls, { outcome }),
  };
}

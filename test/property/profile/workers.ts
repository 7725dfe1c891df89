/**
 * Two workers that share the logs of their profiles, as in production but in one process: the engine's own fold
 * over a stand-in for Redis. Interference happens between a worker's read of its memory and its append;
 * snapshots of a worker that was interfered with arrive late.
 */
import { LABEL_MATURITY_DAYS } from '../../../src/core/domain/history.ts';
import type { PartyKind } from '../../../src/core/domain/party.ts';
import type { Transaction } from '../../../src/core/domain/transaction.ts';
import { type LoadPasts, NO_CORRIDOR_AMOUNTS } from '../../../src/core/profile/fold-batch.ts';
import type { Profile, ProfileKind } from '../../../src/core/profile/profile.ts';
import { vectorOf } from '../../../src/core/score/feature-rows.ts';
import { ACCOUNTS, merchantPast } from '../../../src/core/store/profiles/past-queries.ts';
import { profileKey } from '../../../src/core/stream/keys.ts';
import { watchMemory } from '../../../src/core/stream/memory/memory.ts';
import type { ProfileLogs } from '../../../src/core/stream/profiles/profile-logs.ts';
import { foldProfiles } from '../../../src/core/work/profiles/fold-profiles.ts';
import { openProfiles, type ProfileSource } from '../../../src/core/work/profiles/profiles.ts';
import type { Guards } from '../../../src/kit/breakers/guards.ts';
import { createMetrics } from '../../../src/kit/metrics/metrics.ts';
import type { RedisClient } from '../../../src/kit/redis/connection.ts';
import { createMemoryProfiles } from '../../simulation/memory-profiles.ts';
import { deliver } from '../../support/delivered.ts';
import { NO_SNAPSHOTS } from '../../support/no-snapshots.ts';

const BYTES_MAX = 2 ** 20;
const MARKET = 'm';
const metrics = createMetrics();
/** No breaker ever opens here. */
const OPEN = { redis: { run: <T>(call: () => Promise<T>) => call() } } as unknown as Guards;
const IN_MEMORY = {
  ...{ name: MARKET, guards: OPEN, memory: watchMemory(0) },
  redis: undefined as unknown as RedisClient,
};

export function createSharedLogs() {
  const logs = createMemoryProfiles({ stamp: true, installStamp: true });
  /** Installs that are under way. */
  const late: (() => void)[] = [];
  return {
    logs,
    late,
    invalidate: (party: PartyKind, id: string) => logs.invalidate(profileKey(MARKET, party, id)),
    /** Delivers them. */
    settle() {
      for (const install of late.splice(0)) install();
    },
  };
}

export type SharedLogs = ReturnType<typeof createSharedLogs>;

type Interfere = () => Promise<void>;

export function createWorker<P extends Profile, Past>(
  kind: ProfileKind<P, Past>,
  { logs, late, settle }: SharedLogs,
  loadPasts: LoadPasts<Past>,
  more: Partial<Pick<ProfileSource<P, Past>, 'bytesMax' | 'snapshots'>> = {},
) {
  const { after: rowsAfter } =
    kind.party === 'account' ? ACCOUNTS : merchantPast(LABEL_MATURITY_DAYS);
  let interfere: Interfere | undefined;
  let isLate = false;
  const connected: ProfileLogs = {
    async append(_market, _ttlSeconds, appends) {
      const disturb = interfere;
      isLate = disturb !== undefined;
      interfere = undefined;
      await disturb?.();
      const replies = appends.map(logs.append);
      settle();
      return replies;
    },
    install: async (_market, _ttlSeconds, installs) => {
      if (!isLate) return installs.map(logs.install);
      late.push(() => installs.forEach(logs.install));
      return [];
    },
  };
  const profiles = openProfiles(
    {
      market: IN_MEMORY,
      logs: connected,
      metrics,
      nowMs: () => 0,
      ttlSeconds: 60,
      amounts: () => NO_CORRIDOR_AMOUNTS,
    },
    [{ kind, loadPasts, rowsAfter, snapshots: NO_SNAPSHOTS, bytesMax: BYTES_MAX, ...more }],
  );
  return {
    async foldBatch(transactions: readonly Transaction[]): Promise<Float64Array[]> {
      const rows = await foldProfiles(profiles, deliver(transactions));
      return transactions.map((_, index) => vectorOf(rows, index));
    },
    /**
     * Folds one transaction into its row of features; `disturb` runs in the middle, as another worker or a
     * label might.
     */
    async fold(transaction: Transaction, disturb?: Interfere): Promise<Float64Array> {
      interfere = disturb;
      return vectorOf(await foldProfiles(profiles, deliver([transaction])), 0);
    },
  };
}

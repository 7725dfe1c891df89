/** The profiles of a simulated worker: the engine's own, over the stand-ins for logs in Redis and for rows and snapshots in Postgres. */

import { rowAt } from '../../src/core/domain/feature-rows.ts';
import type { PartyKind, Transaction } from '../../src/core/domain/transaction.ts';
import type { Market } from '../../src/core/market.ts';
import { accountKind, merchantKind } from '../../src/core/profile/kinds.ts';
import { insertPacked, readKey } from '../../src/core/profile/packed-list.ts';
import type { Profile, ProfileKind } from '../../src/core/profile/profile.ts';
import { SHARED_KINDS } from '../../src/core/profile/shared-profile.ts';
import { profileKey } from '../../src/core/stream/keys.ts';
import type { ProfileLogs } from '../../src/core/stream/profiles/profile-logs.ts';
import {
  type LateParties,
  openProfiles,
  type Snapshots,
} from '../../src/core/work/profiles/profiles.ts';
import type { Metrics } from '../../src/kit/metrics/metrics.ts';
import type { Process } from './process.ts';
import { MARKET, type World } from './world.ts';

const COPIES_BYTES_MAX = 2 ** 18;
const TTL_SECONDS = 3600;
/** Short, so that merchants have profiles again within a run. */
const LATE_MS = 500;

export function createProfiles(world: World, process: Process, market: Market, metrics: Metrics) {
  const { clock, missing, postgres, profiles } = world;
  const logs: ProfileLogs = {
    append: (_market, _ttlSeconds, appends) =>
      process.askAll(
        'appendProfiles',
        appends.map((append) => ({ ...append })).map((append) => () => profiles.append(append)),
      ),
    install: (_market, _ttlSeconds, installs) =>
      process.askAll(
        'installProfiles',
        installs.map((install) => () => profiles.install(install)),
      ),
    async drop(_market, parties) {
      if (missing === 'dropped-logs') return;
      const keys = parties.map(({ kind, id }) => profileKey(MARKET, kind, id));
      await process.askAll(
        'invalidateProfiles',
        keys.map((key) => () => profiles.invalidate(key)),
      );
    },
  };
  return openProfiles(
    {
      market,
      logs,
      metrics,
      nowMs: clock.nowMs,
      ttlSeconds: TTL_SECONDS,
      slots: () => [],
      reload: async () => [],
    },
    [
      {
        kind: weakened(world, accountKind),
        async *loadPasts(points) {
          yield* await process.ask('loadAccountPasts', () => points.map(postgres.accountPast));
        },
        snapshots: createSnapshots(world, process, 'account'),
        bytesMax: COPIES_BYTES_MAX,
      },
      {
        kind: weakened(world, merchantKind),
        async *loadPasts(points) {
          yield* await process.ask('loadMerchantPasts', () => points.map(postgres.merchantPast));
        },
        snapshots: createSnapshots(world, process, 'merchant'),
        late: createLate(world, process, merchantKind, postgres.merchantPast),
        bytesMax: COPIES_BYTES_MAX,
      },
      ...SHARED_KINDS.map((kind) => ({
        kind: weakened(world, kind),
        async *loadPasts(points: readonly Transaction[]) {
          yield* await process.ask('loadSharedPasts', () =>
            points.map(postgres.sharedPast(kind.party)),
          );
        },
        snapshots: createSnapshots(world, process, kind.party),
        late: createLate(world, process, kind, postgres.sharedPast(kind.party)),
        bytesMax: COPIES_BYTES_MAX,
      })),
    ],
  );
}

/** Parties have no profile for a while after a late transaction; each transaction is folded into a rebuild of its own. */
function createLate<P extends Profile, Past>(
  { clock }: World,
  process: Process,
  kind: ProfileKind<P, Past>,
  pastOf: (point: Transaction) => Past,
): LateParties {
  const lateUntilMs = new Map<string, number>();
  return {
    rowsMin: 0,
    parties: { has: (party) => (lateUntilMs.get(party) ?? 0) > clock.nowMs() },
    async fold({ transactions, arrivals, rows }, indices) {
      const points = indices.map((index) => transactions[index] as Transaction);
      const pasts = await process.ask('readHours', () => points.map(pastOf));
      for (const [at, index] of indices.entries()) {
        const past = pasts[at];
        if (past === undefined) throw new Error('fewer pasts than points');
        lateUntilMs.set(kind.partyOf(points[at] as Transaction) ?? '', clock.nowMs() + LATE_MS);
        kind.fold(kind.rebuild(past), arrivals, index, rows.values, rowAt(rows, index));
      }
    },
  };
}

/** Without its memory of ids a fold takes each delivery for a transaction of its own. */
function weakened<P extends Profile, Past>(
  { missing }: World,
  kind: ProfileKind<P, Past>,
): ProfileKind<P, Past> {
  if (missing === 'others-items') return { ...kind, merge: () => true };
  if (missing === 'horizon') {
    return {
      ...kind,
      merge(profile, records, at) {
        if (kind.merge(profile, records, at)) return true;
        insertPacked(profile.list, readKey(records, at, kind.recordBytes), records, at);
        return true;
      },
    };
  }
  if (missing !== 'memory-of-ids') return kind;
  let folds = 0;
  return {
    ...kind,
    fold(profile, arrivals, arrival, values, rowAt) {
      folds += 1;
      const low = arrivals.low.with(arrival, folds);
      return kind.fold(profile, { ...arrivals, low }, arrival, values, rowAt);
    },
  };
}

/** All snapshots are stored, as simulated parties have few rows. */
function createSnapshots(
  { postgres, missing }: World,
  process: Process,
  kind: PartyKind,
): Snapshots {
  const { snapshots } = postgres;
  return {
    mark: () => process.ask('readMark', snapshots.mark),
    read: (points) => process.ask('readSnapshots', () => snapshots.read(kind, points)),
    async store(all) {
      const late = missing === 'snapshot-mark' ? snapshots.mark() : {};
      const owned = all.map((one) => ({ ...one, ...late }));
      await process.ask('storeSnapshots', () => snapshots.store(kind, owned));
    },
    rowsMin: 1,
  };
}

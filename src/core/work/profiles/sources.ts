/** The kinds of profile that a worker folds into, and the rows that they are rebuilt from. */

import { atMostOnceIn } from '../../../kit/caches/at-most-once-in.ts';
import type { Query } from '../../../kit/database/pool.ts';
import type { PartyKind, Transaction } from '../../domain/transaction.ts';
import { createAccountKind, createMerchantKind } from '../../profile/kinds.ts';
import type { Profile } from '../../profile/profile.ts';
import { SHARED_KINDS } from '../../profile/shared-profile.ts';
import {
  loadAccountPasts,
  loadMerchantPasts,
  loadSharedPasts,
} from '../../store/profiles/history.ts';
import { readMark, readSnapshots, storeSnapshots } from '../../store/profiles/profile-snapshots.ts';
import { LateMerchants } from './late-merchants.ts';
import { LateShared } from './late-shared.ts';
import type { ProfileSource, Snapshots } from './profiles.ts';

/**
 * With 25 entries an account and 100 a merchant, 17,100 accounts and 12,200 merchants. A log of a busy merchant is 12 times as long as an
 * account's: with 16 MiB for 10,000 merchants of a production day, half of the reads took a whole log, and a worker and
 * Redis 150 µs more a transaction.
 */
const ACCOUNT_COPIES_BYTES_MAX = 21 * 1024 * 1024;
const MERCHANT_COPIES_BYTES_MAX = 40 * 1024 * 1024;
/**
 * 512 networks of a production day, with 384 to 447 entries each, take 7.1 MiB. Where these had no room, their logs were read whole.
 * Copies of devices, which have some 40 entries or more, fill any room.
 */
const SHARED_COPIES_BYTES_MAX = { device: 2 * 1024 * 1024, address: 8 * 1024 * 1024 };
/** To read a shorter log whole costs as much as its copy. */
const SHARED_COPY_BYTES_MIN = 1024;

/** @param maturityDays after which the labels of a transaction count as complete */
export function profileSources(
  query: Query,
  maturityDays: number,
): readonly ProfileSource<Profile, unknown>[] {
  // All kinds share the mark, as to read a mark takes two statements.
  const mark = atMostOnceIn(MARK_MS, () => readMark(query));
  return [
    {
      kind: createAccountKind(maturityDays),
      loadPasts: (points, numbers) => loadAccountPasts(query, points, numbers),
      snapshots: snapshotsOf(query, 'account', mark),
      bytesMax: ACCOUNT_COPIES_BYTES_MAX,
    },
    {
      kind: createMerchantKind(maturityDays),
      loadPasts: (points) => loadMerchantPasts(query, points, maturityDays),
      snapshots: snapshotsOf(query, 'merchant', mark),
      late: new LateMerchants(query, maturityDays),
      bytesMax: MERCHANT_COPIES_BYTES_MAX,
    },
    ...SHARED_KINDS.map((kind) => ({
      kind,
      loadPasts: (points: readonly Transaction[]) => loadSharedPasts(query, kind.party, points),
      snapshots: snapshotsOf(query, kind.party, mark),
      late: new LateShared(query, kind),
      bytesMax: SHARED_COPIES_BYTES_MAX[kind.party],
      copiedBytesMin: SHARED_COPY_BYTES_MIN,
    })),
  ];
}

/**
 * Larger: each miss reads more scattered rows, at 9 µs a row, where the snapshot of an account or a device takes 14 µs. Smaller: more
 * snapshots are written, at 15 µs each, and at more for merchants and networks, whose lists are longer.
 */
const SNAPSHOT_ROWS_MIN = { account: 2, merchant: 8, device: 2, address: 8 } as const;

/** A mark is read once in this time. Longer: more rows that a snapshot has already are read besides. */
const MARK_MS = 1000;

export function snapshotsOf(query: Query, kind: PartyKind, mark: Snapshots['mark']): Snapshots {
  return {
    mark,
    read: (points, numbers) => readSnapshots(query, kind, points, numbers),
    store: (snapshots) => storeSnapshots(query, kind, snapshots),
    rowsMin: SNAPSHOT_ROWS_MIN[kind],
  };
}

/**
 * Two workers that share a cache, as in production but in one place: copies in memory that are used
 * only while their header stands, values stored by compare-and-set, rebuilds from Postgres.
 */
import type { Transaction } from '../../../src/domain/transaction.ts';
import { foldBatch, type Holding, type LoadPasts } from '../../../src/profile/fold-batch.ts';
import { beginRows } from '../../../src/profile/own-features.ts';
import {
  decodeStored,
  headerOf,
  type Profile,
  type ProfileKind,
  type ProfileWrite,
} from '../../../src/profile/profile.ts';
import { vectorOf } from '../../../src/scoring/feature-rows.ts';
import { bumpedValue } from '../../support/bumped-value.ts';

/** What Redis does: string values, replaced or written over from an offset on if the last 8 bytes are as expected. */
export function createSharedCache() {
  const values = new Map<string, Buffer>();
  return {
    get: (party: string) => values.get(party) ?? null,
    evict: (party: string) => values.delete(party),
    bump: (party: string) => values.set(party, bumpedValue(Math.random)),
    write(party: string, write: ProfileWrite): boolean {
      const stored = values.get(party) ?? null;
      const header = headerOf(stored);
      if (header !== write.expected) return false;
      const kept = (stored ?? Buffer.alloc(0)).subarray(0, write.offset);
      const written = [kept, write.bytes, Buffer.from(write.header, 'latin1')];
      values.set(party, Buffer.concat(written));
      return true;
    },
  };
}

export type SharedCache = ReturnType<typeof createSharedCache>;

export function createWorker<P extends Profile, Past>(
  kind: ProfileKind<P, Past>,
  cache: SharedCache,
  loadPasts: LoadPasts<Past>,
) {
  const memory = new Map<string, Buffer>();

  function usableCopy(party: string): P | undefined {
    const stored = cache.get(party);
    const copy = memory.get(party) ?? null;
    const usable = copy !== null && headerOf(copy) === headerOf(stored) ? copy : stored;
    return usable === null ? undefined : decodeStored(kind, usable);
  }

  function store(party: string, profile: P): boolean {
    const write = kind.pendingWrite(profile);
    if (write !== undefined && !cache.write(party, write)) {
      memory.delete(party);
      return false;
    }
    const header = write?.header ?? profile.stored ?? '';
    memory.set(party, Buffer.concat([kind.encode(profile), Buffer.from(header, 'latin1')]));
    return true;
  }

  return {
    /** Folds and stores; `interfere` runs between the two, as another worker might. */
    async fold(transaction: Transaction, interfere?: () => Promise<void>): Promise<Float64Array> {
      const party = kind.partyOf(transaction);
      for (let disturbance = interfere; ; disturbance = undefined) {
        const copy = usableCopy(party);
        const storedHeader = copy === undefined ? headerOf(cache.get(party)) : null;
        const holding: Holding<P> = { profile: copy, storedHeader };
        const transactions = [transaction];
        const { arrivals, rows } = beginRows(transactions);
        const batch = { transactions, arrivals, rows, indices: [0], holdings: [holding] };
        await foldBatch({ kind, ...batch, loadPasts });
        await disturbance?.();
        const { profile } = holding;
        if (profile === undefined) throw new Error('nothing was folded');
        if (store(party, profile)) return vectorOf(rows, 0);
      }
    },
  };
}

/**
 * Profiles as Redis and the scripts load-profiles and store-profiles keep them: a value is its bytes with
 * the header last, and is written only where the expected header stands. For this simulation only.
 */
import { PROFILE_HEADER_BYTES } from '../../src/profile/profile.ts';
import type {
  ProfileReply,
  ProfileRequest,
  ProfileStore,
  StoreOutcome,
} from '../../src/stream/profile-cache.ts';
import { bumpedValue } from '../support/bumped-value.ts';

/** Guards that a test takes out to see the simulation go red. */
export type ProfileGuards = {
  readonly compareAndSet: boolean;
  /** An absent profile is made invalid as well. */
  readonly bumpOfAbsent: boolean;
};

export type MemoryProfiles = {
  readonly load: (request: ProfileRequest) => ProfileReply;
  readonly store: (write: ProfileStore) => StoreOutcome;
  readonly values: ReadonlyMap<string, Buffer>;
  /** Makes a profile invalid. */
  readonly bump: (key: string, random: () => number) => void;
  /** How often everything was lost. */
  readonly losses: () => number;
  readonly clear: () => void;
  /** While it is full only headers are stored. */
  readonly setFull: (isFull: boolean) => void;
};

export function createMemoryProfiles(guards: ProfileGuards): MemoryProfiles {
  const values = new Map<string, Buffer>();
  let isFull = false;
  let losses = 0;
  const headerAt = (key: string): string | null => {
    const value = values.get(key);
    return value?.toString('latin1', value.length - PROFILE_HEADER_BYTES) ?? null;
  };
  return {
    values,
    load({ key, known }) {
      if (known !== null && headerAt(key) === known) return 'same';
      const value = values.get(key);
      return value === undefined ? null : Buffer.from(value);
    },
    store({ key, expected, header, offset, bytes }) {
      if (guards.compareAndSet && headerAt(key) !== expected) return 'lost';
      const last = Buffer.from(header, 'latin1');
      if (isFull) {
        last[PROFILE_HEADER_BYTES - 1] = 0;
        values.set(key, last);
        return 'stub';
      }
      const kept = (values.get(key) ?? Buffer.alloc(0)).subarray(0, offset);
      values.set(key, Buffer.concat([kept, Buffer.alloc(offset - kept.length), bytes, last]));
      return 'stored';
    },
    bump(key, random) {
      if (guards.bumpOfAbsent || values.has(key)) values.set(key, bumpedValue(random));
    },
    losses: () => losses,
    clear() {
      losses += 1;
      values.clear();
    },
    setFull(full) {
      isFull = full;
    },
  };
}

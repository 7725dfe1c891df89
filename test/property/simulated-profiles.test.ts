/**
 * Goal: the simulation keeps profiles as Redis and our scripts do. Method: the same random writes and
 * reads on both, by several writers of whom some are outdated; answers and values must be equal.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PROFILE_HEADER_BYTES } from '../../src/profile/profile.ts';
import { profileKey, profileSlot } from '../../src/stream/keys.ts';
import { createProfileCache, type ProfileStore } from '../../src/stream/profile-cache.ts';
import { createMemoryProfiles } from '../simulation/memory-profiles.ts';
import { createStreamRig } from '../support/stream-rig.ts';

const rig = createStreamRig();
const RUNS = 50;
const PARTIES = ['acc_1', 'acc_2', 'acc_3'];

/** `behind` is how many versions the writer has missed; past the first one it takes the key for absent. */
const step = fc.record({
  party: fc.constantFrom(...PARTIES),
  behind: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 3 })),
  whole: fc.boolean(),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }),
});

/** Headers are told apart by their version alone. */
const headerOf = (version: number): string | null =>
  version <= 0 ? null : String.fromCharCode(version, 0, 0, 0, 1, 2, 3, 0x11);

test('profiles of the simulation are kept as Redis keeps them', async () => {
  const redis = rig.redis();
  // Each cache listens to the connection.
  redis.setMaxListeners(RUNS + 10);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 20 }), async (steps) => {
      await redis.flushall();
      const cache = createProfileCache({
        ...{ redis, market: 'm', headerBytes: PROFILE_HEADER_BYTES, ttlSeconds: 100 },
      });
      const memory = createMemoryProfiles({ compareAndSet: true, bumpOfAbsent: true });
      const versions = new Map<string, number>();
      for (const { party, behind, whole, bytes } of steps) {
        const place = { key: profileKey('m', 'account', party), slot: profileSlot(party) };
        const current = versions.get(party) ?? 0;
        const base = current - behind;
        const length = memory.values.get(place.key)?.length ?? PROFILE_HEADER_BYTES;
        const write: ProfileStore = {
          ...{ ...place, bytes, expected: headerOf(base) },
          header: headerOf(Math.max(base, 0) + 1) ?? '',
          offset: whole || base <= 0 ? 0 : length - PROFILE_HEADER_BYTES,
        };
        const outcome = memory.store(write);
        expect(await cache.store([write])).toEqual([outcome]);
        if (outcome === 'stored') versions.set(party, Math.max(base, 0) + 1);
        for (const known of [headerOf(current), headerOf(current + 1), null]) {
          const request = { ...place, known };
          expect(await cache.load([request])).toEqual([memory.load(request)]);
        }
      }
    }),
    { numRuns: RUNS },
  );
});

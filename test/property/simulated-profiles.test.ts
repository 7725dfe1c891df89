/**
 * Goal: the simulation keeps the logs of profiles as Redis and our scripts do. Method: the same random appends, installs
 * and losses on both, by two writers of whom one is often behind; answers and logs must be equal.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { profileKey, profileSlot } from '../../src/core/stream/keys.ts';
import type { MarketInRedis } from '../../src/core/stream/memory/memory.ts';
import {
  appendProfiles,
  installProfiles,
  type KnownEnd,
  type LogReply,
} from '../../src/core/stream/profiles/profile-logs.ts';
import { createMemoryProfiles, type MemoryProfiles } from '../simulation/memory-profiles.ts';
import { createStreamRig, marketIn } from '../support/stream-rig.ts';

const rig = createStreamRig();
const TTL_SECONDS = 100;
const RUNS = 60;
const PARTIES = ['acc_1', 'acc_2'];

const step = fc.record({
  party: fc.constantFrom(...PARTIES),
  writer: fc.nat(1),
  act: fc.oneof(
    { weight: 5, arbitrary: fc.constant('append' as const) },
    { weight: 1, arbitrary: fc.constantFrom('read', 'install', 'forget', 'invalidate') },
  ),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }),
});

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Contents of any kind, and a stamp that nobody had before. */
function blockOf(bytes: Uint8Array, number: number) {
  const stamp = Buffer.alloc(8, 0xaa);
  stamp.writeUInt32LE(number);
  return { block: Buffer.concat([bytes, stamp]), high: number, low: 0xaaaaaaaa };
}

function endAfter(known: KnownEnd | null, { lacks, bytes }: LogReply, added: number): number {
  const before = lacks === 'whole' || lacks === 'absent' ? 0 : (known?.length ?? 0);
  return before + bytes.length + added;
}

type Both = {
  readonly market: MarketInRedis;
  readonly memory: MemoryProfiles;
  /** The end that each writer knows of each log. */
  readonly ends: Map<string, KnownEnd>;
  readonly place: { readonly key: string; readonly slot: number };
};

async function take(
  { market, memory, ends, place }: Both,
  { party, writer, act, bytes }: Step,
  number: number,
): Promise<void> {
  const name = `${party} ${writer}`;
  const known = ends.get(name) ?? null;
  const { block, high, low } = blockOf(bytes, number);
  if (act === 'append' || act === 'read') {
    const append = { ...place, known, block: act === 'read' ? Buffer.alloc(0) : block };
    const [reply] = await appendProfiles(market, TTL_SECONDS, [{ ...append, isToRenew: true }]);
    const simulated = memory.append({ ...append, isToRenew: true });
    expect({ ...reply, bytes: Buffer.from(reply?.bytes ?? []) }).toEqual(simulated);
    const length = endAfter(known, simulated, block.length);
    if (act === 'append') ends.set(name, { length, high, low });
  } else if (act === 'install' && known !== null) {
    const install = { ...place, known, snapshot: block };
    expect(await installProfiles(market, TTL_SECONDS, [install])).toEqual([
      memory.install(install),
    ]);
    ends.set(name, { length: block.length, high, low });
  } else if (act === 'forget') ends.delete(name);
  else if (act === 'invalidate') {
    await rig.redis().del(place.key);
    memory.invalidate(place.key);
  }
}

test('logs of the simulation are kept as Redis keeps them', async () => {
  const redis = rig.redis();
  // Each one listens to the connection.
  redis.setMaxListeners(RUNS + 10);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
      await redis.flushall();
      const market = marketIn(redis);
      const memory = createMemoryProfiles({ stamp: true, installStamp: true });
      const ends = new Map<string, KnownEnd>();
      for (const [index, one] of steps.entries()) {
        const place = {
          key: profileKey('m', 'account', one.party),
          slot: profileSlot(one.party),
        };
        await take({ market, memory, ends, place }, one, index + 1);
        expect(await redis.getBuffer(place.key)).toEqual(memory.values.get(place.key) ?? null);
      }
    }),
    { numRuns: RUNS },
  );
});

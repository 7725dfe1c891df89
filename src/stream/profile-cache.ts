/**
 * Profiles in Redis (L2): packed values that are read and written a batch at a time, in one script call, or one
 * a hash slot on a cluster, all in one round trip. Writing is compare-and-set on the value's header. What Redis has no
 * room for becomes a stub, a header without contents (lua/store-profiles-n.lua). What another run of the
 * server wrote is not used (profile-generation.ts).
 */
import { randomUUID } from 'node:crypto';
import { Cluster } from 'ioredis';
import { Failure } from '../domain/failure.ts';
import type { RedisClient } from './connection.ts';
import { profileGenerationKey } from './keys.ts';
import { createTrustProfiles } from './profile-generation.ts';
import { loadScript, runScripts } from './scripts.ts';

export type ProfileRequest = {
  readonly key: string;
  readonly slot: number;
  /** Header of the copy that the caller has, one character a byte; null for none. */
  readonly known: string | null;
};

/** `same`: the caller's copy is current. null: Redis has nothing. Else the stored bytes. */
export type ProfileReply = 'same' | Buffer | null;

export type ProfileStore = {
  readonly key: string;
  readonly slot: number;
  /** Header that must still stand; null: the key must not exist. */
  readonly expected: string | null;
  /** The header afterwards, written behind `bytes`. */
  readonly header: string;
  /** Where in the value `bytes` go; 0 replaces the whole of it. */
  readonly offset: number;
  readonly bytes: Uint8Array;
};

/** `stub`: only the header was stored; the contents must be written whole the next time. */
export type StoreOutcome = 'stored' | 'stub' | 'lost';

export type ProfileCache = {
  readonly load: (requests: readonly ProfileRequest[]) => Promise<ProfileReply[]>;
  /** Takes the bytes of all writes before it returns. Stores that follow each other arrive in that order. */
  readonly store: (writes: readonly ProfileStore[]) => Promise<StoreOutcome[]>;
  /** Looks at Redis' memory; above the budget, stubs are written. Called every few seconds. */
  readonly refreshBudget: () => Promise<void>;
};

export type ProfileCacheOptions = {
  readonly redis: RedisClient;
  readonly market: string;
  /** Bytes at the end of a value that say which value it is. */
  readonly headerBytes: number;
  readonly ttlSeconds: number;
};

/** Share of maxmemory above which profiles give way to the streams. */
const MEMORY_SHARE_MAX = 0.7;
const OUTCOMES = ['lost', 'stored', 'stub'] as const;

export function createProfileCache(options: ProfileCacheOptions): ProfileCache {
  const { redis, market, headerBytes, ttlSeconds } = options;
  const trustProfiles = createTrustProfiles(redis, market);
  const loadProfiles = loadScript('load-profiles-n');
  const storeProfiles = loadScript('store-profiles-n');
  let stubsOnly = false;
  /** By slot: the generation that was found when it was last loaded from. */
  const generations = new Map<number, string>();
  const keysOf = ({ slot, items }: SlotGroup<{ readonly key: string }>) => [
    profileGenerationKey(market, slot),
    ...items.map(({ key }) => key),
  ];
  return {
    async load(requests) {
      await trustProfiles();
      const fresh = randomUUID();
      const calls = callsOf(redis, groupBySlot(requests));
      const replies = await runScripts(
        redis,
        loadProfiles,
        calls.map((groups) => ({
          keys: groups.flatMap(keysOf),
          args: [headerBytes, packKnown(itemsOf(groups), headerBytes), fresh, sizesOf(groups)],
        })),
        { buffers: true },
      );
      const placed = new Array<unknown>(requests.length);
      for (const [index, groups] of calls.entries()) {
        const values = checked(
          replies[index],
          Array.isArray,
          itemsOf(groups).length + groups.length,
        );
        let at = 0;
        for (const { slot, places } of groups) {
          generations.set(slot, String(values[at++]));
          for (const place of places) placed[place] = values[at++];
        }
      }
      return placed.map((reply) => (reply === 1 ? 'same' : Buffer.isBuffer(reply) ? reply : null));
    },
    async store(writes) {
      const settings = [headerBytes, ttlSeconds, stubsOnly ? 1 : 0];
      // Packed before the first wait: the bytes may be views of lists that are folded into next.
      const calls = callsOf(redis, groupBySlot(writes));
      const packed = calls.map((groups) => ({
        keys: groups.flatMap(keysOf),
        args: [
          ...[...settings, packWrites(itemsOf(groups), headerBytes), sizesOf(groups)],
          ...groups.map(({ slot }) => generations.get(slot) ?? ''),
        ],
      }));
      await trustProfiles();
      const replies = await runScripts(redis, storeProfiles, packed);
      const outcomes = new Array<StoreOutcome>(writes.length);
      for (const [index, groups] of calls.entries()) {
        const places = groups.flatMap((group) => group.places);
        const digits = checked(replies[index], isText, places.length);
        places.forEach((place, at) => {
          outcomes[place] = OUTCOMES[Number(digits[at])] ?? 'lost';
        });
      }
      return outcomes;
    },
    async refreshBudget() {
      stubsOnly = (await memoryShare(redis)) > MEMORY_SHARE_MAX;
    },
  };
}

/** One argument for all keys: the client spends more on an argument than on its bytes. */
function packKnown(requests: readonly ProfileRequest[], headerBytes: number): Buffer {
  const packed = Buffer.alloc(requests.length * headerBytes);
  requests.forEach(({ known }, index) => {
    if (known !== null) writeCharacters(packed, index * headerBytes, known);
  });
  return packed;
}

/** Character by character: for 8 of them a call into the encoder takes longer. */
function writeCharacters(packed: Buffer, at: number, text: string): number {
  for (let index = 0; index < text.length; index++) packed[at + index] = text.charCodeAt(index);
  return at + text.length;
}

/** A write as the script reads it: expected, digits of the offset (u8), these, length (u32 LE), bytes and header. */
function packWrites(writes: readonly ProfileStore[], headerBytes: number): Buffer {
  const fixedBytes = 2 * headerBytes + 1 + OFFSET_DIGITS_MAX + 4;
  let length = writes.length * fixedBytes;
  for (const { bytes } of writes) length += bytes.length;
  const packed = Buffer.alloc(length);
  let at = 0;
  for (const { expected, header, offset, bytes } of writes) {
    if (expected !== null) writeCharacters(packed, at, expected);
    at = writeOffset(packed, at + headerBytes, offset);
    at = packed.writeUInt32LE(bytes.length + headerBytes, at);
    packed.set(bytes, at);
    at = writeCharacters(packed, at + bytes.length, header);
  }
  return packed.subarray(0, at);
}

/** Of a value of less than 512 MiB, the most that Redis keeps. */
const OFFSET_DIGITS_MAX = 9;

function writeOffset(packed: Buffer, at: number, offset: number): number {
  const digits = offset === 0 ? '' : String(offset);
  packed[at] = digits.length;
  return writeCharacters(packed, at + 1, digits);
}

type SlotGroup<Item> = { readonly slot: number; readonly items: Item[]; readonly places: number[] };

function groupBySlot<Item extends { readonly slot: number }>(
  items: readonly Item[],
): SlotGroup<Item>[] {
  const groups = new Map<number, SlotGroup<Item>>();
  items.forEach((item, place) => {
    let group = groups.get(item.slot);
    if (group === undefined) {
      group = { slot: item.slot, items: [], places: [] };
      groups.set(item.slot, group);
    }
    group.items.push(item);
    group.places.push(place);
  });
  return [...groups.values()];
}

/** What one script call takes: everything, or on a cluster, where slots are spread, one slot. */
function callsOf<Item>(redis: RedisClient, groups: SlotGroup<Item>[]): SlotGroup<Item>[][] {
  if (redis instanceof Cluster) return groups.map((group) => [group]);
  return groups.length === 0 ? [] : [groups];
}

function itemsOf<Item>(groups: readonly SlotGroup<Item>[]): Item[] {
  return groups.flatMap(({ items }) => items);
}

function sizesOf(groups: readonly SlotGroup<unknown>[]): string {
  return groups.map(({ items }) => items.length).join(' ');
}

/** The reply of one call: a list, or the characters of a string. Throws its Failure. */
function checked<List extends ArrayLike<unknown>>(
  reply: unknown,
  isList: (reply: unknown) => reply is List,
  length: number,
): List {
  if (reply instanceof Failure) throw reply;
  if (isList(reply) && reply.length === length) return reply;
  throw new Failure('unavailable', 'REDIS_REPLY', 'a profile script answered in an unknown shape');
}

function isText(reply: unknown): reply is string {
  return typeof reply === 'string';
}

/** Used share of maxmemory, 0 without a limit. On a cluster: of one node, as slots spread evenly. */
async function memoryShare(redis: RedisClient): Promise<number> {
  const info = await redis.info('memory');
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  const limit = field('maxmemory');
  return limit === 0 ? 0 : field('used_memory') / limit;
}

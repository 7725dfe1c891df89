/**
 * Idempotency keys, their holders, and a process' view of the slices of idempotency_keys: the one that takes keys, and filters of the sealed ones.
 * The view may be out of date by any time and is never wrong: a sealed slice never changes, and a slice that was
 * sealed meanwhile refuses the next claim. A slice without a filter is looked up in its index.
 */
import { hash } from 'node:crypto';
import { hexUuidArray, int4Array, uuidOffset } from '../../../kit/database/binary-array.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import {
  createKeyFilter,
  filterBytes,
  filterKeys,
  type KeyDigests,
  type KeyFilter,
  listKeySlices,
  readKeyPrefixes,
  type Slice,
} from './key-slice-rows.ts';

/** A claim reads the slices again when they are older than this; sooner where one has no filter. */
const REFRESH_MS = 60_000;
const REFRESH_UNFILTERED_MS = 2000;

/** Where keys are claimed, and which slices are looked up before. */
export type KeyRoute = {
  /** The slice that takes keys, as last read. */
  readonly open: number;
  /** Positions of keys that the sealed slices below may hold; no other sealed slice holds any. */
  readonly suspects: readonly number[];
  readonly slices: readonly number[];
};

export type KeySlices = ReturnType<typeof createKeySlices>;

export type KeySlicesOptions = {
  /** Bounds all filters together; the oldest slices have none beyond it. */
  readonly bytesMax: number;
  readonly nowMs: () => number;
  /** Called after the view has changed; `unfiltered` sealed slices have no filter and are looked up. */
  readonly report: (usage: { unfiltered: number; filterBytes: number }) => void;
};

type Known = { readonly open: number; readonly sealed: readonly Slice[] };

/** Most keys on a page of 8 KiB: bounds a slice's keys by its size. */
const KEYS_EACH_PAGE_MAX = 97;
const PAGE_BYTES = 8192;
/**
 * A new filter has room for at least this share of all sealed keys: bounds how many filters a key is looked up
 * in.
 */
const ROOM_SHARE = 1 / 4;
/** A new filter has room for this many slices like its first: 20 MiB for the smallest, which is an hour at 2,000 keys a second. */
const ROOM_SLICES = 4;

/** A filter and the slices all of whose keys are in it. */
type Cover = { readonly filter: KeyFilter; readonly slices: Set<number>; roomKeys: number };

export function createKeySlices(
  database: Pick<Database, 'query'>,
  { bytesMax, nowMs, report }: KeySlicesOptions,
) {
  const covers = createKeyCovers(database.query, bytesMax);
  let known: Known | undefined;
  let reading: Promise<Known> | undefined;
  let readAtMs = 0;
  let building: Promise<void> | undefined;

  async function read(): Promise<Known> {
    readAtMs = nowMs();
    const slices = await listKeySlices(database.query);
    const sealed = slices.filter(({ sealedAt }) => sealedAt !== null);
    const open = slices.find(({ sealedAt }) => sealedAt === null);
    if (open === undefined) throw new Error('no slice of idempotency_keys is open');
    known = { open: open.slice, sealed };
    // A slice that cannot be read is looked up, and read again after the next reading.
    building ??= covers
      .build(sealed)
      .catch(() => undefined)
      .finally(() => {
        building = undefined;
        reportUsage();
      });
    reportUsage();
    return known;
  }

  function readOnce(): Promise<Known> {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  function reportUsage(): void {
    const unfiltered = known === undefined ? 0 : covers.missing(known.sealed).length;
    report({ filterBytes: covers.bytes(), unfiltered });
  }

  /** Uses the last reading, however old; nobody waits for the next one. */
  async function recall(): Promise<Known> {
    if (known === undefined) return await readOnce();
    const refreshMs = covers.missing(known.sealed).length > 0 ? REFRESH_UNFILTERED_MS : REFRESH_MS;
    if (nowMs() - readAtMs > refreshMs) readOnce().catch(() => undefined);
    return known;
  }

  return {
    async route(digests: KeyDigests): Promise<KeyRoute> {
      const now = await recall();
      const unfiltered = covers.missing(now.sealed).map(({ slice }) => slice);
      const marks = new Uint8Array(digests.count).fill(unfiltered.length > 0 ? 1 : 0);
      const suspected = covers.mark(digests, marks);
      const suspects: number[] = [];
      for (let at = 0; at < marks.length; at++) if (marks[at] === 1) suspects.push(at);
      return { open: now.open, suspects, slices: [...unfiltered, ...suspected] };
    },
    /** Reads the slices again: the open one has refused a key. */
    async refresh(): Promise<void> {
      // A reading under way may have begun before the refusal.
      await reading?.catch(() => undefined);
      await readOnce();
    },
    /** Resolves once filters of the known slices are built, as far as they fit. */
    filtered: async () => await building,
  };
}

/**
 * The filters of a process over sealed slices. The filters are few however many slices there are: a filter that is built
 * at the start covers all slices, and a filter that is opened later has room for several.
 * @param bytesMax of all filters; the oldest slices have none beyond it
 */
function createKeyCovers(query: Query, bytesMax: number) {
  let covers: readonly Cover[] = [];
  const bytes = () => sumOf(covers.map(({ filter }) => filter.bytes));
  /** Slices that no filter covers. */
  const missing = (sealed: readonly Slice[]) =>
    sealed.filter(({ slice }) => !covers.some(({ slices }) => slices.has(slice)));

  /** A filter with room for the slice; undefined where the memory is used up. */
  function coverFor(slice: Slice, sealed: readonly Slice[]): Cover | undefined {
    const keys = keysMaxOf(slice);
    const roomy = covers.find(({ roomKeys }) => roomKeys >= keys);
    if (roomy !== undefined) return roomy;
    const wanted = Math.max(
      keys * ROOM_SLICES,
      sumOf(sealed.map(keysMaxOf)) * ROOM_SHARE,
      sumOf(missing(sealed).map(keysMaxOf)),
    );
    const left = bytesMax - bytes();
    const roomKeys = Math.min(wanted, filterKeys(left));
    if (roomKeys < keys || filterBytes(roomKeys) > left) return undefined;
    const cover = { filter: createKeyFilter(roomKeys), slices: new Set<number>(), roomKeys };
    covers = [...covers, cover];
    return cover;
  }

  return {
    missing,
    bytes,
    /**
     * Builds missing filters, newest slices first, within the memory bound, and drops filters of dropped slices.
     */
    async build(sealed: readonly Slice[]): Promise<void> {
      const standing = new Set(sealed.map(({ slice }) => slice));
      // A dropped slice's bits stay until all slices of its filter are dropped.
      covers = covers.filter(({ slices }) => !slices.isDisjointFrom(standing));
      for (const slice of missing(sealed)) {
        const cover = coverFor(slice, sealed);
        if (cover === undefined) return;
        cover.roomKeys -= keysMaxOf(slice);
        for await (const prefixes of readKeyPrefixes(query, slice.slice))
          cover.filter.add(prefixes);
        cover.slices.add(slice.slice);
      }
    },
    /** Marks the keys that covered slices may hold; returns those slices. */
    mark(digests: KeyDigests, marks: Uint8Array): readonly number[] {
      return covers.flatMap(({ filter, slices }) =>
        filter.mark(digests, marks) ? [...slices] : [],
      );
    },
  };
}

function keysMaxOf({ bytes }: Slice): number {
  return Math.ceil(bytes / PAGE_BYTES) * KEYS_EACH_PAGE_MAX;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

export type KnownKey = {
  /** Index among the keys that were asked for. */
  readonly position: number;
  /** The first 16 bytes of the body's SHA-256, in hexadecimal. */
  readonly fingerprint: string;
  readonly transactionId: string;
};

const FIND = `
  select ordinal::int4 - 1 as position, k.transaction_id as "transactionId",
         replace(k.fingerprint::text, '-', '') as fingerprint
    from unnest($1::uuid[]) with ordinality as u(digest, ordinal)
    join market.idempotency_keys k on k.digest = u.digest`;

const findInSlices = {
  name: 'find-keys-in-slices',
  text: `${FIND} where k.slice = any($2::int4[])`,
};

/** Keys that some sealed slices hold, by their position. */
export async function findKeysInSlices(
  query: Query,
  { array }: KeyDigests,
  slices: readonly number[],
): Promise<KnownKey[]> {
  return await query<KnownKey>(findInSlices, [array, int4Array(slices)]);
}

/**
 * Holders of keys in any slice, by their position. The statement is planned each time: a plan made while the
 * open slice had one page would read all of it once it has thousands.
 */
export async function findKeys(query: Query, { array }: KeyDigests): Promise<KnownKey[]> {
  return await query<KnownKey>({ text: FIND }, [array]);
}

/** Holders of a client's keys, by their position; a key that nobody holds is left out. */
export const findKnownKeys = (query: Query, client: string, keys: readonly string[]) =>
  findKeys(query, digestKeys(client, keys));

/**
 * The identifier of a client's idempotency key: 16 bytes of SHA-256, which `idempotency_digest` of sql/0001
 * computes too. Among 78 billion keys the chance that any two share a digest is 1 in 10^17, and a deliberate
 * collision takes 2^64 tries.
 */
export function digestKeys(client: string, keys: readonly string[]): KeyDigests {
  const array = hexUuidArray(keys.map((key) => hash('sha256', `${client}\0${key}`, 'hex')));
  return { array, count: keys.length };
}

/** The digests at some positions. */
export function pickDigests({ array }: KeyDigests, positions: readonly number[]): KeyDigests {
  const picked = positions.map((at) => array.toString('hex', uuidOffset(at), uuidOffset(at) + 16));
  return { array: hexUuidArray(picked), count: picked.length };
}

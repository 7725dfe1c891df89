/**
 * What a process knows of the slices of idempotency_keys: the one that takes keys, and a filter of each sealed one.
 * It may be behind by any time and is never wrong: a sealed slice never changes, and one that was sealed unheard
 * refuses the next claim. A slice without a filter is looked up in its index.
 */
import type { KeyDigests } from './key-digest.ts';
import { createKeyFilterBuilder, filterBytes, type KeyFilter } from './key-filter.ts';
import { listKeySlices, readKeyPrefixes, type Slice } from './key-slice-rows.ts';
import type { Database } from './pool.ts';

/** Keys that a page of 8 KiB holds at most: bounds a slice's keys by its size. */
const KEYS_EACH_PAGE_MAX = 97;
const PAGE_BYTES = 8192;
/** A claim reads the slices again this long after they were read last; sooner where one lacks its filter. */
const REFRESH_MS = 60_000;
const REFRESH_UNFILTERED_MS = 2000;

/** Where keys are claimed, and which of them are looked up before. */
export type KeyRoute = {
  /** The slice that takes keys, as last read. */
  readonly open: number;
  /** Positions of keys that the sealed slices below may hold; no other sealed slice holds any. */
  readonly suspects: readonly number[];
  readonly slices: readonly number[];
};

export type KeySlices = {
  readonly route: (digests: KeyDigests) => Promise<KeyRoute>;
  /** Reads the slices again: the open one has refused a key. */
  readonly refresh: () => Promise<void>;
  /** Resolves once the filters are built that fit, of the slices that are known. */
  readonly filtered: () => Promise<void>;
};

export type SliceUsage = {
  /** Sealed ones that are looked up for want of a filter. */
  readonly unfiltered: number;
  readonly filterBytes: number;
};

type Known = { readonly open: number; readonly sealed: readonly Slice[] };

export type KeySlicesOptions = {
  /** Of all filters; the oldest slices go without. */
  readonly bytesMax: number;
  readonly nowMs: () => number;
  /** Called after what is known has changed. */
  readonly report: (usage: SliceUsage) => void;
};

export function createKeySlices(
  database: Pick<Database, 'query'>,
  { bytesMax, nowMs, report }: KeySlicesOptions,
): KeySlices {
  const filters = new Map<number, KeyFilter>();
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
    const standing = new Set(sealed.map(({ slice }) => slice));
    for (const slice of filters.keys()) if (!standing.has(slice)) filters.delete(slice);
    building ??= buildMissing(sealed).finally(() => {
      building = undefined;
      tell();
    });
    tell();
    return known;
  }

  function readOnce(): Promise<Known> {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  /** Newest first. One that fails is tried again after the next reading. */
  async function buildMissing(sealed: readonly Slice[]): Promise<void> {
    let bytes = 0;
    for (const slice of sealed) {
      bytes += filterBytes(keysMaxOf(slice));
      if (bytes > bytesMax) return;
      if (filters.has(slice.slice)) continue;
      const filter = await buildFilter(database, slice).catch(() => undefined);
      if (filter !== undefined) filters.set(slice.slice, filter);
    }
  }

  function tell(): void {
    const filterBytes = [...filters.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    report({ filterBytes, unfiltered: known === undefined ? 0 : unfilteredOf(known).length });
  }

  const unfilteredOf = ({ sealed }: Known) =>
    sealed.flatMap(({ slice }) => (filters.has(slice) ? [] : slice));

  /** What was read last, however old; reading it again is nobody's wait. */
  async function recall(): Promise<Known> {
    if (known === undefined) return await readOnce();
    const refreshMs = unfilteredOf(known).length > 0 ? REFRESH_UNFILTERED_MS : REFRESH_MS;
    if (nowMs() - readAtMs > refreshMs) readOnce().catch(() => undefined);
    return known;
  }

  return {
    async route(digests) {
      const now = await recall();
      const unfiltered = unfilteredOf(now);
      const slices = new Set(unfiltered);
      const suspects: number[] = [];
      for (let at = 0; at < digests.count; at++) {
        let isSuspect = unfiltered.length > 0;
        for (const [slice, filter] of filters) {
          if (!filter.mayHold(digests, at)) continue;
          isSuspect = true;
          slices.add(slice);
        }
        if (isSuspect) suspects.push(at);
      }
      return { open: now.open, suspects, slices: [...slices] };
    },
    async refresh() {
      // One under way may have begun before the refusal.
      await reading?.catch(() => undefined);
      await readOnce();
    },
    filtered: async () => await building,
  };
}

function keysMaxOf({ bytes }: Slice): number {
  return Math.ceil(bytes / PAGE_BYTES) * KEYS_EACH_PAGE_MAX;
}

async function buildFilter(database: Pick<Database, 'query'>, slice: Slice): Promise<KeyFilter> {
  const builder = createKeyFilterBuilder(keysMaxOf(slice));
  for await (const prefixes of readKeyPrefixes(database.query, slice.slice)) builder.add(prefixes);
  return builder.build();
}

/**
 * A process' view of the slices of idempotency_keys: the one that takes keys, and filters of the sealed ones.
 * The view may be out of date by any time and is never wrong: a sealed slice never changes, and a slice that was
 * sealed meanwhile refuses the next claim. A slice without a filter is looked up in its index.
 */
import type { Database } from '../../../kit/database/pool.ts';
import { createKeyCovers } from './key-covers.ts';
import type { KeyDigests } from './key-digest.ts';
import { listKeySlices, type Slice } from './key-slice-rows.ts';

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

export type KeySlices = {
  readonly route: (digests: KeyDigests) => Promise<KeyRoute>;
  /** Reads the slices again: the open one has refused a key. */
  readonly refresh: () => Promise<void>;
  /** Resolves once filters of the known slices are built, as far as they fit. */
  readonly filtered: () => Promise<void>;
};

type SliceUsage = {
  /** Sealed slices that have no filter and are looked up. */
  readonly unfiltered: number;
  readonly filterBytes: number;
};

export type KeySlicesOptions = {
  /** Bounds all filters together; the oldest slices have none beyond it. */
  readonly bytesMax: number;
  readonly nowMs: () => number;
  /** Called after the view has changed. */
  readonly report: (usage: SliceUsage) => void;
};

type Known = { readonly open: number; readonly sealed: readonly Slice[] };

export function createKeySlices(
  database: Pick<Database, 'query'>,
  { bytesMax, nowMs, report }: KeySlicesOptions,
): KeySlices {
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
    async route(digests) {
      const now = await recall();
      const unfiltered = covers.missing(now.sealed).map(({ slice }) => slice);
      const marks = new Uint8Array(digests.count).fill(unfiltered.length > 0 ? 1 : 0);
      const suspected = covers.mark(digests, marks);
      const suspects: number[] = [];
      for (let at = 0; at < marks.length; at++) if (marks[at] === 1) suspects.push(at);
      return { open: now.open, suspects, slices: [...unfiltered, ...suspected] };
    },
    async refresh() {
      // A reading under way may have begun before the refusal.
      await reading?.catch(() => undefined);
      await readOnce();
    },
    filtered: async () => await building,
  };
}

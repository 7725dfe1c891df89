/**
 * The filters of a process over sealed slices. They are few however many slices there are: one that is built at
 * the start covers all of them, and one that is opened later has room for several.
 */
import type { Query } from '../../../kit/database/pool.ts';
import type { KeyDigests } from './key-digest.ts';
import { createKeyFilter, filterBytes, filterKeys, type KeyFilter } from './key-filter.ts';
import { readKeyPrefixes, type Slice } from './key-slice-rows.ts';

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

type KeyCovers = {
  /** Slices that no filter covers. */
  readonly missing: (sealed: readonly Slice[]) => readonly Slice[];
  /**
   * Builds missing filters, newest slices first, within the memory bound, and drops filters of dropped slices.
   */
  readonly build: (sealed: readonly Slice[]) => Promise<void>;
  /** Marks the keys that covered slices may hold; returns those slices. */
  readonly mark: (digests: KeyDigests, marks: Uint8Array) => readonly number[];
  readonly bytes: () => number;
};

/** A filter and the slices all of whose keys are in it. */
type Cover = { readonly filter: KeyFilter; readonly slices: Set<number>; roomKeys: number };

/** @param bytesMax of all filters; the oldest slices have none beyond it */
export function createKeyCovers(query: Query, bytesMax: number): KeyCovers {
  let covers: readonly Cover[] = [];
  const bytes = () => sumOf(covers.map(({ filter }) => filter.bytes));
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
    async build(sealed) {
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
    mark(digests, marks) {
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

/**
 * Copies of profiles in this process' memory (L1), least recently used first to go. They are kept as the bytes that
 * Redis holds, in one block: 25,000 profiles as objects were a third of what the collector had to follow, and took a
 * third more room.
 */
import { LRUCache } from 'lru-cache';
import {
  PROFILE_HEADER_BYTES,
  type ProfileHeader,
  type StoredBody,
  stubOf,
} from '../profile/profile.ts';
import { createRoom, type Room } from '../profile/room.ts';
import { type Chain, createPagePool, PAGE_BYTES, pagesOf } from './page-pool.ts';

export type ProfileMemory = {
  /** For the lists of one batch at a time. */
  readonly room: Room;
  /** A party's copy, or undefined. */
  readonly find: (party: string) => Kept | undefined;
  /** The body of a copy, put into the room. Undefined when it is gone. */
  readonly read: (kept: Kept) => StoredBody | undefined;
  /** Keeps a value, in place of an older one. */
  readonly keep: (party: string, slot: number, body: Uint8Array, header: ProfileHeader) => void;
  /** Writes over a copy from an offset to its end, or beyond. False when it is gone, or there is no room. */
  readonly extend: (
    kept: Kept,
    offset: number,
    bytes: Uint8Array,
    header: ProfileHeader,
  ) => boolean;
  /** Redis has only the header of the copy with this header; any other copy is dropped. */
  readonly markStub: (party: string, header: ProfileHeader) => void;
  /** Drops the copy, if it has this header. */
  readonly forget: (party: string, header: ProfileHeader) => void;
};

/** A copy as it was found. */
export type Kept = {
  /** As Redis should hold it. */
  readonly header: ProfileHeader;
  /** Of its key. */
  readonly slot: number;
  /** Redis holds nothing but `header`. */
  readonly isStub: boolean;
  readonly chain: Chain;
  /** Tells this copy from a later one of the party, and from whatever is kept in its pages later. */
  readonly stamp: number;
};

/** How much of the memory there is beside it for one batch: of 18 MiB, 900 profiles of 4 KiB. What needs more gets it elsewhere. */
const ROOM_SHARE = 1 / 5;
/** Share of the memory that one value may take. */
const VALUE_SHARE_MAX = 1 / 8;

export function createProfileMemory(entriesMax: number, bytesMax: number): ProfileMemory {
  const pool = createPagePool(bytesMax, Math.floor(bytesMax * ROOM_SHARE));
  const room = createRoom(pool.buffer, pool.pagesEnd);
  const pages = pool.freePages();
  /** By first page of a copy. */
  const headers = createHeaders(pages);
  const slots = new Uint16Array(pages);
  const stubs = new Uint8Array(pages);
  const stamps = new Int32Array(pages);
  const chains = new LRUCache<string, Chain>({
    max: Math.max(1, Math.min(entriesMax, pages)),
    dispose(chain) {
      stamps[chain] = (stamps[chain] ?? 0) + 1;
      pool.release(chain);
    },
  });

  /** Drops copies until so many pages are free. */
  function makeRoom(needed: number): void {
    while (pool.freePages() < needed && chains.pop() !== undefined);
  }

  return {
    room,
    find(party) {
      const chain = chains.get(party);
      if (chain === undefined) return undefined;
      const isStub = stubs[chain] === 1;
      const header = isStub ? stubOf(headers.get(chain)) : headers.get(chain);
      return { header, slot: slots[chain] ?? 0, isStub, chain, stamp: stamps[chain] ?? 0 };
    },
    read({ chain, stamp }) {
      if (stamps[chain] !== stamp) return undefined;
      const length = pool.lengthOf(chain);
      const view = room.take(pagesOf(length) * PAGE_BYTES);
      pool.read(chain, view);
      return { view, length };
    },
    keep(party, slot, body, header) {
      chains.delete(party);
      const needed = pagesOf(body.length);
      if (needed > pages * VALUE_SHARE_MAX) return;
      makeRoom(needed);
      const chain = pool.store(body);
      slots[chain] = slot;
      headers.set(chain, header);
      stubs[chain] = 0;
      chains.set(party, chain);
    },
    extend({ chain, stamp }, offset, bytes, header) {
      if (stamps[chain] !== stamp) return false;
      const length = pool.lengthOf(chain);
      const needed = pagesOf(offset + bytes.length);
      if (needed > pages * VALUE_SHARE_MAX) return false;
      makeRoom(needed - pagesOf(length));
      // It was used in this batch, but so may all others have been.
      if (stamps[chain] !== stamp) return false;
      pool.write(chain, offset, bytes);
      headers.set(chain, header);
      stubs[chain] = 0;
      // Whoever found it before has the older header.
      stamps[chain] = stamp + 1;
      return true;
    },
    markStub(party, header) {
      const chain = chains.peek(party);
      if (chain === undefined) return;
      if (headers.is(chain, header)) stubs[chain] = 1;
      else chains.delete(party);
    },
    forget(party, header) {
      const chain = chains.peek(party);
      if (chain !== undefined && headers.is(chain, header)) chains.delete(party);
    },
  };
}

/** The headers of copies, by first page: as strings they would be objects that the collector follows. */
function createHeaders(pages: number) {
  const bytes = new Uint8Array(pages * PROFILE_HEADER_BYTES);
  return {
    get(chain: Chain): ProfileHeader {
      const at = chain * PROFILE_HEADER_BYTES;
      const byte = (index: number) => bytes[at + index] ?? 0;
      return (
        String.fromCharCode(byte(0), byte(1), byte(2), byte(3)) +
        String.fromCharCode(byte(4), byte(5), byte(6), byte(7))
      );
    },
    set(chain: Chain, header: ProfileHeader): void {
      const at = chain * PROFILE_HEADER_BYTES;
      for (let index = 0; index < PROFILE_HEADER_BYTES; index++) {
        bytes[at + index] = header.charCodeAt(index);
      }
    },
    is(chain: Chain, header: ProfileHeader): boolean {
      const at = chain * PROFILE_HEADER_BYTES;
      for (let index = 0; index < PROFILE_HEADER_BYTES; index++) {
        if (bytes[at + index] !== header.charCodeAt(index)) return false;
      }
      return true;
    },
  };
}

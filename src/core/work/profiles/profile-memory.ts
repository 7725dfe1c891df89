/**
 * Copies of profiles in this process' memory (L1): packed profiles, each in a chunk of a slab behind what is known of its
 * log. When there is no room a clock decides which copies go: one that was found since the hand last passed stays
 * for another round.
 */
import type { TakeBytes } from '../../profile/arena.ts';
import { type RecordKey, readBound } from '../../profile/packed-list.ts';
import {
  type Profile,
  type ProfileKind,
  profileBytes,
  writeProfile,
} from '../../profile/profile.ts';
import type { LogEnd } from '../../profile/profile-log.ts';
import {
  type Chunk,
  classFor,
  createSlab,
  eachChunk,
  nextPage,
  reassignPage,
  releaseChunk,
  type Slab,
  takeChunk,
  UNIT_BYTES,
} from './slab.ts';

export type Copy = Chunk;
export const NO_COPY: Copy = -1;

/** The known state of the log that a copy equals. */
export type CopyState = {
  readonly slot: number;
  readonly end: LogEnd;
  /** Bytes of the snapshot that the log begins with. */
  readonly snapshotBytes: number;
  /** When this process last renewed the log's time to live, or read it; seconds. */
  readonly renewedAtS: number;
};

type Kind = Pick<ProfileKind<Profile, unknown>, 'layout' | 'decode'>;

export type ProfileMemory = {
  readonly kind: Kind;
  readonly slab: Slab;
  readonly words: Uint32Array<ArrayBuffer>;
  /** Buffer for a profile that moves: as large as the largest copy. */
  readonly scratch: DataView<ArrayBuffer>;
  readonly copies: Map<string, Copy>;
  /** By chunk: the party whose copy is here, and whether it was found lately. */
  readonly parties: (string | undefined)[];
  readonly wasFound: Uint8Array;
  /** By class: the page that the clock's hand is at; and the hand of the pages that change their class. */
  readonly hands: Int32Array;
  pageHand: number;
};

/** Head of a copy, in front of its profile, in words: */
const HEAD_BYTES = 32;
const [CLASS, SLOT, LENGTH, LOG_LENGTH, HIGH, LOW, SNAPSHOT, RENEWED] = [0, 1, 2, 3, 4, 5, 6, 7];
const UNIT_WORDS = UNIT_BYTES / 4;
/**
 * A page goes to another class if at most this share of its chunks was found lately. Growing lists leave pages
 * nearly empty: with 1/8 of the copies there, three times as many were missing from a memory that was just large enough.
 */
const COLD_SHARE = 1 / 2;

export function createProfileMemory(bytesMax: number, kind: Kind): ProfileMemory {
  const slab = createSlab(bytesMax);
  return {
    kind,
    slab,
    words: new Uint32Array(slab.buffer),
    scratch: new DataView(new ArrayBuffer(slab.pageBytes)),
    copies: new Map(),
    pageHand: 0,
    parties: new Array<string | undefined>(slab.units).fill(undefined),
    wasFound: new Uint8Array(slab.units),
    hands: new Int32Array(slab.sizes.length),
  };
}

export function findCopy(memory: ProfileMemory, party: string): Copy {
  const copy = memory.copies.get(party) ?? NO_COPY;
  if (copy !== NO_COPY) memory.wasFound[copy] = 1;
  return copy;
}

/** Whether the copy is still the party's: its chunk may have gone to another one. */
export function isOf({ parties }: ProfileMemory, copy: Copy, party: string): boolean {
  return parties[copy] === party;
}

export function stateOf({ words }: ProfileMemory, copy: Copy): CopyState {
  const at = copy * UNIT_WORDS;
  const word = (index: number) => words[at + index] ?? 0;
  return {
    slot: word(SLOT),
    end: { length: word(LOG_LENGTH), high: word(HIGH), low: word(LOW) },
    snapshotBytes: word(SNAPSHOT),
    renewedAtS: word(RENEWED),
  };
}

/** The copy's packed profile, with all the room behind it. */
export function viewOf(memory: ProfileMemory, copy: Copy): DataView<ArrayBuffer> {
  const { slab, words } = memory;
  const begin = bodyAt(copy);
  const size = slab.sizes[words[copy * UNIT_WORDS + CLASS] ?? 0] ?? 0;
  return new DataView(slab.buffer, begin, copy * UNIT_BYTES + size - begin);
}

export function lengthOf({ words }: ProfileMemory, copy: Copy): number {
  return words[copy * UNIT_WORDS + LENGTH] ?? 0;
}

/** The key after which the copy's list has every row. */
export function floorOf(memory: ProfileMemory, copy: Copy): RecordKey {
  return readBound(viewOf(memory, copy), 0);
}

/** Stores a profile as the party's copy. The profile's list may stand in the copy that it replaces. */
export function storeProfile(
  memory: ProfileMemory,
  party: string,
  profile: Profile,
  state: CopyState,
): void {
  const { layout } = memory.kind;
  const length = profileBytes(layout, profile);
  const copy = memory.copies.get(party);
  if (copy !== undefined && viewOf(memory, copy).byteLength >= length) {
    writeProfile(layout, profile, viewOf(memory, copy));
    noteFolded(memory, copy, profile, state);
    return;
  }
  if (copy !== undefined) dropCopy(memory, copy);
  const { scratch } = memory;
  const sizeClass = classFor(memory.slab, HEAD_BYTES + length);
  if (sizeClass === undefined) return;
  // Packed before a chunk is taken, which may be the one where its list stands.
  writeProfile(layout, profile, scratch);
  const added = addCopy(memory, party, sizeClass);
  const packed = new Uint8Array(scratch.buffer, 0, length);
  new Uint8Array(memory.slab.buffer).set(packed, bodyAt(added));
  noteFolded(memory, added, profile, state);
}

/** Renews what is known of a copy whose records stand in their key. */
export function noteFolded(
  memory: ProfileMemory,
  copy: Copy,
  profile: Profile,
  { slot, end, snapshotBytes, renewedAtS }: CopyState,
): void {
  const { words } = memory;
  const { layout } = memory.kind;
  const at = copy * UNIT_WORDS;
  words[at + SLOT] = slot;
  words[at + LENGTH] = profileBytes(layout, profile);
  words[at + LOG_LENGTH] = end.length;
  words[at + HIGH] = end.high;
  words[at + LOW] = end.low;
  words[at + SNAPSHOT] = snapshotBytes;
  words[at + RENEWED] = renewedAtS;
}

/** The copy's profile; undefined when it is damaged, or made with other settings. */
export function readProfile(
  memory: ProfileMemory,
  copy: Copy,
  take: TakeBytes,
): Profile | undefined {
  return memory.kind.decode(viewOf(memory, copy), lengthOf(memory, copy), take);
}

export function forgetParty(memory: ProfileMemory, party: string): void {
  const copy = memory.copies.get(party);
  if (copy !== undefined) dropCopy(memory, copy);
}

function bodyAt(copy: Copy): number {
  return copy * UNIT_BYTES + HEAD_BYTES;
}

function addCopy(memory: ProfileMemory, party: string, sizeClass: number): Copy {
  const copy = makeRoom(memory, sizeClass);
  memory.words[copy * UNIT_WORDS + CLASS] = sizeClass;
  // An id is a slice, so the text of its whole column would stay alive.
  const id = Buffer.from(party).toString();
  memory.parties[copy] = id;
  memory.wasFound[copy] = 1;
  memory.copies.set(id, copy);
  return copy;
}

function dropCopy(memory: ProfileMemory, copy: Copy): void {
  memory.copies.delete(memory.parties[copy] ?? '');
  memory.parties[copy] = undefined;
  releaseChunk(memory.slab, copy, memory.words[copy * UNIT_WORDS + CLASS] ?? 0);
}

/**
 * A free chunk, for which others may have to go: a page of which little was found lately, of whatever class, so that classes
 * follow the load; else what was not found lately of the class itself.
 */
function makeRoom(memory: ProfileMemory, sizeClass: number): Chunk {
  const { slab } = memory;
  for (;;) {
    const chunk = takeChunk(slab, sizeClass);
    if (chunk !== undefined) return chunk;
    memory.pageHand = nextPage(slab, memory.pageHand);
    const page = memory.pageHand;
    const isNeeded = (slab.pageCounts[sizeClass] ?? 0) === 0;
    if (slab.classes[page] !== sizeClass && (isNeeded || isCold(memory, page))) {
      eachTaken(memory, page, (copy) => dropCopy(memory, copy));
      reassignPage(slab, page, sizeClass);
    } else if (!isNeeded) dropUnfound(memory, sizeClass);
  }
}

/** Whether few chunks of a page were found since the last check. */
function isCold(memory: ProfileMemory, page: number): boolean {
  const { slab } = memory;
  const chunks = Math.floor(slab.pageBytes / (slab.sizes[slab.classes[page] ?? 0] ?? 1));
  let found = 0;
  eachTaken(memory, page, (copy) => {
    found += memory.wasFound[copy] ?? 0;
    memory.wasFound[copy] = 0;
  });
  return found <= chunks * COLD_SHARE;
}

/** Drops the copies that were not found lately on the next page of a class. */
function dropUnfound(memory: ProfileMemory, sizeClass: number): void {
  const { slab, hands, wasFound } = memory;
  // The hand goes round once at most: by then every copy has lost the mark of having been found.
  for (let dropped = 0; dropped === 0; ) {
    const page = nextPage(slab, hands[sizeClass] ?? 0, sizeClass);
    hands[sizeClass] = page;
    eachTaken(memory, page, (copy) => {
      if (wasFound[copy] === 0) {
        dropCopy(memory, copy);
        dropped++;
      }
      wasFound[copy] = 0;
    });
  }
}

function eachTaken({ slab, parties }: ProfileMemory, page: number, use: (copy: Copy) => void) {
  eachChunk(slab, page, (chunk) => {
    if (parties[chunk] !== undefined) use(chunk);
  });
}

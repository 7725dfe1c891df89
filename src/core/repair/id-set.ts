/**
 * A packed set of UUIDs: 16 bytes a slot in an open-addressed table outside the heap. The reconciler holds the
 * ids that wait in Redis in it, of which there may be half a million.
 */

export type IdSet = {
  readonly add: (id: string) => void;
  readonly has: (id: string) => boolean;
  readonly size: () => number;
};

const WORDS = 4;
const SLOTS_FIRST = 1 << 12;
/** Above this share of slots in use the table doubles. */
const LOAD_MAX = 0.7;

export function createIdSet(): IdSet {
  let table = new Uint32Array(SLOTS_FIRST * WORDS);
  let used = 0;
  const words = new Uint32Array(WORDS);
  const parse = (id: string) => {
    words[0] = Number.parseInt(id.slice(0, 8), 16);
    words[1] = Number.parseInt(id.slice(9, 13) + id.slice(14, 18), 16);
    words[2] = Number.parseInt(id.slice(19, 23) + id.slice(24, 28), 16);
    words[3] = Number.parseInt(id.slice(28, 36), 16);
  };
  const insert = (word0: number, word1: number, word2: number, word3: number) => {
    const at = find(table, word0, word1, word2, word3);
    const isNew = !isUsed(table, at);
    table[at] = word0;
    table[at + 1] = word1;
    table[at + 2] = word2;
    table[at + 3] = word3;
    return isNew;
  };
  const grow = () => {
    const former = table;
    table = new Uint32Array(former.length * 2);
    for (let at = 0; at < former.length; at += WORDS) {
      if (isUsed(former, at)) insert(...take(former, at));
    }
  };
  return {
    add: (id) => {
      parse(id);
      if (!insert(...take(words, 0))) return;
      used += 1;
      if (used > (table.length / WORDS) * LOAD_MAX) grow();
    },
    has: (id) => {
      parse(id);
      return isUsed(table, find(table, ...take(words, 0)));
    },
    size: () => used,
  };
}

type Id = [number, number, number, number];

function take(table: Uint32Array, at: number): Id {
  return [table[at] ?? 0, table[at + 1] ?? 0, table[at + 2] ?? 0, table[at + 3] ?? 0];
}

/** A UUID of any version has a bit set in its second word, so that zeros mark a free slot. */
function isUsed(table: Uint32Array, at: number): boolean {
  return table[at + 1] !== 0;
}

/** Index of an id, or of the free slot for it. */
function find(table: Uint32Array, ...[word0, word1, word2, word3]: Id): number {
  const slots = table.length / WORDS;
  // Ids of one millisecond differ in their last words, others in the first.
  let hash = Math.imul(word0 ^ word3, 0x9e3779b1) ^ Math.imul(word1 ^ word2, 0x85ebca6b);
  hash ^= hash >>> 15;
  for (let slot = hash & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
    const at = slot * WORDS;
    if (!isUsed(table, at)) return at;
    const isSame =
      table[at] === word0 &&
      table[at + 1] === word1 &&
      table[at + 2] === word2 &&
      table[at + 3] === word3;
    if (isSame) return at;
  }
}

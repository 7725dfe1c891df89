/** The Merkle tree of RFC 6962: its hashes, and proofs from tiles of 256 hashes (C2SP tlog-tiles). Nothing here reads a store. */
import { hash } from 'node:crypto';

export const HASH_BYTES = 32;
/** Hashes of a full tile; above level 0 each hash is the root of a full tile of the level below. */
export const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;

export type Tile = { readonly level: number; readonly tile: number; readonly hashes: Buffer };

export type Edge = {
  readonly size: number;
  /** The hashes of the last tile of each level, from level 0 up; fewer than TILE_WIDTH each. */
  readonly levels: readonly (readonly Buffer[])[];
};

export const EMPTY_EDGE: Edge = { size: 0, levels: [] };

export const sha256 = (bytes: Uint8Array | string): Buffer => hash('sha256', bytes, 'buffer');
export const EMPTY_ROOT = sha256('');

/** @param binary a hash with a character for each byte */
const write = (hashes: Buffer, nth: number, binary: string) =>
  hashes.write(binary, nth * HASH_BYTES, HASH_BYTES, 'latin1');

/** Writes the hash of bytes into a buffer of hashes, as a buffer for each hash would cost more than the hash. */
export function putHash(hashes: Buffer, nth: number, bytes: Uint8Array): void {
  write(hashes, nth, hash('sha256', bytes, 'binary'));
}

export const leafHash = (text: string): Buffer => sha256(`\0${text}`);

const pair = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  pair.set(left, 1);
  pair.set(right, 1 + HASH_BYTES);
  return sha256(pair);
}

/** The largest power of two below a size of at least 2. */
function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

/** The root of a small tree that is in memory, as a tile is; the last node of a level with an odd number is its own parent. */
export function rootOf(hashes: Buffer): Buffer {
  if (hashes.length === 0) return EMPTY_ROOT;
  const level = Buffer.from(hashes);
  let width = level.length / HASH_BYTES;
  while (width > 1) {
    const parents = Math.ceil(width / 2);
    for (let nth = 0; nth < parents; nth++) {
      const from = 2 * nth * HASH_BYTES;
      if (2 * nth + 1 === width) {
        level.copy(level, nth * HASH_BYTES, from, from + HASH_BYTES);
        continue;
      }
      level.copy(pair, 1, from, from + 2 * HASH_BYTES);
      putHash(level, nth, pair);
    }
    width = parents;
  }
  return level.subarray(0, HASH_BYTES);
}

/** Reads the hashes of a tile, one behind the other; the last tile of a level may be partial. */
export type ReadTile = (level: number, tile: number) => Promise<Buffer>;

/** The root of the leaves from `from` to `to`. `from` is a multiple of the least power of two that is not below `to - from`. */
export async function rootBetween(read: ReadTile, from: number, to: number): Promise<Buffer> {
  const size = to - from;
  if (size === 0) return EMPTY_ROOT;
  const split = splitOf(size);
  if (size === 1 || split * 2 === size)
    return await perfectRoot(read, Math.log2(size), from / size);
  const middle = from + split;
  return nodeHash(await rootBetween(read, from, middle), await rootBetween(read, middle, to));
}

/** The root of a subtree of 2 ** height leaves, the nth of them. */
async function perfectRoot(read: ReadTile, height: number, nth: number): Promise<Buffer> {
  const level = Math.floor(height / TILE_HEIGHT);
  const width = 2 ** (height % TILE_HEIGHT);
  const first = nth * width;
  const tile = await read(level, Math.floor(first / TILE_WIDTH));
  const at = (first % TILE_WIDTH) * HASH_BYTES;
  const bytes = tile.subarray(at, at + width * HASH_BYTES);
  if (bytes.length !== width * HASH_BYTES) {
    throw new Error(`the tile ${Math.floor(first / TILE_WIDTH)} of level ${level} is too short`);
  }
  return rootOf(bytes);
}

export function hashesOf(bytes: Buffer): Buffer[] {
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, index) =>
    bytes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES),
  );
}

/** Proves that a leaf is in the tree of the first `to` leaves; from the leaf to the root. */
export async function inclusionPath(
  read: ReadTile,
  index: number,
  to: number,
  from = 0,
): Promise<Buffer[]> {
  if (to - from <= 1) return [];
  const middle = from + splitOf(to - from);
  return index < middle
    ? [...(await inclusionPath(read, index, middle, from)), await rootBetween(read, middle, to)]
    : [...(await inclusionPath(read, index, to, middle)), await rootBetween(read, from, middle)];
}

/** Proves that the tree of the first `to` leaves begins with the tree of the first `size` leaves. */
export async function consistencyPath(read: ReadTile, size: number, to: number): Promise<Buffer[]> {
  return size === 0 || size === to ? [] : await subProof(read, size, 0, to, true);
}

/** @param isWhole whether the reader knows the root of the leaves from `from` to `to` */
async function subProof(
  read: ReadTile,
  size: number,
  from: number,
  to: number,
  isWhole: boolean,
): Promise<Buffer[]> {
  if (size === to) return isWhole ? [] : [await rootBetween(read, from, to)];
  const middle = from + splitOf(to - from);
  return size <= middle
    ? [...(await subProof(read, size, from, middle, isWhole)), await rootBetween(read, middle, to)]
    : [...(await subProof(read, size, middle, to, false)), await rootBetween(read, from, middle)];
}

/**
 * The right edge of a log: the last tile of each level, to which leaves are appended.
 * @returns the new edge, and all tiles that changed, partial ones included
 */
export function append(edge: Edge, hashes: readonly Buffer[]): { edge: Edge; tiles: Tile[] } {
  const levels = edge.levels.map((level) => [...level]);
  const full: Tile[] = [];
  const touched = new Set<number>();
  let size = edge.size;
  const add = (level: number, hash: Buffer) => {
    const last = levels[level] ?? [];
    levels[level] = last;
    last.push(hash);
    touched.add(level);
    if (last.length < TILE_WIDTH) return;
    const bytes = Buffer.concat(last);
    full.push({ level, tile: tileAt(size, level), hashes: bytes });
    levels[level] = [];
    add(level + 1, rootOf(bytes));
  };
  for (const hash of hashes) {
    add(0, hash);
    size++;
  }
  const partial = [...touched].flatMap((level) => {
    const last = levels[level] ?? [];
    return last.length === 0
      ? []
      : { level, tile: tileAt(size - 1, level), hashes: Buffer.concat(last) };
  });
  return { edge: { size, levels }, tiles: [...full, ...partial] };
}

/** The tile of a level that a leaf belongs to. */
const tileAt = (index: number, level: number) => Math.floor(index / TILE_WIDTH ** (level + 1));

/** Names the tiles that are not empty at the edge of a log of this size. */
export function edgeTiles(size: number): { level: number; tile: number; width: number }[] {
  const found: { level: number; tile: number; width: number }[] = [];
  for (let level = 0, width = size; width > 0; level++, width = Math.floor(width / TILE_WIDTH)) {
    const last = width % TILE_WIDTH;
    if (last > 0) found.push({ level, tile: Math.floor(width / TILE_WIDTH), width: last });
  }
  return found;
}

/** The root of the whole log, from its edge alone. */
export async function edgeRoot({ size, levels }: Edge): Promise<Buffer> {
  const read: ReadTile = async (level, tile) => {
    const hashes = levels[level] ?? [];
    // A whole tile is one hash of the level above, so only the last tile of each level is read.
    if (tile !== Math.floor(size / TILE_WIDTH ** (level + 1))) throw new Error('not at the edge');
    return Buffer.concat(hashes);
  };
  return await rootBetween(read, 0, size);
}

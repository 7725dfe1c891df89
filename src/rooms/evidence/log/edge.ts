/** The right edge of a log: the last tile of each level, to which leaves are appended. */
import { type ReadTile, rootBetween, rootOf, TILE_WIDTH } from './tree.ts';

export type Tile = { readonly level: number; readonly tile: number; readonly hashes: Buffer };

export type Edge = {
  readonly size: number;
  /** The hashes of the last tile of each level, from level 0 up; fewer than TILE_WIDTH each. */
  readonly levels: readonly (readonly Buffer[])[];
};

export const EMPTY_EDGE: Edge = { size: 0, levels: [] };

/** @returns the new edge, and all tiles that changed, partial ones included */
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

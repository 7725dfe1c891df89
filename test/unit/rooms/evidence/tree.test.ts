/**
 * Goal: proofs that are made of tiles are those of RFC 6962, at every size. Method: a log grows leaf by leaf and in leaps over
 * the edges of tiles; verify/, which shares no line with the engine, judges its roots and proofs.
 */
import { expect, test } from 'vitest';
import {
  append,
  consistencyPath,
  EMPTY_EDGE,
  edgeRoot,
  edgeTiles,
  HASH_BYTES,
  inclusionPath,
  leafHash,
  type ReadTile,
  rootBetween,
  rootOf,
} from '../../../../src/rooms/evidence/log/tree.ts';
import {
  leafHash as hashOfLeaf,
  isConsistent,
  rootOfInclusion,
} from '../../../../verify/merkle.ts';

/** Leaps over the edges of tiles of levels 0 and 1. */
const LEAPS = [1, 1, 1, 4, 249, 1, 255, 257, 3000, 62_000, 9, 300];

test('each root, path and proof of a growing log is confirmed by verify/', async () => {
  const tiles = new Map<string, Buffer>();
  const read: ReadTile = async (level, tile) => tiles.get(`${level}/${tile}`) ?? Buffer.alloc(0);
  const all: Buffer[] = [];
  const roots = new Map([[0, rootOf(Buffer.alloc(0))]]);
  let edge = EMPTY_EDGE;
  for (const leap of LEAPS) {
    const hashes = Array.from({ length: leap }, (_, nth) => leafHash(`leaf ${all.length + nth}`));
    all.push(...hashes);
    const appended = append(edge, hashes);
    edge = appended.edge;
    for (const { level, tile, hashes: bytes } of appended.tiles)
      tiles.set(`${level}/${tile}`, bytes);
    const root = await edgeRoot(edge);
    expect(await rootBetween(read, 0, all.length)).toEqual(root);
    roots.set(all.length, root);
    const widths = edgeTiles(all.length).map(
      ({ level, tile }) => tiles.get(`${level}/${tile}`)?.length,
    );
    expect(widths).toEqual(edgeTiles(all.length).map(({ width }) => width * HASH_BYTES));
  }
  expect(roots.get(all.length)).toEqual(rootOf(Buffer.concat(all)));
  for (const [to, newer] of roots) {
    for (const [from, older] of roots) {
      if (from > to) continue;
      const proof = await consistencyPath(read, from, to);
      expect([from, to, isConsistent(from, older, to, newer, proof)]).toEqual([from, to, true]);
    }
    for (const index of [0, 1, 255, 256, 511, 512, to - 2, to - 1].filter(
      (one) => one >= 0 && one < to,
    )) {
      const path = await inclusionPath(read, index, to);
      const leaf = hashOfLeaf(Buffer.from(`leaf ${index}`));
      expect([index, to, rootOfInclusion(leaf, index, to, path)]).toEqual([index, to, newer]);
    }
  }
});

/** Merkle trees of RFC 6962 with SHA-256: hashes of leaves and nodes, proofs of inclusion, and proofs of consistency. */
import { createHash } from 'node:crypto';

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

export const hashOf = (bytes: Uint8Array): Buffer => sha256(bytes);
export const leafHash = (bytes: Uint8Array): Buffer => sha256(LEAF, bytes);
export const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer => sha256(NODE, left, right);

/** The root of the empty tree. */
export const EMPTY_ROOT = sha256();

const isOdd = (number: number) => number % 2 === 1;
const half = (number: number) => Math.floor(number / 2);

/** A node without a right sibling stands for its ancestors, up to the one that is a right child. */
function climb(node: number, last: number): [number, number] {
  return isOdd(node) || node === 0 ? [node, last] : climb(half(node), half(last));
}

/** Computes the root from a leaf's hash and its path; undefined where the path does not fit the index and the size. */
export function rootOfInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
): Buffer | undefined {
  if (!(Number.isSafeInteger(index) && Number.isSafeInteger(size)) || index < 0 || index >= size) {
    return undefined;
  }
  let node = index;
  let last = size - 1;
  let root: Buffer = Buffer.from(leaf);
  for (const sibling of path) {
    if (last === 0 || sibling.length !== 32) return undefined;
    if (isOdd(node) || node === last) {
      root = nodeHash(sibling, root);
      [node, last] = climb(node, last);
    } else {
      root = nodeHash(root, sibling);
    }
    node = half(node);
    last = half(last);
  }
  return last === 0 ? root : undefined;
}

/** Whether the tree of `newSize` leaves begins with the tree of `oldSize` leaves. */
export function isConsistent(
  oldSize: number,
  oldRoot: Uint8Array,
  newSize: number,
  newRoot: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  const isSame = (one: Uint8Array, other: Uint8Array) => Buffer.compare(one, other) === 0;
  if (oldSize === newSize) return proof.length === 0 && isSame(oldRoot, newRoot);
  if (oldSize > newSize || oldSize < 0) return false;
  if (oldSize === 0) return proof.length === 0 && isSame(oldRoot, EMPTY_ROOT);
  let node = oldSize - 1;
  let last = newSize - 1;
  while (isOdd(node)) {
    node = half(node);
    last = half(last);
  }
  const rest = [...proof];
  const first = node === 0 ? oldRoot : rest.shift();
  if (first === undefined || rest.some(({ length }) => length !== 32)) return false;
  let oldMade: Uint8Array = first;
  let newMade: Uint8Array = first;
  for (const sibling of rest) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      oldMade = nodeHash(sibling, oldMade);
      newMade = nodeHash(sibling, newMade);
      [node, last] = climb(node, last);
    } else {
      newMade = nodeHash(newMade, sibling);
    }
    node = half(node);
    last = half(last);
  }
  return last === 0 && isSame(oldMade, oldRoot) && isSame(newMade, newRoot);
}

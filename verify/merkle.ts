/** Merkle trees of RFC 6962 with SHA-256: hashes of leaves and nodes, proofs of inclusion, and proofs of consistency. */
import { hash } from 'node:crypto';

export const hashOf = (...parts: readonly Uint8Array[]): Buffer =>
  hash('sha256', Buffer.concat(parts), 'buffer');
export const leafHash = (bytes: Uint8Array): Buffer => hashOf(Buffer.of(0), bytes);
export const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer =>
  hashOf(Buffer.of(1), left, right);
export const EMPTY_ROOT = hashOf();

/** The largest power of two below a size of at least 2. */
function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}
const isHash = (hash: Uint8Array | undefined): hash is Uint8Array => hash?.length === 32;

/** Computes the root from a leaf's hash and its path; undefined where the path does not fit the index and the size. */
export function rootOfInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
): Buffer | undefined {
  const isPlace = Number.isSafeInteger(index) && Number.isSafeInteger(size);
  if (!isPlace || index < 0 || index >= size) return undefined;
  const sibling = path.at(-1);
  if (size === 1) return sibling === undefined ? Buffer.from(leaf) : undefined;
  const split = splitOf(size);
  const isLeft = index < split;
  const [below, width] = isLeft ? [index, split] : [index - split, size - split];
  const root = rootOfInclusion(leaf, below, width, path.slice(0, -1));
  if (root === undefined || !isHash(sibling)) return undefined;
  return isLeft ? nodeHash(root, sibling) : nodeHash(sibling, root);
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
  const made = rootsOf(oldSize, newSize, proof, oldRoot);
  return made !== undefined && isSame(made[0], oldRoot) && isSame(made[1], newRoot);
}

/** @param known the root of the older leaves, where the reader knows it */
function rootsOf(
  oldSize: number,
  newSize: number,
  proof: readonly Uint8Array[],
  known: Uint8Array | undefined,
): [older: Uint8Array, newer: Uint8Array] | undefined {
  const last = proof.at(-1);
  if (oldSize === newSize) {
    const root = known ?? last;
    return isHash(root) && proof.length === (known ? 0 : 1) ? [root, root] : undefined;
  }
  const split = splitOf(newSize);
  const isLeft = oldSize <= split;
  const made = isLeft
    ? rootsOf(oldSize, split, proof.slice(0, -1), known)
    : rootsOf(oldSize - split, newSize - split, proof.slice(0, -1), undefined);
  if (made === undefined || !isHash(last)) return undefined;
  const [older, newer] = made;
  return isLeft ? [older, nodeHash(newer, last)] : [nodeHash(last, older), nodeHash(last, newer)];
}

/**
 * A logged vector as it is stored (bytea): the raw little-endian doubles of a Float64Array, every bit of a NaN
 * included. binary-array.ts writes them.
 */

/** Copies the bytes, as the driver's buffers may be unaligned. */
export function toVector(bytes: Uint8Array): Float64Array {
  const vector = new Float64Array(bytes.length / Float64Array.BYTES_PER_ELEMENT);
  copyVector(bytes, vector);
  return vector;
}

/** Throws an Error for a vector of another length. */
export function copyVector(bytes: Uint8Array, into: Float64Array): void {
  if (bytes.length !== into.byteLength) {
    throw new Error(`a vector of ${bytes.length} bytes where ${into.byteLength} were expected`);
  }
  new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(bytes);
}

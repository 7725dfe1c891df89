/**
 * Postgres arrays in binary wire format. The driver sends a Buffer parameter as binary, so a column of
 * a thousand values costs one allocation and no escaping, and arrives as a typed array for unnest().
 * Layout (array_recv): dimensions i32, has-nulls i32, element oid u32, length i32, lower bound i32,
 * then a value as length i32 (-1 is null) and bytes; all big-endian.
 */
/**
 * Hides the length of an array from the planner. For a short array it would estimate less cost than the generic plan has, and
 * would plan a large statement anew at each call: 1.1 to 1.8 ms of Postgres per rebuild.
 */
export const unsized = (array: string) => `(select ${array})`;

const OID = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  text: 25,
  float8: 701,
  timestamptz: 1184,
  uuid: 2950,
  jsonb: 3802,
} as const;
export const HEADER_BYTES = 20;
/** Postgres counts microseconds from 2000-01-01. */
const POSTGRES_EPOCH_MS = 946_684_800_000;

/** An array without its values, which begin at HEADER_BYTES. */
function allocateArray(oid: number, count: number, hasNulls: boolean, valueBytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(count === 0 ? 12 : HEADER_BYTES + valueBytes);
  buffer.writeInt32BE(count === 0 ? 0 : 1, 0);
  buffer.writeInt32BE(hasNulls ? 1 : 0, 4);
  buffer.writeUInt32BE(oid, 8);
  if (count > 0) {
    buffer.writeInt32BE(count, 12);
    buffer.writeInt32BE(1, 16);
  }
  return buffer;
}

/** Texts are written here before their total length is known. */
let scratch = Buffer.allocUnsafe(64 * 1024);
/** A larger column, as one of metadata may be, releases its scratch buffer. */
const SCRATCH_BYTES_MAX = 1024 * 1024;
/** UTF-8 takes at most this many bytes for a code unit of a string. */
const UNIT_BYTES_MAX = 3;

/** text[]; null elements allowed. */
export function textArray(values: readonly (string | null)[]): Buffer {
  let buffer = scratch;
  let hasNulls = false;
  let at = 0;
  for (const value of values) {
    const most = at + 4 + (value === null ? 0 : value.length * UNIT_BYTES_MAX);
    if (most > buffer.length) buffer = grown(buffer, most);
    const length = value === null ? -1 : buffer.write(value, at + 4);
    hasNulls ||= value === null;
    buffer[at] = length >> 24;
    buffer[at + 1] = length >> 16;
    buffer[at + 2] = length >> 8;
    buffer[at + 3] = length;
    at += length < 0 ? 4 : 4 + length;
  }
  if (buffer.length <= SCRATCH_BYTES_MAX) scratch = buffer;
  const array = allocateArray(OID.text, values.length, hasNulls, at);
  buffer.copy(array, HEADER_BYTES, 0, at);
  return array;
}

function grown(buffer: Buffer, bytes: number): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafe(Math.max(bytes, 2 * buffer.length));
  buffer.copy(larger);
  return larger;
}

/** uuid[] from the canonical text form. */
export function uuidArray(values: readonly string[]): Buffer {
  return hexUuidArray(values.map((value) => value.replaceAll('-', '')));
}

/** Offset of a value of a `uuid[]`; it is 16 bytes long. */
export function uuidOffset(index: number): number {
  return HEADER_BYTES + 4 + index * 20;
}

/** uuid[] from the first 32 digits of hexadecimal text. */
export function hexUuidArray(values: readonly string[]): Buffer {
  const buffer = allocateArray(OID.uuid, values.length, false, values.length * 20);
  for (let index = 0; index < values.length; index++) {
    const at = uuidOffset(index);
    buffer.writeInt32BE(16, at - 4);
    buffer.write(values[index] as string, at, 16, 'hex');
  }
  return buffer;
}

/** timestamptz[] from epoch milliseconds. */
export function timestampArray(values: readonly number[]): Buffer {
  const buffer = allocateArray(OID.timestamptz, values.length, false, values.length * 12);
  let at = HEADER_BYTES;
  for (const value of values) {
    at = buffer.writeInt32BE(8, at);
    at = buffer.writeBigInt64BE(BigInt(value - POSTGRES_EPOCH_MS) * 1000n, at);
  }
  return buffer;
}

/** float8[]; null elements allowed. Bits are kept, NaN included. */
export function float8Array(values: ArrayLike<number | null>): Buffer {
  let nulls = 0;
  for (let i = 0; i < values.length; i++) if (values[i] === null) nulls++;
  const buffer = allocateArray(
    OID.float8,
    values.length,
    nulls > 0,
    values.length * 12 - nulls * 8,
  );
  // A DataView compiles to plain stores; the Buffer's own writer is a call per value.
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  let at = HEADER_BYTES;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === null || value === undefined) {
      view.setInt32(at, -1);
      at += 4;
    } else {
      view.setInt32(at, 8);
      view.setFloat64(at + 4, value);
      at += 12;
    }
  }
  return buffer;
}

/** bytea[] of the bytes of views. */
export function byteaArray(views: readonly ArrayBufferView[]): Buffer {
  let bytes = 0;
  for (const view of views) bytes += 4 + view.byteLength;
  const buffer = allocateArray(OID.bytea, views.length, false, bytes);
  let at = HEADER_BYTES;
  for (const { buffer: memory, byteOffset, byteLength } of views) {
    at = buffer.writeInt32BE(byteLength, at);
    buffer.set(new Uint8Array(memory, byteOffset, byteLength), at);
    at += byteLength;
  }
  return buffer;
}

/** int2[]. */
export function int2Array(values: readonly (number | null)[]): Buffer {
  let nulls = 0;
  for (const value of values) if (value === null) nulls++;
  const buffer = allocateArray(OID.int2, values.length, nulls > 0, values.length * 6 - nulls * 2);
  let at = HEADER_BYTES;
  for (const value of values) {
    at = buffer.writeInt32BE(value === null ? -1 : 2, at);
    if (value !== null) at = buffer.writeInt16BE(value, at);
  }
  return buffer;
}

/** int4[]; null elements allowed. */
export function int4Array(values: readonly (number | null)[]): Buffer {
  const hasNulls = values.includes(null);
  const buffer = allocateArray(OID.int4, values.length, hasNulls, values.length * 8);
  let at = HEADER_BYTES;
  for (const value of values) {
    at = buffer.writeInt32BE(value === null ? -1 : 4, at);
    if (value !== null) at = buffer.writeInt32BE(value, at);
  }
  return values.length === 0 ? buffer : buffer.subarray(0, at);
}

/**
 * Named binary columns of up to COUNT_MAX rows in one value, so that a stream entry carries many transactions:
 *
 *   u16 layout | u16 count | u16 columns | u16 0
 *   for each column: u8 name | u8 kind | u16 0 | u32 offset | u32 length
 *   the columns' bytes, each from a multiple of 8 on
 *
 * Numbers are little-endian. A reader skips columns that it does not know, so that later versions can add some.
 * Text is an end offset (u32) a row, then the UTF-8 bytes of all rows; the highest bit of an end marks a null. Pure.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { Failure } from '../../../kit/words/failure.ts';
import { NULL_BIT, TextColumn, UUID_BYTES } from '../../domain/delivered.ts';

/** Most rows of one value. */
export const COUNT_MAX = 128;
/** Most bytes of one value. */
export const PACKED_BYTES_MAX = 64 * 1024;

const LAYOUT = 1;
const HEADER_BYTES = 8;
const DESCRIPTOR_BYTES = 12;
const COLUMNS_MAX = 255;
const ALIGNMENT_BYTES = 8;
const END_BYTES = 4;
const FLOAT64_BYTES = 8;

/** `constant` is a text that all rows share. */
const KINDS = { uuid: 1, float64: 2, text: 3, constant: 4 } as const;

export type Column = { readonly name: number; readonly kind: number; readonly bytes: Uint8Array };

export type Columns = {
  readonly count: number;
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly extents: ReadonlyMap<number, Extent>;
};
type Extent = { readonly kind: number; readonly start: number; readonly end: number };

export function packColumns(count: number, columns: readonly Column[]): Buffer {
  let at = align(HEADER_BYTES + columns.length * DESCRIPTOR_BYTES);
  const starts = columns.map(({ bytes }) => {
    const start = at;
    at = align(at + bytes.length);
    return start;
  });
  const packed = Buffer.alloc(at);
  packed.writeUInt16LE(LAYOUT, 0);
  packed.writeUInt16LE(count, 2);
  packed.writeUInt16LE(columns.length, 4);
  columns.forEach(({ name, kind, bytes }, index) => {
    const descriptor = HEADER_BYTES + index * DESCRIPTOR_BYTES;
    const start = starts[index] ?? 0;
    packed[descriptor] = name;
    packed[descriptor + 1] = kind;
    packed.writeUInt32LE(start, descriptor + 4);
    packed.writeUInt32LE(bytes.length, descriptor + 8);
    packed.set(bytes, start);
  });
  return packed;
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}

/** @param ids UUIDs */
export function uuidColumn(name: number, ids: readonly string[]): Column {
  const bytes = Buffer.alloc(ids.length * UUID_BYTES);
  const hex = ids.join('').replaceAll('-', '');
  if (hex.length !== 2 * bytes.length || bytes.write(hex, 'hex') !== bytes.length) {
    throw new Error('an id is no UUID');
  }
  return { name, kind: KINDS.uuid, bytes };
}

export function float64Column(name: number, values: readonly number[]): Column {
  return { name, kind: KINDS.float64, bytes: new Uint8Array(Float64Array.from(values).buffer) };
}

/** Undefined where all rows are null: such a column is left out. */
export function textColumn(name: number, texts: readonly (string | null)[]): Column | undefined {
  const [first = null] = texts;
  if (texts.every((text) => text === first)) {
    return first === null
      ? undefined
      : { name, kind: KINDS.constant, bytes: Buffer.from(first, 'utf8') };
  }
  // A null adds no text.
  const joined = texts.join('');
  const endsBytes = texts.length * END_BYTES;
  const textBytes = Buffer.byteLength(joined, 'utf8');
  const bytes = Buffer.allocUnsafe(endsBytes + textBytes);
  const isPlain = textBytes === joined.length;
  let end = 0;
  texts.forEach((text, row) => {
    if (text !== null) end += isPlain ? text.length : Buffer.byteLength(text, 'utf8');
    bytes.writeUInt32LE(text === null ? end + NULL_BIT : end, row * END_BYTES);
  });
  bytes.write(joined, endsBytes, 'utf8');
  return { name, kind: KINDS.text, bytes };
}

/** Reads the header; throws a permanent Failure where it does not match these bytes. */
export function openColumns(packed: Buffer): Columns {
  if (packed.length > PACKED_BYTES_MAX) {
    throw malformed(`the packed value has more than ${PACKED_BYTES_MAX} bytes`);
  }
  if (packed.length < HEADER_BYTES) throw malformed('the packed value has no header');
  const layout = packed.readUInt16LE(0);
  if (layout !== LAYOUT) throw malformed(`layout ${layout} is unknown`);
  const count = packed.readUInt16LE(2);
  if (count < 1 || count > COUNT_MAX) throw malformed(`count is not from 1 to ${COUNT_MAX}`);
  const columns = packed.readUInt16LE(4);
  const bodyStart = HEADER_BYTES + columns * DESCRIPTOR_BYTES;
  if (columns > COLUMNS_MAX || bodyStart > packed.length) {
    throw malformed('the table of columns ends behind the packed value');
  }
  const extents = new Map<number, Extent>();
  for (let at = HEADER_BYTES; at < bodyStart; at += DESCRIPTOR_BYTES) {
    const name = packed.readUInt8(at);
    const start = packed.readUInt32LE(at + 4);
    const end = start + packed.readUInt32LE(at + 8);
    if (start < bodyStart || end > packed.length || start % ALIGNMENT_BYTES !== 0) {
      throw malformed(`column ${name} is not where columns are`);
    }
    if (extents.has(name)) throw malformed(`column ${name} comes twice`);
    extents.set(name, { kind: packed.readUInt8(at + 1), start, end });
  }
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length);
  return { count, bytes: packed, view, extents };
}

/** Offset of a UUID a row. */
export function uuidsAt(columns: Columns, name: number, label: string): number {
  return fixedStart(columns, name, label, KINDS.uuid, UUID_BYTES);
}

/** Offset of a double a row. */
export function float64sAt(columns: Columns, name: number, label: string): number {
  return fixedStart(columns, name, label, KINDS.float64, FLOAT64_BYTES);
}

function fixedStart(
  { extents, count }: Columns,
  name: number,
  label: string,
  kind: number,
  bytes: number,
): number {
  const extent = extents.get(name);
  if (extent === undefined) throw malformed(`${label} is missing`);
  if (extent.kind !== kind || extent.end - extent.start !== count * bytes) {
    throw malformed(`${label} is not ${count} values of ${bytes} bytes`);
  }
  return extent.start;
}

/** All null where the column is missing. */
export function textsOf(columns: Columns, name: number, label: string): TextColumn {
  const { extents, count, bytes } = columns;
  const extent = extents.get(name);
  if (extent === undefined) return new TextColumn(columns, null);
  const endsAt = extent.kind === KINDS.constant ? -1 : extent.start;
  const start = endsAt < 0 ? extent.start : endsAt + count * END_BYTES;
  const { kind, end } = extent;
  if ((kind !== KINDS.text && kind !== KINDS.constant) || start > end) {
    throw malformed(`${label} is not ${count} texts`);
  }
  const texts = bytes.subarray(start, end);
  const isPlain = isAscii(texts);
  if (!isPlain && !isUtf8(texts)) throw malformed(`${label} is not UTF-8`);
  if (endsAt >= 0) checkEnds(columns, { start, end }, endsAt, label);
  return new TextColumn(columns, { start, end, endsAt, isAscii: isPlain });
}

/** Checks that ends rise to the last byte, nulls are empty, and no end cuts a character. */
function checkEnds(
  { bytes, view, count }: Columns,
  { start, end }: Pick<Extent, 'start' | 'end'>,
  endsAt: number,
  label: string,
): void {
  let from = 0;
  for (let row = 0; row < count; row++) {
    const word = view.getUint32(endsAt + row * END_BYTES, true);
    const isNull = word >= NULL_BIT;
    const to = isNull ? word - NULL_BIT : word;
    if (to < from || to > end - start || (isNull && to > from)) {
      throw malformed(`${label} has an end that is out of order`);
    }
    if (start + to < end && ((bytes[start + to] as number) & 0xc0) === 0x80) {
      throw malformed(`${label} has a text that is not UTF-8`);
    }
    from = to;
  }
  if (from !== end - start) throw malformed(`${label} has bytes behind its last text`);
}

export function malformed(detail: string): Failure {
  return new Failure('permanent', 'ENTRY_MALFORMED', detail);
}

/**
 * Values as bytes. A form writes a value and reads the value again, so the two directions cannot differ. Equal values have equal
 * bytes: maps and sets are written in the order of their texts.
 */

/** Bytes that are written, or read, from `at` on. */
type Cursor = { bytes: Uint8Array; view: DataView; at: number };

export type Form<Value> = {
  readonly write: (to: Cursor, value: Value) => void;
  /** Throws for bytes that encode no value. */
  readonly read: (from: Cursor) => Value;
};

export class Damaged extends Error {}

const FIRST_BYTES = 64 * 1024;

/** A Buffer becomes plain bytes, whose slices are copies. */
function cursorOf({ buffer, byteOffset, byteLength }: Uint8Array): Cursor {
  const memory = [buffer, byteOffset, byteLength] as const;
  return { bytes: new Uint8Array(...memory), view: new DataView(...memory), at: 0 };
}

/** Where the next bytes are written; the memory grows as needed. */
function grow(to: Cursor, count: number): number {
  const from = to.at;
  to.at += count;
  if (to.at > to.bytes.length) {
    const larger = new Uint8Array(Math.max(to.at, 2 * to.bytes.length));
    larger.set(to.bytes);
    Object.assign(to, { ...cursorOf(larger), at: to.at });
  }
  return from;
}

function pass(from: Cursor, count: number): number {
  const { at } = from;
  if (count > from.bytes.length - at) throw new Damaged('the bytes end within a value');
  from.at += count;
  return at;
}

/** @param version of the form, the first byte */
export function encode<Value>(form: Form<Value>, version: number, value: Value): Uint8Array {
  const to = cursorOf(new Uint8Array(FIRST_BYTES));
  byte.write(to, version);
  form.write(to, value);
  return to.bytes.slice(0, to.at);
}

/** @throws Damaged for bytes that `encode` does not write */
export function decode<Value>(form: Form<Value>, version: number, bytes: Uint8Array): Value {
  const from = cursorOf(bytes);
  const written = byte.read(from);
  if (written !== version) throw new Damaged(`version ${written} is not ${version}`);
  const value = form.read(from);
  if (from.at !== bytes.length) throw new Damaged('there are bytes behind the value');
  return value;
}

const byte: Form<number> = {
  write(to, value) {
    const at = grow(to, 1);
    to.bytes[at] = value;
  },
  read: (from) => from.view.getUint8(pass(from, 1)),
};

export const whole: Form<number> = {
  write(to, value) {
    const at = grow(to, 4);
    to.view.setInt32(at, value, true);
  },
  read: (from) => from.view.getInt32(pass(from, 4), true),
};

export const double: Form<number> = {
  write(to, value) {
    const at = grow(to, 8);
    to.view.setFloat64(at, value, true);
  },
  read: (from) => from.view.getFloat64(pass(from, 8), true),
};

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const text: Form<string> = {
  write(to, value) {
    const bytes = utf8.encode(value);
    whole.write(to, bytes.length);
    const at = grow(to, bytes.length);
    to.bytes.set(bytes, at);
  },
  read(from) {
    const length = lengthOf(from, 1);
    const at = pass(from, length);
    return fromUtf8.decode(from.bytes.subarray(at, at + length));
  },
};

/** A length that the bytes may have. */
function lengthOf(from: Cursor, valueBytes: number): number {
  const length = whole.read(from);
  if (length < 0 || length * valueBytes > from.bytes.length - from.at) {
    throw new Damaged(`${length} values do not fit into the bytes`);
  }
  return length;
}

type Numbers = Float32Array | Float64Array | Uint32Array;

/** Numbers by their bits, as NaN has many bit patterns. */
function numbersOf<Kind extends Numbers>(make: {
  new (buffer: ArrayBuffer): Kind;
  readonly BYTES_PER_ELEMENT: number;
}): Form<Kind> {
  return {
    write(to, { buffer, byteOffset, byteLength, length }) {
      whole.write(to, length);
      const at = grow(to, byteLength);
      to.bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    },
    read(from) {
      const bytes = lengthOf(from, make.BYTES_PER_ELEMENT) * make.BYTES_PER_ELEMENT;
      const at = pass(from, bytes);
      return new make(from.bytes.slice(at, at + bytes).buffer);
    },
  };
}

export const floats: Form<Float32Array> = numbersOf<Float32Array>(Float32Array);
export const doubles: Form<Float64Array> = numbersOf<Float64Array>(Float64Array);
export const wholes: Form<Uint32Array> = numbersOf<Uint32Array>(Uint32Array);

export function list<Value>(of: Form<Value>): Form<readonly Value[]> {
  return {
    write(to, values) {
      whole.write(to, values.length);
      for (const value of values) of.write(to, value);
    },
    read: (from) => Array.from({ length: lengthOf(from, 1) }, () => of.read(from)),
  };
}

export function nullable<Value>(of: Form<Value>): Form<Value | null> {
  return {
    write(to, value) {
      byte.write(to, value === null ? 0 : 1);
      if (value !== null) of.write(to, value);
    },
    read: (from) => (byte.read(from) === 0 ? null : of.read(from)),
  };
}

/** Fields in the order in which they are listed. */
export function record<Value extends object>(
  fields: {
    readonly [Name in keyof Value]-?: Form<Value[Name]>;
  },
): Form<Value> {
  const names = Object.keys(fields) as (keyof Value)[];
  return {
    write(to, value) {
      for (const name of names) fields[name].write(to, value[name]);
    },
    read: (from) =>
      Object.fromEntries(names.map((name) => [name, fields[name].read(from)])) as Value,
  };
}

/** By text; entries in the order of code units. */
export function map<Value>(of: Form<Value>): Form<ReadonlyMap<string, Value>> {
  const entries = list<readonly [string, Value]>({
    write(to, [key, value]) {
      text.write(to, key);
      of.write(to, value);
    },
    read: (from) => [text.read(from), of.read(from)],
  });
  return {
    write(to, values) {
      entries.write(
        to,
        [...values].sort(([left], [right]) => (left < right ? -1 : 1)),
      );
    },
    read: (from) => new Map(entries.read(from)),
  };
}

const texts = list(text);

export const textSet: Form<ReadonlySet<string>> = {
  write: (to, values) => texts.write(to, [...values].sort()),
  read: (from) => new Set(texts.read(from)),
};

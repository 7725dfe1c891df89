/**
 * Encodes a value as a byte with the version of the form, then JSON. Equal values have equal bytes: members, maps and sets are sorted by
 * their texts, and arrays of numbers are written by their bits, as NaN has many bit patterns.
 */

const ARRAYS = { Float32Array, Float64Array, Uint32Array };
/** Object for a value that JSON lacks: the only member has one of these names or the name of an array type, which no value uses. */
type Told = {
  readonly number?: string;
  readonly Map?: readonly (readonly [string, unknown])[];
  readonly Set?: readonly string[];
} & Readonly<Partial<Record<keyof typeof ARRAYS, string>>>;

const compareEntries = ([left]: readonly [string, unknown], [right]: readonly [string, unknown]) =>
  left < right ? -1 : 1;

function toJson(value: unknown): unknown {
  if (typeof value === 'number') {
    if (Object.is(value, -0)) return { number: '-0' };
    return Number.isFinite(value) ? value : { number: String(value) };
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(toJson);
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return { [value.constructor.name]: bytes.toString('base64') };
  }
  if (value instanceof Set) return { Set: [...value].sort() };
  const isMap = value instanceof Map;
  const entries = [...(isMap ? value : Object.entries(value))]
    .sort(compareEntries)
    .map(([name, of]) => [name, toJson(of)] as const);
  return isMap ? { Map: entries } : Object.fromEntries(entries);
}

/** Walks the result of JSON.parse, in a third of the time that a reviver takes. */
function fromJson(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map(fromJson);
  const told: Told = json;
  if (told.number !== undefined) return Number(told.number);
  if (told.Set !== undefined) return new Set(told.Set);
  if (told.Map !== undefined) return new Map(told.Map.map(([key, of]) => [key, fromJson(of)]));
  const entries = Object.entries(json);
  const [[name, bits] = ['', '']] = entries;
  if (Object.hasOwn(ARRAYS, name)) {
    const bytes = new Uint8Array(Buffer.from(bits, 'base64'));
    return new ARRAYS[name as keyof typeof ARRAYS](bytes.buffer);
  }
  return Object.fromEntries(entries.map(([member, of]) => [member, fromJson(of)]));
}

export const encode = (version: number, value: object): Uint8Array =>
  Buffer.concat([Uint8Array.of(version), Buffer.from(JSON.stringify(toJson(value)))]);

/** @throws Error for bytes of another version, or bytes that end early */
export function decode<Value>(version: number, bytes: Uint8Array): Value {
  if (bytes[0] !== version) throw new Error(`version ${bytes[0]} is not ${version}`);
  const json: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(1)));
  return fromJson(json) as Value;
}

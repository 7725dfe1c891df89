/**
 * Limits on a client's own metadata: a JSON object that Postgres can keep as jsonb and read back. The check is
 * bounded by the depth, so a hostile body cannot exhaust the stack.
 */

/** Deepest nesting inside metadata; the object that holds it is the 32nd level of a body. */
const METADATA_DEPTH_MAX = 31;

/** jsonb writes 1e308 out in full: the most bytes that a number with an exponent may grow to. */
const EXPONENT_BYTES = 330;
/** Most bytes of JSON of an escaped character of a text, and of a number, a word or the brackets of a value with a comma. */
const [CHAR_BYTES_MAX, VALUE_BYTES_MAX] = [6, 30];
/** JavaScript writes a number with an exponent from the first size on, and below the second size. */
const [EXPONENT_FROM, EXPONENT_BELOW] = [1e21, 1e-6];

/**
 * Members of the clients' metadata that a market declares, so that rules may read them. A value of another type, or one that is
 * too long, is missing: metadata stays the client's own, and no declaration refuses a payment or the repetition of one.
 */
export const FIELDS_MAX = 16;
export const FIELD_BYTES_MAX = 64;
export const FIELD_NAME = /^[A-Za-z][A-Za-z0-9_]{0,39}$/;
export const FIELD_TYPES = ['text', 'number', 'boolean'] as const;
export type FieldType = (typeof FIELD_TYPES)[number];

/** A feature of a declared field. A number has a tail and a ratio to the numbers of its account, any other value a lift. */
export type FieldSlot = {
  readonly field: string;
  readonly type: FieldType;
  readonly kind: 'lift' | 'tail' | 'to_account';
  /** When the field was declared; absent where it is withdrawn. */
  readonly declaredAtMs?: number | null;
};
/** Name of a declared field beside those of a transaction, which it may be equal to otherwise. */
export const metadataName = (field: string): string => `metadata.${field}`;

/** Slots of all fields that were ever declared: the length of a stored vector is one byte. */
export const SLOTS_MAX = 160;

/** Declared types, by name. */
export type MetadataFields = ReadonlyMap<string, FieldType>;
type FieldValues = Readonly<Record<string, string | number | boolean>>;

/** Returns what is wrong with a metadata value, or undefined. */
export function metadataProblem(value: unknown, bytesMax: number): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return 'must be an object';
  }
  const walk: Walk = { exponents: 0, bytesMax: 0 };
  const problem = valueProblem(value, METADATA_DEPTH_MAX, walk);
  // Most metadata are far smaller, and need not be written to be measured.
  if (problem !== undefined || walk.bytesMax <= bytesMax) return problem;
  const bytes = Buffer.byteLength(JSON.stringify(value)) + walk.exponents * EXPONENT_BYTES;
  return bytes > bytesMax ? `must have at most ${bytesMax} bytes of JSON, not ${bytes}` : undefined;
}

type Walk = {
  exponents: number;
  /** Bytes of JSON that the values take at most. */
  bytesMax: number;
};

function valueProblem(value: unknown, levels: number, walk: Walk): string | undefined {
  walk.bytesMax += VALUE_BYTES_MAX;
  if (typeof value === 'string') return textProblem(value, walk);
  if (typeof value === 'number' && hasExponent(value)) {
    walk.exponents++;
    walk.bytesMax += EXPONENT_BYTES;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (levels === 0) return `must not be nested deeper than ${METADATA_DEPTH_MAX} levels`;
  if (Array.isArray(value)) {
    for (const element of value) {
      const problem = valueProblem(element, levels - 1, walk);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  for (const [name, element] of Object.entries(value)) {
    if (name === '__proto__') return 'must not have a member named __proto__';
    const problem = textProblem(name, walk) ?? valueProblem(element, levels - 1, walk);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function hasExponent(value: number): boolean {
  const size = Math.abs(value);
  return size >= EXPONENT_FROM || (size < EXPONENT_BELOW && size > 0);
}

function textProblem(text: string, walk: Walk): string | undefined {
  walk.bytesMax += CHAR_BYTES_MAX * text.length;
  if (text.includes('\u0000')) return 'must not contain the character U+0000';
  return text.isWellFormed() ? undefined : 'must not contain lone surrogates';
}

/** JSON with the members of every object in code-unit order: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

/** Levels of objects and arrays of a value that `metadataProblem` has passed; 0 for a plain value. */
export function nestingOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let deepest = 0;
  for (const member of Object.values(value)) deepest = Math.max(deepest, nestingOf(member));
  return deepest + 1;
}

/** JSON text of the declared values of metadata, texts in NFC as in expressions; null where there is none. */
export function declaredOf(metadata: unknown, fields: MetadataFields): string | null {
  if (typeof metadata !== 'object' || metadata === null) return null;
  const members = metadata as Readonly<Record<string, unknown>>;
  let text = '';
  for (const [name, type] of fields) {
    const value = Object.hasOwn(members, name) ? members[name] : undefined;
    const own = typeof value === 'string' ? value.normalize('NFC') : value;
    if (!isOf(type, own)) continue;
    text += `${text === '' ? '{' : ','}"${name}":${JSON.stringify(own)}`;
  }
  return text === '' ? null : `${text}}`;
}

function isOf(type: FieldType, value: unknown): boolean {
  if (type !== 'text') return typeof value === type;
  return typeof value === 'string' && Buffer.byteLength(value) <= FIELD_BYTES_MAX;
}

/** The values of a text that `declaredOf` has made. */
export const valuesIn = (declared: string): FieldValues => JSON.parse(declared) as FieldValues;

/**
 * Members of the clients' metadata that a market declares, so that rules may read them. A value of another type, or one that is
 * too long, is missing: metadata stays the client's own, and no declaration refuses a payment or the repetition of one.
 */
export const FIELDS_MAX = 16;
export const FIELD_BYTES_MAX = 64;
export const FIELD_NAME = /^[A-Za-z][A-Za-z0-9_]{0,39}$/;
export const FIELD_TYPES = ['text', 'number', 'boolean'] as const;
export type FieldType = (typeof FIELD_TYPES)[number];

/** Declared types, by name. */
export type MetadataFields = ReadonlyMap<string, FieldType>;
export type FieldValues = Readonly<Record<string, string | number | boolean>>;

/** JSON text of the declared values of metadata; null where there is none. */
export function declaredOf(metadata: unknown, fields: MetadataFields): string | null {
  if (fields.size === 0 || typeof metadata !== 'object' || metadata === null) return null;
  const members = metadata as Readonly<Record<string, unknown>>;
  let text = '';
  for (const [name, type] of fields) {
    const value = Object.hasOwn(members, name) ? members[name] : undefined;
    if (!isOf(type, value)) continue;
    text += `${text === '' ? '{' : ','}"${name}":${JSON.stringify(value)}`;
  }
  return text === '' ? null : `${text}}`;
}

function isOf(type: FieldType, value: unknown): boolean {
  if (type !== 'text') return typeof value === type;
  return typeof value === 'string' && Buffer.byteLength(value) <= FIELD_BYTES_MAX;
}

/** The values of a text that `declaredOf` has made. */
export const valuesIn = (declared: string): FieldValues => JSON.parse(declared) as FieldValues;

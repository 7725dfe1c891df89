/** Canonical JSON of RFC 8785: keys in the order of their UTF-16 units, numbers and texts as ECMAScript writes them. */

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** @throws Error for what JSON cannot say */
export function canonicalJson(value: unknown): string {
  // A value that JSON cannot say is refused while it is written.
  return write(value as Json);
}

function write(value: Json): string {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new Error('JSON has no such number');
  if (value === null || typeof value !== 'object') return writeSimple(value);
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
  const fields = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${write(field)}`).join(',')}}`;
}

function writeSimple(value: string | number | boolean | null): string {
  // A lone surrogate has no UTF-8, so two texts could have one hash.
  if (typeof value === 'string' && !value.isWellFormed()) throw new Error('a text is no Unicode');
  const text = JSON.stringify(value);
  if (text === undefined) throw new Error('JSON has no such value');
  return text;
}

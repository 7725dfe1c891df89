/**
 * From a foreign row to API.md's transaction: which source column feeds which field, and what is
 * constant. Only known fields are ever sent; an empty cell is an absent field.
 */
import { Failure } from '../domain/failure.ts';

const REQUIRED = [
  'idempotency_key',
  'account_id',
  'merchant_id',
  'amount',
  'currency',
  'corridor',
] as const;

/** Fields of one submitted transaction, in the order in which they are sent. */
export const FIELDS = [
  ...REQUIRED,
  'created_at',
  'type',
  'ip',
  'device_id',
  'country',
  'channel',
  'metadata',
] as const;
export type Field = (typeof FIELDS)[number];

export type Mapping = {
  /** Source column of a field, where it has another name. */
  readonly columns: Readonly<Partial<Record<Field, string>>>;
  /** Value of a field, the same in every row. */
  readonly constants: Readonly<Partial<Record<Field, string>>>;
};

export type TransactionBody = Record<string, unknown>;

/** Reads `field=text,field=text`; returns the first assignment that is not one as `wrong`. */
export function parseAssignments(
  text: string,
): { assignments: Partial<Record<Field, string>> } | { wrong: string } {
  const assignments: Partial<Record<Field, string>> = {};
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    const field = FIELDS.find((known) => known === part.slice(0, at).trim());
    if (field === undefined || at + 1 >= part.length) return { wrong: part };
    assignments[field] = part.slice(at + 1).trim();
  }
  return { assignments };
}

/** Reader of CSV records under this header; throws a Failure that names what the file lacks. */
export function csvProjection(
  header: readonly string[],
  mapping: Mapping,
): (cells: readonly string[]) => TransactionBody {
  const wanted = FIELDS.filter((field) => mapping.constants[field] === undefined);
  for (const field of wanted) requireColumn(field, header, mapping);
  const sources = wanted
    .map((field) => [field, header.indexOf(mapping.columns[field] ?? field)] as const)
    .filter(([, index]) => index >= 0);
  return (cells) => {
    const body: TransactionBody = { ...mapping.constants };
    for (const [field, index] of sources) {
      const cell = cells[index];
      if (cell === undefined || cell === '') continue;
      body[field] = field === 'metadata' ? parsedOrText(cell) : cell;
    }
    return body;
  };
}

/** Reader of NDJSON objects. Values are passed on as they are: the API judges them. */
export function objectProjection(mapping: Mapping): (source: object) => TransactionBody {
  return (source) => {
    const body: TransactionBody = { ...mapping.constants };
    for (const field of FIELDS) {
      const value = Reflect.get(source, mapping.columns[field] ?? field);
      if (value !== undefined && !(field in mapping.constants)) body[field] = value;
    }
    return body;
  };
}

function requireColumn(field: Field, header: readonly string[], mapping: Mapping): void {
  const column = mapping.columns[field] ?? field;
  const needed = mapping.columns[field] !== undefined || REQUIRED.some((name) => name === field);
  if (!needed || header.includes(column)) return;
  throw new Failure(
    'invalid',
    'COLUMN_MISSING',
    `the file has no column '${column}' for ${field}: name it with --map ${field}=COLUMN or give a constant with --set ${field}=VALUE (columns: ${header.join(', ')})`,
  );
}

function parsedOrText(cell: string): unknown {
  try {
    return JSON.parse(cell);
  } catch {
    return cell;
  }
}

/**
 * Maps a foreign row to the API's transaction: which source column feeds which field, and which fields are
 * constant. Only known fields are ever sent; an empty cell is an absent field.
 */
import { Failure } from '../words/failure.ts';

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

export type Mapping<F extends string = Field> = {
  /** Source column of a field that has another name there. */
  readonly columns: Readonly<Partial<Record<F, string>>>;
  /** Value of a field, the same in every row. */
  readonly constants: Readonly<Partial<Record<F, string>>>;
};

/** The JSON body of a row. */
export type RowBody = Record<string, unknown>;

/** How the rows of a file become bodies. */
export type Projection = {
  /** Reader of CSV records under this header; throws a Failure that names what the file lacks. */
  readonly csv: (header: readonly string[]) => (cells: readonly string[]) => RowBody;
  readonly json: (source: object) => RowBody;
};

export function transactionProjection(mapping: Mapping): Projection {
  return { csv: (header) => csvProjection(header, mapping), json: objectProjection(mapping) };
}

/** Reads `field=text,field=text`; returns the first assignment that is not one as `wrong`. */
export function parseAssignments<F extends string>(
  text: string,
  fields: readonly F[],
): { assignments: Partial<Record<F, string>> } | { wrong: string } {
  const assignments: Partial<Record<F, string>> = {};
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    const field = fields.find((known) => known === part.slice(0, at).trim());
    if (field === undefined || at + 1 >= part.length) return { wrong: part };
    assignments[field] = part.slice(at + 1).trim();
  }
  return { assignments };
}

function csvProjection(
  header: readonly string[],
  mapping: Mapping,
): (cells: readonly string[]) => RowBody {
  const wanted = FIELDS.filter((field) => mapping.constants[field] === undefined);
  for (const field of wanted) requireColumn(field, header, mapping);
  const sources = wanted
    .map((field) => [field, header.indexOf(mapping.columns[field] ?? field)] as const)
    .filter(([, index]) => index >= 0);
  return (cells) => {
    const body: RowBody = { ...mapping.constants };
    for (const [field, index] of sources) {
      const cell = cells[index];
      if (cell === undefined || cell === '') continue;
      body[field] = field === 'metadata' ? parsedOrText(cell) : cell;
    }
    return body;
  };
}

/** Reader of NDJSON objects. Values are passed on as they are: the API judges them. */
function objectProjection(mapping: Mapping): (source: object) => RowBody {
  return (source) => {
    const body: RowBody = { ...mapping.constants };
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
  throw columnMissing(column, field, header);
}

export function columnMissing(column: string, field: string, header: readonly string[]): Failure {
  return new Failure(
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

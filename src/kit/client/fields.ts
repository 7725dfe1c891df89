/**
 * Maps a row of a foreign file to a body of the API: which column feeds which field, and which fields are the same in every
 * row. An empty cell and a null are an absent field, and the API judges the values.
 */
import { Failure } from '../words/failure.ts';

export type Mapping<F extends string> = {
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

export type FileFields<F extends string> = {
  /** Groups of fields, of each of which the file has at least one. */
  readonly needed: readonly (readonly F[])[];
  /** Fields that have no column of their own name. */
  readonly unread?: readonly F[];
  readonly toBody: (read: (field: F) => unknown) => RowBody;
};

export function projectionOf<F extends string>(
  { columns, constants }: Mapping<F>,
  { needed, unread = [], toBody }: FileFields<F>,
): Projection {
  const columnOf = (field: F) => columns[field] ?? (unread.includes(field) ? '' : field);
  const bodyOf = (readColumn: (column: string) => unknown) =>
    toBody((field) => constants[field] ?? readColumn(columnOf(field)));
  return {
    csv: (header) => {
      const has = (field: F) => field in constants || header.includes(columnOf(field));
      const mapped = Object.keys(columns).map((field) => [field as F]);
      for (const group of [...mapped, ...needed]) {
        const field = group.find((one) => columns[one] !== undefined) ?? group[0];
        if (field === undefined || group.some(has)) continue;
        throw columnMissing(columns[field] ?? field, field, header);
      }
      const indexOf = new Map(header.map((column, index) => [column, index] as const).reverse());
      return (cells) => bodyOf((column) => cells[indexOf.get(column) ?? -1] || undefined);
    },
    json: (source) => bodyOf((column) => Reflect.get(source, column) ?? undefined),
  };
}

function columnMissing(column: string, field: string, header: readonly string[]): Failure {
  return new Failure(
    'invalid',
    'COLUMN_MISSING',
    `the file has no column '${column}' for ${field}: name it with --map ${field}=COLUMN or give a constant with --set ${field}=VALUE (columns: ${header.join(', ')})`,
  );
}

/**
 * Reads a file as batches of rows: CSV or NDJSON, compressed or not, as fast as batches are taken. A row that
 * cannot be read has its problem instead of a body.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline, type Readable, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CsvError, parse } from 'csv-parse';
import { Failure } from '../words/failure.ts';
import { trimBlanks } from '../words/plain-text.ts';

type Origin = {
  /** The file that has the row, where there are several. */
  readonly file?: string;
  /** Line in the uncompressed file, from 1. */
  readonly line: number;
};

export type Row = Origin & { readonly body: RowBody };

export type UnreadableRow = Origin & { readonly detail: string };

export type RowBatch = {
  readonly rows: readonly Row[];
  readonly unreadable: readonly UnreadableRow[];
};

type TextFile = {
  /** Size on disk, and how much of it was read. */
  readonly bytes: number;
  readonly bytesRead: () => number;
  /** Reads the text, unpacked where the file is packed. */
  readonly read: () => Readable;
};

export type SourceFile = {
  readonly rows: () => AsyncGenerator<Row | UnreadableRow, void>;
  /** How much of the file was read, 0 to 1. */
  readonly shareRead: () => number;
};

/** A longer line is not one row: the API takes 64 KiB. */
const LINE_CHARS_MAX = 1024 * 1024;
const GZIP_MAGIC = 0x1f8b;

export type Mapping<F extends string> = {
  /** Source column of a field that has another name there. */
  readonly columns: Readonly<Partial<Record<F, string>>>;
  /** Value of a field, the same in every row. */
  readonly constants: Readonly<Partial<Record<F, string>>>;
};

/** The JSON body of a row. */
type RowBody = Record<string, unknown>;

/** How the rows of a file become bodies. */
export type Projection = {
  /** Reader of CSV records under this header; throws a Failure that names what the file lacks. */
  readonly csv: (header: readonly string[]) => (cells: readonly string[]) => RowBody;
  readonly json: (source: object) => RowBody;
};

type FileFields<F extends string> = {
  /** Groups of fields, of each of which the file has at least one. */
  readonly needed: readonly (readonly F[])[];
  /** Fields that have no column of their own name. */
  readonly unread?: readonly F[];
  readonly toBody: (read: (field: F) => unknown) => RowBody;
};

/** @throws Failure where there is no such file */
export async function openText(path: string): Promise<TextFile> {
  const { size, compressed } = await lookAt(path).catch((error: Error) => {
    throw new Failure('not-found', 'FILE_UNREADABLE', error.message);
  });
  let bytesRead = 0;
  const read = () => {
    const counter = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytesRead += chunk.length;
        done(null, chunk);
      },
    });
    const file = createReadStream(path);
    // An error of any step destroys the last one, so its reader sees the error.
    const ignore = () => undefined;
    return compressed
      ? pipeline(file, counter, createGunzip(), ignore)
      : pipeline(file, counter, ignore);
  };
  return { bytes: size, bytesRead: () => bytesRead, read };
}

/** Whether the name is that of NDJSON; otherwise the file is CSV. */
export const isJsonName = (path: string) => /\.(ndjson|jsonl)(\.gz)?$/.test(path);

export async function openSource(path: string, projection: Projection): Promise<SourceFile> {
  const { bytes, bytesRead, read } = await openText(path);
  return {
    rows: () => readRows(read(), isJsonName(path), projection),
    shareRead: () => Math.min(bytesRead(), bytes) / Math.max(1, bytes),
  };
}

/** Rows of NDJSON or of CSV, each with its line. @throws Failure where the text is neither, or breaks off */
export const readRows = (
  text: Readable,
  isJson: boolean,
  projection: Projection,
): AsyncGenerator<Row | UnreadableRow, void> =>
  isJson ? jsonRows(text, projection) : csvRows(text, projection);

async function lookAt(path: string): Promise<{ size: number; compressed: boolean }> {
  await using file = await open(path);
  const { size } = await file.stat();
  const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
  return { size, compressed: bytesRead === 2 && buffer.readUInt16BE() === GZIP_MAGIC };
}

export async function* batched(
  rows: AsyncIterable<Row | UnreadableRow>,
  rowsPerBatch: number,
): AsyncGenerator<RowBatch, void> {
  let batch = { rows: [] as Row[], unreadable: [] as UnreadableRow[] };
  for await (const row of rows) {
    if ('body' in row) batch.rows.push(row);
    else batch.unreadable.push(row);
    if (batch.rows.length + batch.unreadable.length < rowsPerBatch) continue;
    yield batch;
    batch = { rows: [], unreadable: [] };
  }
  if (batch.rows.length + batch.unreadable.length > 0) yield batch;
}

/** The cells of one record, and the line it ends on. */
type CsvRecord = readonly string[] & { readonly line: number };

async function* csvRows(
  text: Readable,
  projection: Projection,
): AsyncGenerator<Row | UnreadableRow, void> {
  const parser = parse({
    bom: true,
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: LINE_CHARS_MAX,
    on_record: (cells: string[], info) =>
      Object.assign(cells.map(trimBlanks), { line: info.lines }),
  });
  const records: AsyncIterable<CsvRecord> = pipeline(text, parser, () => undefined);
  let header: readonly string[] | undefined;
  let project: ((cells: readonly string[]) => RowBody) | undefined;
  try {
    for await (const cells of records) {
      const { line } = cells;
      if (header === undefined || project === undefined) {
        header = cells;
        project = projection.csv(cells);
      } else if (cells.length === header.length) {
        yield { line, body: project(cells) };
      } else {
        yield { line, detail: `has ${cells.length} cells, the header has ${header.length}` };
      }
    }
  } catch (error) {
    throw readFailure(error);
  }
}

async function* jsonRows(
  text: Readable,
  projection: Projection,
): AsyncGenerator<Row | UnreadableRow, void> {
  let line = 0;
  for await (const content of lines(text)) {
    line++;
    if (content.trim() === '') continue;
    const source = parseObject(content);
    if (source === undefined) yield { line, detail: 'is not a JSON object' };
    else yield { line, body: projection.json(source) };
  }
}

/** @throws Failure where the text breaks off, or a line has more characters */
export async function* lines(text: Readable, charsMax = LINE_CHARS_MAX): AsyncGenerator<string> {
  let rest = '';
  try {
    for await (const chunk of text.setEncoding('utf8')) {
      const parts = `${rest}${chunk}`.split('\n');
      rest = parts.pop() ?? '';
      if (rest.length > charsMax) throw new Error(`a line exceeds ${charsMax} characters`);
      yield* parts;
    }
  } catch (error) {
    throw readFailure(error);
  }
  if (rest !== '') yield rest;
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Failures of reading the file: not CSV, broken compression, a bad disk. */
function readFailure(error: unknown): unknown {
  if (error instanceof Failure) return error;
  if (error instanceof CsvError) return new Failure('invalid', 'FILE_NOT_CSV', error.message);
  if (!(error instanceof Error)) return error;
  return new Failure('invalid', 'FILE_UNREADABLE', `cannot read the file: ${error.message}`);
}

/**
 * Maps a row of a foreign file to a body of the API: which column feeds which field, and which fields are the same in every
 * row. An empty cell and a null are an absent field, and the API judges the values.
 */
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
        const field = group.find((model) => columns[model] !== undefined) ?? group[0];
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

/**
 * Reads a file, or standard input, as batches of rows: CSV or NDJSON, compressed or not, as fast as batches are taken. A row that
 * cannot be read has its problem instead of a body, and spoils no other row.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline, Readable, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { refuseLost } from '../http/body/lost-in-parsing.ts';
import { atOnce } from '../process/pauses.ts';
import { shortText } from '../words/describe-issue.ts';
import { Failure, toError } from '../words/failure.ts';
import { InvalidFields } from '../words/field-errors.ts';
import { idDamage, numberText } from './cell-values.ts';
import { type CsvProjection, csvRows } from './csv-rows.ts';
import { readLines, textEmpty } from './text-lines.ts';

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

export type TextFile = {
  /** Size on disk, 0 of standard input, and how much of the file was read. */
  readonly bytes: number;
  readonly bytesRead: () => number;
  readonly isJson: boolean;
  /** The text, unpacked where the file is packed. */
  readonly text: Readable;
};

export type SourceFile = {
  readonly rows: () => AsyncGenerator<Row | UnreadableRow, void>;
  /** How much of the file was read, 0 to 1. */
  readonly shareRead: () => number;
};

/** The file that is standard input. */
const STDIN = '-';
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);
/** Bytes of a BOM and the first character behind it. */
const HEAD_BYTES = 4;
const COLUMNS_CHARS_SHOWN = 500;
/** An array of objects, as data frames and databases write it unless they are told otherwise, or an object of several lines. */
const OTHER_JSON = /^\s*(\[\s*\{|\{\s*[\r\n])/;

export type Mapping<F extends string> = {
  /** Source column of a field that has another name there. */
  readonly columns: Readonly<Partial<Record<F, string>>>;
  /** Value of a field, the same in every row. */
  readonly constants: Readonly<Partial<Record<F, string>>>;
  /** Ids that look damaged are meant so. */
  readonly idsAsTheyAre?: boolean;
};

/** The JSON body of a row. */
type RowBody = Record<string, unknown>;

/** How the rows of a file become bodies, or texts that say why a row is refused. */
export type Projection = {
  readonly csv: CsvProjection;
  /** @param text the JSON that the source was read from */
  readonly json: (source: object, text: string) => RowBody | string;
  /** Whether a field reads a member of the JSON; absent where all are read. */
  readonly isRead?: (column: string) => boolean;
};

type FileFields<F extends string> = {
  /** Fields that a row may have. */
  readonly fields: readonly F[];
  /** Groups of fields, of each of which the file has at least one. */
  readonly needed: readonly (readonly F[])[];
  /** Fields that have no column of their own name. */
  readonly unread?: readonly F[];
  /** Fields that a spreadsheet may have damaged. */
  readonly ids: readonly F[];
  readonly toBody: (read: (field: F) => unknown) => RowBody;
};

/** @throws Failure where there is no such file, or nothing in it */
export async function openText(path: string): Promise<TextFile> {
  let bytesRead = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytesRead += chunk.length;
      done(null, chunk);
    },
  });
  try {
    const bytes = path === STDIN ? 0 : (await stat(path)).size;
    const file = path === STDIN ? process.stdin : createReadStream(path);
    // An error of any step destroys the last one, so its reader sees the error.
    const ignore = () => undefined;
    const packed = await peek(pipeline(file, counter, ignore));
    if (packed.head.length === 0) throw textEmpty();
    const isPacked = packed.head.subarray(0, GZIP_MAGIC.length).equals(GZIP_MAGIC);
    const { head, all } = isPacked
      ? await peek(pipeline(packed.all, createGunzip(), ignore))
      : packed;
    const beginning = head.toString();
    if (OTHER_JSON.test(beginning)) throw otherJson();
    // The content tells NDJSON where no name does.
    const isJson = /\.(ndjson|jsonl)(\.gz)?$/.test(path) || /^\s*\{/.test(beginning);
    return { bytes, bytesRead: () => bytesRead, isJson, text: all };
  } catch (error) {
    throw aboutFile(path, error);
  }
}

function otherJson(): Failure {
  const why =
    'the text is JSON, and not an object a line: write it as NDJSON, as jq -c .[] does of an array and to_json(orient="records", lines=True) of a data frame';
  return new Failure('invalid', 'FILE_FORM_WRONG', why);
}

/** The beginning of a stream, and all of the stream. */
async function peek(stream: Readable): Promise<{ readonly head: Buffer; readonly all: Readable }> {
  const chunks: AsyncIterator<Buffer> = stream[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < HEAD_BYTES) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  async function* all() {
    if (head.length > 0) yield head;
    yield* { [Symbol.asyncIterator]: () => chunks };
  }
  return { head, all: Readable.from(all(), { objectMode: false }) };
}

/** @throws Failure where no row of the file can be read */
export async function openSource(path: string, projection: Projection): Promise<SourceFile> {
  const { bytes, bytesRead, isJson, text } = await openText(path);
  const rows = readRows(text, isJson, projection);
  // The header is judged before a row of any file is posted.
  const first = await rows.next().catch((error: unknown) => {
    throw aboutFile(path, error);
  });
  return {
    rows: async function* () {
      if (first.done === true) return;
      yield first.value;
      yield* rows;
    },
    shareRead: () => Math.min(bytesRead(), bytes) / Math.max(1, bytes),
  };
}

/** Says which file it is about, as a command may have several. */
function aboutFile(path: string, error: unknown): Failure {
  const name = path === STDIN ? 'standard input' : path;
  if (error instanceof Failure)
    return new Failure(error.kind, error.code, `${name}: ${error.message}`);
  return new Failure('not-found', 'FILE_UNREADABLE', `${name}: ${toError(error).message}`);
}

/** Rows of NDJSON or of CSV, each with its line. @throws Failure where no row of the text can be read */
export const readRows = (
  text: AsyncIterable<Uint8Array>,
  isJson: boolean,
  projection: Projection,
): AsyncGenerator<Row | UnreadableRow, void> =>
  isJson ? jsonRows(text, projection) : csvRows(readLines(text), projection.csv);

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

async function* jsonRows(
  text: AsyncIterable<Uint8Array>,
  projection: Projection,
): AsyncGenerator<Row | UnreadableRow, void> {
  let isEmpty = true;
  for await (const lines of readLines(text)) {
    for (const { line, text: json, fault } of lines) {
      if (json.trim() === '') continue;
      isEmpty = false;
      const body = fault ?? bodyOf(json, projection);
      yield typeof body === 'string' ? { line, detail: body } : { line, body };
    }
  }
  if (isEmpty) throw textEmpty();
}

function bodyOf(json: string, projection: Projection): RowBody | string {
  let value: unknown;
  try {
    value = JSON.parse(json);
    // Numbers of the object itself are read as the text has them.
    const { isRead = () => true } = projection;
    atOnce(refuseLost(Buffer.from(json), value, { numbersFrom: 2, isRead }));
  } catch (error) {
    return error instanceof InvalidFields ? error.message : NO_OBJECT;
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? projection.json(Object(value), json) : NO_OBJECT;
}

const NO_OBJECT = 'is not a JSON object';

/**
 * Maps a row of a foreign file to a body of the API: which column feeds which field, and which fields are the same in every
 * row. An empty cell and a null are an absent field, and the API judges the values.
 */
export function projectionOf<F extends string>(
  { columns, constants, idsAsTheyAre = false }: Mapping<F>,
  { fields, needed, unread = [], ids, toBody }: FileFields<F>,
): Projection {
  const columnOf = (field: F) => columns[field] ?? (unread.includes(field) ? '' : field);
  const checked = idsAsTheyAre ? [] : ids.filter((field) => !(field in constants));
  const toRow = (readColumn: (column: string) => unknown) => {
    const body = orProblem(() =>
      toBody((field) => constants[field] ?? readColumn(columnOf(field))),
    );
    if (typeof body === 'string') return body;
    for (const field of checked) {
      const damage = idDamage(body[field]);
      if (damage !== undefined) return `/${field} ${damage}`;
    }
    return body;
  };
  const read = new Set(fields.map(columnOf));
  return {
    isRead: (column) => read.has(column),
    csv: (header) => {
      const indexOf = new Map(header.map((column, index) => [column, index] as const));
      // A column without a name feeds no field.
      indexOf.delete('');
      const has = (field: F) => field in constants || indexOf.has(columnOf(field));
      const mapped = Object.keys(columns).map((field) => [field as F]);
      for (const group of [...mapped, ...needed]) {
        const field = group.find((model) => columns[model] !== undefined) ?? group[0];
        if (field === undefined || group.some(has)) continue;
        throw columnMissing(columns[field] ?? field, field, header);
      }
      return (cells) => toRow((column) => cells[indexOf.get(column) ?? -1] || undefined);
    },
    json: (source, text) =>
      toRow((column) => {
        const value: unknown = Reflect.get(source, column) ?? undefined;
        return typeof value === 'number' ? (numberText(text, column) ?? value) : value;
      }),
  };
}

function orProblem(make: () => RowBody): RowBody | string {
  try {
    return make();
  } catch (error) {
    if (error instanceof InvalidFields) return error.message;
    throw error;
  }
}

function columnMissing(column: string, field: string, header: readonly string[]): Failure {
  const columns = shortText(header.join(', '), COLUMNS_CHARS_SHOWN);
  const why = `the file has no column '${column}' for ${field}: name it with --map ${field}=COLUMN or give a constant with --set ${field}=VALUE (columns: ${columns})`;
  return new Failure('invalid', 'COLUMN_MISSING', why);
}

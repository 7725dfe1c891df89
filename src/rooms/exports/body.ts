/** The rows of an export as the bytes of its form. */
import { setImmediate as othersRan } from 'node:timers/promises';
import { charsOf, type ExportRow, type FlatColumn } from './columns.ts';
import { type ExportParameters, PARQUET_ROWS_MAX } from './parameters.ts';
import { type ReadRows, SLICE_CHARS_MAX } from './read-rows.ts';
import { csvHeader, csvWriter } from './write/csv.ts';
import { lastJsonLine, toJsonLines } from './write/ndjson.ts';
import { createParquetFile } from './write/parquet.ts';

/** Bytes, and how many rows are in them. */
export type Piece = { readonly bytes: Uint8Array; readonly rows: number };
type Rows = AsyncIterable<readonly ExportRow[]>;

/**
 * `after` says that the reader has rows already: CSV has no header then.
 * @param groupRowsMax of a row group of Parquet, which is encoded in one piece
 */
export function writeBody(
  readRows: ReadRows,
  { format, fields, after }: Pick<ExportParameters, 'format' | 'fields' | 'after'>,
  groupRowsMax: () => number,
  signal: AbortSignal,
): AsyncGenerator<Piece, void> {
  switch (format) {
    case 'csv':
      return writeCsv(readRows(Infinity, signal), fields, after !== undefined);
    case 'ndjson':
      return writeLines(readRows(Infinity, signal));
    case 'parquet':
      return writeParquet(readRows(PARQUET_ROWS_MAX, signal), fields, groupRowsMax);
  }
}

async function* writeCsv(pieces: Rows, columns: readonly FlatColumn[], isContinued: boolean) {
  if (!isContinued) yield { bytes: csvHeader(columns), rows: 0 };
  const toLines = csvWriter(columns);
  for await (const rows of pieces) yield { bytes: toLines(rows), rows: rows.length };
}

async function* writeLines(pieces: Rows) {
  let all = 0;
  for await (const rows of pieces) {
    all += rows.length;
    yield { bytes: toJsonLines(rows), rows: rows.length };
  }
  yield { bytes: lastJsonLine(all), rows: 0 };
}

async function* writeParquet(
  pieces: Rows,
  columns: readonly FlatColumn[],
  groupRowsMax: () => number,
) {
  const file = createParquetFile(columns);
  let group: ExportRow[] = [];
  let chars = 0;
  for await (const rows of pieces) {
    group.push(...rows);
    chars += charsOf(rows);
    if (group.length < groupRowsMax() && chars < SLICE_CHARS_MAX) continue;
    yield { bytes: await file.write(group), rows: group.length };
    group = [];
    chars = 0;
    await othersRan();
  }
  if (group.length > 0) yield { bytes: await file.write(group), rows: group.length };
  yield { bytes: await file.finish(), rows: 0 };
}

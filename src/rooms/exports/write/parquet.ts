/** Rows of an export as a Parquet file, a row group at a time: of what was written, only the footer's entries stay in memory. */
import type { SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { ExportRow, FlatColumn } from '../columns.ts';
import { CELLS } from './cells.ts';

/** More: encoding a row group, which nothing interrupts, takes more than some 20 ms of the event loop. Fewer: files are larger. */
export const ROW_GROUP_ROWS = 2000;
export const ROW_GROUP_CHARS = 400_000;

/** Columns that a reader skips row groups by. */
const PRUNED_BY = new Set(['transaction_id', 'created_at']);

export function createParquetFile(columns: readonly FlatColumn[]) {
  const writer = new ByteWriter();
  const schema = schemaOf(columns);
  const file = new ParquetWriter({ writer, schema, createdBy: 'risk-engine' });
  const takeBytes = (): Uint8Array => {
    const bytes = new Uint8Array(writer.getBuffer());
    writer.index = 0;
    return bytes;
  };
  return {
    /** Bytes of a row group, or of the file's beginning. */
    write: async (rows: readonly ExportRow[]) => {
      const columnData = columns.map(({ name, kind, at }) => {
        const { parquet } = CELLS[kind];
        const cells = rows.map((row) => row[at] ?? null);
        const data = cells.map((cell) => (cell === null ? null : parquet(cell)));
        return { name, data, statistics: PRUNED_BY.has(name) };
      });
      await file.write({ columnData, rowGroupSize: rows.length });
      return takeBytes();
    },
    /** The footer, which a broken transfer lacks. */
    finish: async () => {
      await file.finish();
      return takeBytes();
    },
  };
}

const schemaOf = (columns: readonly FlatColumn[]): SchemaElement[] => [
  { name: 'transactions', num_children: columns.length },
  ...columns.flatMap(toElements),
];

/** A time without this is read as a local one: DuckDB and polars would show other instants in Tokyo. */
const UTC = { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' } as const;

/** Amounts stay decimal text, as they were accepted; times are UTC, in milliseconds. */
function toElements({ name, kind }: FlatColumn): SchemaElement[] {
  const element = { name, repetition_type: 'OPTIONAL' } as const;
  const text = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const;
  switch (kind) {
    case 'plain':
    case 'text':
    case 'json':
      return [{ ...element, ...text }];
    case 'time':
      // Readers of the older form know the converted type alone.
      return [{ ...element, type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', logical_type: UTC }];
    case 'integer':
      return [{ ...element, type: 'INT32' }];
    case 'float':
      return [{ ...element, type: 'DOUBLE' }];
    case 'reasons':
      return [
        { ...element, converted_type: 'LIST', num_children: 1 },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        { name: 'element', repetition_type: 'REQUIRED', ...text },
      ];
  }
}

/** Rows of an export as a Parquet file, a row group at a time: of what was written, only the footer's entries are kept. */
import type { SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { type ExportColumn, type ExportRow, timeMs } from '../store/export-columns.ts';
import { FLAT_COLUMNS, reasonCodes } from './flat-columns.ts';

/** Few enough that encoding them, in one piece, takes some 30 ms of the event loop. */
export const ROW_GROUP_ROWS = 5_000;

/** Columns that a reader skips row groups by. */
const PRUNED_BY = new Set(['transaction_id', 'created_at']);

export type ParquetFile = {
  /** Bytes of a row group, or of the file's beginning. */
  readonly write: (rows: readonly ExportRow[]) => Promise<Uint8Array>;
  /** The footer, which a broken transfer lacks. */
  readonly finish: () => Promise<Uint8Array>;
};

export function createParquetFile(): ParquetFile {
  const writer = new ByteWriter();
  const file = new ParquetWriter({ writer, schema: SCHEMA, createdBy: 'risk-engine' });
  const takeBytes = (): Uint8Array => {
    const bytes = new Uint8Array(writer.getBuffer());
    writer.index = 0;
    return bytes;
  };
  return {
    write: async (rows) => {
      const columnData = FLAT_COLUMNS.map((column, at) => ({
        name: column.name,
        data: rows.map((row) => toValue(column, row[at] ?? null)),
        statistics: PRUNED_BY.has(column.name),
      }));
      await file.write({ columnData, rowGroupSize: rows.length });
      return takeBytes();
    },
    finish: async () => {
      await file.finish();
      return takeBytes();
    },
  };
}

function toValue({ name, kind }: ExportColumn, text: string | null): unknown {
  if (text === null) return null;
  switch (kind) {
    case 'plain':
    case 'text':
      return text;
    case 'time':
      return new Date(timeMs(text));
    case 'integer':
    case 'float':
      return Number(text);
    case 'json':
      return name === 'reason_codes' ? reasonCodes(text) : text;
  }
}

const SCHEMA: SchemaElement[] = [
  { name: 'transactions', num_children: FLAT_COLUMNS.length },
  ...FLAT_COLUMNS.flatMap(toElements),
];

/** Amounts stay decimal text, as they were accepted; times are UTC, in milliseconds. */
function toElements({ name, kind }: ExportColumn): SchemaElement[] {
  const element = { name, repetition_type: 'OPTIONAL' } as const;
  const text = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const;
  switch (kind) {
    case 'plain':
    case 'text':
      return [{ ...element, ...text }];
    case 'time':
      return [{ ...element, type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' }];
    case 'integer':
      return [{ ...element, type: 'INT32' }];
    case 'float':
      return [{ ...element, type: 'DOUBLE' }];
    case 'json':
      if (name !== 'reason_codes') return [{ ...element, ...text }];
      return [
        { ...element, converted_type: 'LIST', num_children: 1 },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        { name: 'element', repetition_type: 'REQUIRED', ...text },
      ];
  }
}

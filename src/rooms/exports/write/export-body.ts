/** The rows of an export as the bytes of its form. */
import { setImmediate as othersRan } from 'node:timers/promises';
import { z } from 'zod';
import { charsOf, type ExportRow } from '../store/export-columns.ts';
import { type ExportFormat, type ExportParameters, PARQUET_ROWS_MAX } from './export-parameters.ts';
import { type RunExport, SLICE_CHARS_MAX } from './export-transactions.ts';
import { csvHeader, toCsvLines } from './write-csv.ts';
import { lastJsonLine, toJsonLines } from './write-ndjson.ts';
import { createParquetFile, ROW_GROUP_ROWS } from './write-parquet.ts';

export const exportDoneSchema = z
  .object({ done: z.literal(true), rows: z.int().min(0) })
  .meta({ id: 'ExportDone', description: 'Last line of an export that is whole.' });

/** Takes bytes to the caller; resolves once there is room for more. */
export type SendBytes = (bytes: Uint8Array) => Promise<void>;

/**
 * Sends the whole body, and returns how many rows are in it.
 * @param groupRowsMax of a row group of Parquet, which is encoded in one piece
 */
export async function sendExport(
  run: RunExport,
  asked: Pick<ExportParameters, 'format' | 'after'>,
  send: SendBytes,
  signal: AbortSignal,
  onRows: (rows: number) => void,
  groupRowsMax: () => number = () => ROW_GROUP_ROWS,
): Promise<number> {
  const write = async (rows: readonly ExportRow[], bytes: Uint8Array) => {
    await send(bytes);
    onRows(rows.length);
  };
  switch (asked.format) {
    case 'csv': {
      if (asked.after === undefined) await send(csvHeader());
      return await run((rows) => write(rows, toCsvLines(rows)), Infinity, signal);
    }
    case 'ndjson': {
      const rows = await run((some) => write(some, toJsonLines(some)), Infinity, signal);
      await send(lastJsonLine(rows));
      return rows;
    }
    case 'parquet': {
      const file = createParquetFile();
      let group: ExportRow[] = [];
      let chars = 0;
      const writeGroup = async () => {
        const rows = group;
        group = [];
        chars = 0;
        await write(rows, await file.write(rows));
        await othersRan();
      };
      const rows = await run(
        async (some) => {
          group.push(...some);
          chars += charsOf(some);
          if (group.length >= groupRowsMax() || chars >= SLICE_CHARS_MAX) await writeGroup();
        },
        PARQUET_ROWS_MAX,
        signal,
      );
      if (group.length > 0) await writeGroup();
      await send(await file.finish());
      return rows;
    }
  }
}

/** Media type and end of the file's name. */
export function formOf(format: ExportFormat, isContinued: boolean): [type: string, end: string] {
  switch (format) {
    case 'csv':
      return [`text/csv; charset=utf-8; header=${isContinued ? 'absent' : 'present'}`, 'csv'];
    case 'ndjson':
      return ['application/x-ndjson', 'ndjson'];
    case 'parquet':
      return ['application/vnd.apache.parquet', 'parquet'];
  }
}

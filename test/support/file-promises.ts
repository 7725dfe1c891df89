/** Promises of files, a line each: columns and cells of exports in each form, and what a file of an archive is read as. */
import { type FileMetaData, parquetMetadata, parquetReadObjects } from 'hyparquet';
import { fromParquet, sealFile, toParquet, unsealFile } from '../../src/rooms/archive/part-file.ts';
import {
  type ColumnKind,
  EXPORT_COLUMNS,
  type ExportRow,
  FLAT_COLUMNS,
} from '../../src/rooms/exports/columns.ts';
import { csvHeader, csvPages } from '../../src/rooms/exports/write/csv.ts';
import { lastJsonLine, toJsonLines } from '../../src/rooms/exports/write/ndjson.ts';
import { createParquetFile } from '../../src/rooms/exports/write/parquet.ts';
import { valueLines } from './promises.ts';

/** A text of Postgres by kind, such that each form writes it in a way of its own. */
const TEXTS: Readonly<Record<ColumnKind, string>> = {
  plain: '12.50',
  text: '=1,"a"',
  time: '2026-11-01 00:00:00.125+00',
  integer: '7',
  float: '0.25',
  json: '{"plan":"gold"}',
  reasons: '[{"code":"NEW_CORRIDOR","points":10}]',
};
/** Cells of CSV that Postgres copies, where they differ from texts. */
const COPIED: Partial<Readonly<Record<ColumnKind, string>>> = {
  text: '"=1,""a"""',
  json: '"{""plan"":""gold""}"',
  reasons: 'NEW_CORRIDOR',
};
const ROW: ExportRow = EXPORT_COLUMNS.map(({ kind }) => TEXTS[kind]);

type Element = FileMetaData['schema'][number];
const shape = ({ type, converted_type, repetition_type }: Element) =>
  [type, converted_type, repetition_type].filter(Boolean).join(' ');

/** @param columns those of the flat forms */
export async function exportLines(columns = FLAT_COLUMNS): Promise<string[]> {
  const names = String(csvHeader(columns)).trimEnd().split(',');
  const cells: string[] = [];
  for (const column of columns) {
    const line = Buffer.from(`${COPIED[column.kind] ?? TEXTS[column.kind]}\n`);
    cells.push(String(await csvPages([column])(async (take) => take(line))).trimEnd());
  }
  const parquet = createParquetFile(columns);
  const bytes = Buffer.concat([await parquet.write([ROW]), await parquet.finish()]);
  const file = new Uint8Array(bytes).buffer;
  const [root, ...elements] = parquetMetadata(file).schema;
  const [read] = await parquetReadObjects({ file });
  return [
    ...names.map((name, nth) => `export as CSV: column ${nth} is ${name}, as ${cells[nth]}`),
    ...elements.map((each) => `export as Parquet: ${each.name} is ${shape(each)}`),
    ...valueLines(`export as Parquet: ${root?.name}`, read),
    ...valueLines('export as NDJSON:', JSON.parse(String(toJsonLines([ROW])))),
    ...valueLines('export as NDJSON, last line:', JSON.parse(String(lastJsonLine(1)))),
  ];
}

const KEY = Buffer.alloc(32, 1);
const NAME = 'market_0/2026-03/1/scores.1.parquet.sealed';

/** A sealed file of an archive, as this release writes it. */
export const archivedFile = async () =>
  sealFile(KEY, await toParquet(['id', 'note'], [['1', null]]), NAME).toString('base64');

/** Each file of an archive, and its rows. */
export async function archiveLines(
  files: readonly string[],
  read = fromParquet,
): Promise<string[]> {
  return await Promise.all(
    files.map(async (file) => {
      const rows = await read(unsealFile(KEY, Buffer.from(file, 'base64'), NAME));
      return `archived file ${file} has ${JSON.stringify(rows)}`;
    }),
  );
}

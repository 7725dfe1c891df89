/** The columns of the flat forms, CSV and Parquet: those of a row, with the codes alone of its reasons. */
import { EXPORT_COLUMNS, type ExportColumn } from '../store/export-columns.ts';

export const FLAT_COLUMNS: readonly ExportColumn[] = EXPORT_COLUMNS.map((column) =>
  column.name === 'reasons' ? { ...column, name: 'reason_codes' } : column,
);

/** @param reasons JSON of the reasons of a score */
export function reasonCodes(reasons: string): string[] {
  if (reasons === '[]') return [];
  return (JSON.parse(reasons) as { code: string }[]).map(({ code }) => code);
}

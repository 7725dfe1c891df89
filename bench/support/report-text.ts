/** A report for the terminal. */
import { formatTable, type Output, type Row } from '../../src/kit/command/output.ts';
import type { Bench, BenchReport, Settings } from './bench.ts';

export function printReport(output: Output, bench: Bench, report: BenchReport): void {
  output.line();
  output.line(`${bench.name}${report.caseName ? `: ${report.caseName}` : ''}`);
  output.line(`  ${bench.question}`);
  output.line(`  inputs    ${formatFields(report.inputs)}`);
  output.line(`  settings  ${formatSettings(report.settings)}`);
  output.line(`  versions  ${formatFields(report.versions)}`);
  for (const { title, rows } of report.tables) printTable(output, title, rows);
  printTable(
    output,
    'figures',
    Object.entries(report.figures).map(([name, value]) => ({ name, value: formatNumber(value) })),
  );
  printTable(
    output,
    `ratio to ceilings of this run (${formatNumber(report.perSecond)} a second)`,
    report.ceilings.map(({ name, perSecond }) => ({
      ceiling: name,
      per_second: formatNumber(perSecond),
      ratio: (report.perSecond / perSecond).toFixed(3),
    })),
  );
  for (const breach of report.breaches) output.error(`  BREACH ${breach}`);
}

export function printTable(output: Output, title: string, rows: readonly Row[]): void {
  if (rows.length === 0) return;
  output.line();
  output.line(`  ${title}`);
  const columns = Object.keys(rows[0] ?? {}).map((field) => ({
    field,
    align: isNumeric(field, rows) ? ('right' as const) : ('left' as const),
  }));
  for (const line of formatTable(columns, rows)) output.line(`    ${line}`);
}

function isNumeric(field: string, rows: readonly Row[]): boolean {
  return rows.every((row) => /^-?[\d,.]*$/.test(String(row[field])));
}

function formatFields(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ');
}

/** Settings of the engine that differ from their defaults. */
function formatSettings(settings: Settings): string {
  return formatFields(settings) || 'none differ from the defaults';
}

function formatNumber(value: number): string {
  const digits = Number.isInteger(value) || Math.abs(value) >= 1000 ? 0 : 2;
  return value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

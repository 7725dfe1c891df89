/** The reports of a run as a Markdown document: one table a bench, a column a case; before it the table that documents show. */
import type { Row } from '../../src/kit/command/output.ts';
import type { Bench, BenchReport } from './bench.ts';
import { formatMachine, type Machine } from './machine.ts';
import { formatFields, formatNumber, formatSettings, isNumeric } from './report-text.ts';

export type BenchReports = { readonly bench: Bench; readonly reports: readonly BenchReport[] };

export type RunDocument = {
  /** RFC 3339. */
  readonly measuredAt: string;
  readonly commit: string;
  readonly machine: Machine;
  readonly benches: readonly BenchReports[];
};

export function toMarkdown({ measuredAt, commit, machine, benches }: RunDocument): string {
  const head = ['# Bench', '', `${measuredAt}, commit ${commit}, ${formatMachine(machine)}`];
  return [...head, ...benches.flatMap(benchSection), ''].join('\n');
}

function benchSection({ bench, reports }: BenchReports): string[] {
  const names = reports.map(({ caseName }) => (caseName === '' ? bench.name : caseName));
  const figures = [...new Set(reports.flatMap((report) => Object.keys(report.figures)))];
  const ceilings = [...new Set(reports.flatMap((one) => one.ceilings.map(({ name }) => name)))];
  const rows = [
    ...figures.map((name) => [name, ...reports.map((one) => figure(one.figures[name]))]),
    ...ceilings.map((name) => [`share of: ${name}`, ...reports.map((one) => share(one, name))]),
  ];
  return [
    ...['', `## ${bench.name}`, '', bench.question, ''],
    ...(bench.summary === undefined ? [] : [...rowsTable(bench.summary(reports)), '']),
    ...markdownTable(['figure', ...names], rows, [false, ...names.map(() => true)]),
    ...reports.flatMap((report, at) => details(names[at] ?? '', report)),
  ];
}

function figure(value: number | undefined): string {
  return value === undefined || Number.isNaN(value) ? '–' : formatNumber(value);
}

function share({ perSecond, ceilings }: BenchReport, name: string): string {
  const ceiling = ceilings.find((one) => one.name === name);
  return ceiling === undefined ? '–' : (perSecond / ceiling.perSecond).toFixed(3);
}

function details(caseName: string, report: BenchReport): string[] {
  const tables = report.tables.filter(({ rows }) => rows.length > 0);
  return [
    ...['', `### ${caseName}`, '', `Inputs: \`${formatFields(report.inputs)}\``],
    ...['', `Settings: \`${formatSettings(report.settings)}\``],
    ...(Object.keys(report.versions).length === 0
      ? []
      : ['', `Versions: \`${formatFields(report.versions)}\``]),
    ...report.breaches.flatMap((breach) => ['', `**Breach:** ${breach}`]),
    ...tables.flatMap(({ title, rows }) => ['', `${title}:`, '', ...rowsTable(rows)]),
  ];
}

function rowsTable(rows: readonly Row[]): string[] {
  const fields = Object.keys(rows[0] ?? {});
  return markdownTable(
    fields,
    rows.map((row) => fields.map((field) => String(row[field] ?? ''))),
    fields.map((field) => isNumeric(field, rows)),
  );
}

function markdownTable(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  alignsRight: readonly boolean[],
): string[] {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = `|${alignsRight.map((right) => (right ? '---:' : '---')).join('|')}|`;
  return [line(heads), rule, ...rows.map(line)];
}

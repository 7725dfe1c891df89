/**
 * `npm run bench [-- NAME [its options]] [--json FILE]`: runs all benches or one, prints machine,
 * inputs, figures and the ratio to a ceiling of the same run; exits 1 when a bench reports a breach.
 */
import { readdir, writeFile } from 'node:fs/promises';
import { createOutput, formatTable, type Output, type Row } from '../src/cli/output.ts';
import { createLog } from '../src/runtime/log.ts';
import type { Bench, BenchReport } from './support/bench.ts';
import { describeMachine, formatMachine } from './support/machine.ts';

const FOLDER = new URL('./', import.meta.url);
const USAGE = `npm run bench [-- NAME [options]] [--json FILE]

Without NAME every bench runs with its defaults.`;

async function loadBenches(): Promise<Bench[]> {
  const files = (await readdir(FOLDER))
    .filter((name) => name.endsWith('.ts') && name !== 'run.ts')
    .sort();
  const modules = await Promise.all(
    files.map((file) => import(new URL(file, FOLDER).href) as Promise<{ bench?: Bench }>),
  );
  return modules.map(({ bench }, index) => {
    if (bench === undefined) throw new Error(`bench/${files[index]} does not export a bench`);
    return bench;
  });
}

type Arguments = { readonly name?: string; readonly jsonFile?: string; readonly own: string[] };

function readArguments(argv: readonly string[]): Arguments {
  const own = [...argv];
  const at = own.indexOf('--json');
  const jsonFile = at < 0 ? undefined : own.splice(at, 2)[1];
  if (at >= 0 && jsonFile === undefined) throw new Error('--json needs a FILE');
  const name = own[0]?.startsWith('-') === false ? own.shift() : undefined;
  if (name === undefined && own.some((word) => word !== '--help')) {
    throw new Error(`name the bench that '${own.join(' ')}' belongs to`);
  }
  return { own, ...(name === undefined ? {} : { name }), ...(jsonFile ? { jsonFile } : {}) };
}

function printReport(output: Output, bench: Bench, report: BenchReport): void {
  output.line();
  output.line(`${bench.name}${report.caseName ? `: ${report.caseName}` : ''}`);
  output.line(`  ${bench.question}`);
  output.line(`  inputs    ${formatFields(report.inputs)}`);
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

function printTable(output: Output, title: string, rows: readonly Row[]): void {
  if (rows.length === 0) return;
  output.line();
  output.line(`  ${title}`);
  const columns = Object.keys(rows[0] ?? {}).map((field) => ({
    field,
    align: rows.every((row) => /^-?[\d,.]*$/.test(String(row[field])))
      ? ('right' as const)
      : ('left' as const),
  }));
  for (const line of formatTable(columns, rows)) output.line(`    ${line}`);
}

function formatFields(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ');
}

function formatNumber(value: number): string {
  const digits = Number.isInteger(value) || Math.abs(value) >= 1000 ? 0 : 2;
  return value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

function abortedBySignals(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => controller.abort(new Error(`ended by ${name}`)));
  }
  return controller.signal;
}

function printUsage(output: Output, benches: readonly Bench[]): void {
  output.line(USAGE);
  for (const { name, question, usage } of benches) {
    output.line();
    output.line(`${name}: ${question}`);
    if (usage) output.line(usage.replaceAll(/^/gm, '  '));
  }
}

async function main(argv: readonly string[]): Promise<number> {
  const output = createOutput({ json: false });
  const { name, jsonFile, own } = readArguments(argv);
  const benches = await loadBenches();
  if (own.includes('--help')) {
    printUsage(output, benches);
    return 0;
  }
  const chosen = benches.filter((bench) => name === undefined || bench.name === name);
  if (chosen.length === 0) {
    output.error(`no bench '${name}'; there are: ${benches.map((bench) => bench.name).join(', ')}`);
    return 2;
  }
  const machine = describeMachine();
  output.line(formatMachine(machine));
  const context = { output, log: createLog('bench', 'warn'), signal: abortedBySignals() };
  const results: Row[] = [];
  let breaches = 0;
  for (const bench of chosen) {
    for await (const report of bench.run(name === undefined ? [] : own, context)) {
      printReport(output, bench, report);
      results.push({ bench: bench.name, question: bench.question, ...report });
      breaches += report.breaches.length;
    }
  }
  if (jsonFile !== undefined) {
    const document = { measured_at: new Date().toISOString(), machine, results };
    await writeFile(jsonFile, `${JSON.stringify(document, null, 2)}\n`);
  }
  return breaches === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));

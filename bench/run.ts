/**
 * `npm run bench [-- NAME [its options]] [--json FILE]`: runs all benches or one, prints
 * machine, inputs, figures and the ratio to a ceiling of the same run; exits 1 when a bench reports a breach,
 * and 78 when the machine cannot cap processes that are to be capped.
 * `npm run bench -- --check` is the regression guard.
 */
import { readdir, writeFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { EXIT, UsageError } from '../src/kit/command/command.ts';
import { createOutput, type Output } from '../src/kit/command/output.ts';
import { EXIT_BAD_CONFIGURATION } from '../src/kit/config/config.ts';
import { createLog } from '../src/kit/metrics/log.ts';
import { Failure } from '../src/kit/words/failure.ts';
import { CHECK_USAGE, check } from './check/check.ts';
import { abortedBySignals } from './support/aborted-by-signals.ts';
import type { Bench, BenchContext, BenchReport } from './support/bench.ts';
import { CANNOT_CAP } from './support/cgroup.ts';
import { describeMachine, formatMachine, readCommit } from './support/machine.ts';
import { printReport } from './support/report-text.ts';

const FOLDER = new URL('./', import.meta.url);
const USAGE = `npm run bench [-- NAME [options]] [--json FILE]

Without NAME every bench runs with its defaults, but for those that run only when they are named.

${CHECK_USAGE}`;

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

type Arguments = {
  readonly name?: string | undefined;
  readonly jsonFile?: string | undefined;
  /** Arguments that belong to the bench. */
  readonly own: string[];
};

function readArguments(argv: readonly string[]): Arguments {
  const own = [...argv];
  const at = own.indexOf('--json');
  const [, jsonFile] = at < 0 ? [] : own.splice(at, 2);
  if (at >= 0 && jsonFile === undefined) throw new UsageError('--json needs a FILE');
  const name = own[0]?.startsWith('-') === false ? own.shift() : undefined;
  if (name === undefined && own.some((word) => word !== '--help')) {
    throw new UsageError(`name the bench that '${own.join(' ')}' belongs to`);
  }
  return { name, jsonFile, own };
}

function printUsage(output: Output, benches: readonly Bench[]): void {
  output.line(USAGE);
  for (const { name, question, usage, onlyByName } of benches) {
    output.line();
    output.line(`${name}: ${question}`);
    if (onlyByName) output.line(`  Runs only when it is named: ${onlyByName}.`);
    if (usage) output.line(usage.replaceAll(/^/gm, '  '));
  }
}

function choose(benches: readonly Bench[], name: string | undefined): Bench[] {
  if (name === undefined) return benches.filter(({ onlyByName }) => onlyByName === undefined);
  const chosen = benches.filter((bench) => bench.name === name);
  if (chosen.length > 0) return chosen;
  const names = benches.map((bench) => bench.name).join(', ');
  throw new UsageError(`no bench '${name}'; there are: ${names}`);
}

async function measure(chosen: readonly Bench[], own: string[], context: BenchContext) {
  const results: ({ readonly bench: string; readonly question: string } & BenchReport)[] = [];
  for (const bench of chosen) {
    for await (const report of bench.run(own, context)) {
      printReport(context.output, bench, report);
      results.push({ bench: bench.name, question: bench.question, ...report });
    }
  }
  return results;
}

async function main(argv: readonly string[]): Promise<number> {
  const output = createOutput({ json: false });
  const context = { output, log: createLog('bench', 'warn'), signal: abortedBySignals() };
  const machine = describeMachine();
  if (argv[0] === '--check') {
    output.line(formatMachine(machine));
    return await check(argv.slice(1), context);
  }
  const { name, jsonFile, own } = readArguments(argv);
  const all = await loadBenches();
  if (own.includes('--help')) {
    printUsage(output, name === undefined ? all : choose(all, name));
    return EXIT.fine;
  }
  const chosen = choose(all, name);
  output.line(formatMachine(machine));
  const results = await measure(chosen, name === undefined ? [] : own, context);
  if (jsonFile !== undefined) {
    const of = { measured_at: new Date().toISOString(), commit: await readCommit(), machine };
    await writeFile(jsonFile, `${JSON.stringify({ ...of, results }, null, 2)}\n`);
  }
  return results.every(({ breaches }) => breaches.length === 0) ? EXIT.fine : EXIT.failed;
}

// A reader that left early (`… --help | head`) does not end the measurement.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  // Node's message of an AggregateError names none of the errors in it.
  if (error instanceof SuppressedError)
    process.stderr.write(`${inspect(error.suppressed)}\n${inspect(error.error)}\n`);
  const cannotCap = error instanceof Failure && error.code === CANNOT_CAP;
  if (!(error instanceof UsageError || cannotCap)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = cannotCap ? EXIT_BAD_CONFIGURATION : EXIT.usage;
}

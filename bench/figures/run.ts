/**
 * `npm run figures [-- PART …]` measures the figures of the documents, and writes a file of docs/figures for each part. Exits 1 if a
 * command failed or a figure left the interval around the recorded figure. `npx vitest run test/unit/docs --update` then writes the pages.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createOutput } from '../../src/kit/command/output.ts';
import { createLog } from '../../src/kit/metrics/log.ts';
import { measureBare } from '../bare/measure.ts';
import { abortedBySignals } from '../support/aborted-by-signals.ts';
import { describeMachine, readCommit } from '../support/machine.ts';
import { SIX_CORRIDORS } from '../support/named-loads.ts';
import { printTable } from '../support/report-text.ts';
import { makeRunFolder } from '../support/run-folder.ts';
import { compareFigures, FIGURES, type FigureFile, type Result, readFigures } from './file.ts';
import { PARTS, type Part } from './parts.ts';

const BARE = { ...SIX_CORRIDORS, transactions: 150_000 };
/** Files on which the figures depend. */
const CODE = ['src', 'sql', 'bench', 'test/isolation', 'package-lock.json'];

const output = createOutput({ json: false });
const context = { output, log: createLog('figures', 'warn'), signal: abortedBySignals() };

/** Outcome of a proof of `npm run isolation`, as far as figures need it. */
type Outcome = {
  readonly scenario: string;
  readonly checks?: readonly {
    readonly check: string;
    readonly found: number;
    readonly ok: boolean;
  }[];
};

const toResult = ({ scenario, checks = [] }: Outcome): Result => ({
  ...{ bench: 'isolation', caseName: scenario, inputs: {}, perSecond: Number.NaN },
  figures: Object.fromEntries(checks.map(({ check, found }) => [check, found])),
  ...{ ceilings: [], tables: [] },
  breaches: checks.filter(({ ok }) => !ok).map(({ check }) => check),
});

/** @returns no results where the command failed before it wrote any */
async function runCommand(words: readonly string[]) {
  await using folder = await makeRunFolder('risk-figures');
  const file = join(folder.path, 'run.json');
  const args = ['bin/risk-dev', ...words, '--json', file];
  const [code] = await once(spawn('/bin/sh', args, { stdio: 'inherit' }), 'exit');
  const written = await readFile(file, 'utf8').then(JSON.parse, () => []);
  const results: Result[] = Array.isArray(written) ? written.map(toResult) : written.results;
  return { results, isFine: code === 0 && results.length > 0 };
}

async function measure({ name, runs }: Part) {
  const { stdout: changes } = await promisify(execFile)('git', ['status', '-s', '--', ...CODE]);
  const commit = `${await readCommit()}${changes === '' ? '' : '-changed'}`;
  const { figures: before } = await measureBare(BARE, context);
  const all = [];
  for (const run of runs) all.push(await runCommand(run));
  const { figures: after } = await measureBare(BARE, context);
  const mean = (figure: string) => (Number(before[figure]) + Number(after[figure])) / 2;
  const file: FigureFile = {
    ...{ part: name, measured_at: new Date().toISOString(), commit, machine: describeMachine() },
    bare: {
      per_second: mean('end_to_end_per_second'),
      cpu_us_per_transaction: mean('cpu_us_per_transaction'),
    },
    results: all.flatMap(({ results }) => results),
  };
  return { file, isFine: all.every(({ isFine }) => isFine) };
}

async function run(part: Part): Promise<boolean> {
  const recorded = readFigures(part.name);
  const { file, isFine } = await measure(part);
  if (file.results.length > 0) {
    await mkdir(FIGURES, { recursive: true });
    await writeFile(join(FIGURES, `${part.name}.json`), `${JSON.stringify(file, null, 1)}\n`);
  }
  const compared = recorded === undefined ? [] : compareFigures(recorded, file);
  const rows = compared.map(({ figure, from, to, now, isLeft }) => ({
    ...{ figure, from: from.toFixed(3), to: to.toFixed(3), now: now?.toFixed(3) },
    verdict: isLeft ? 'LEFT' : 'ok',
  }));
  printTable(output, `${part.name}, by the bare pipeline of the same run`, rows);
  if (!isFine) output.error(`${part.name}: a command failed`);
  return isFine && compared.every(({ isLeft }) => !isLeft);
}

const names = process.argv.slice(2);
const unknown = names.filter((name) => !PARTS.some((part) => part.name === name));
if (unknown.length > 0) {
  output.line(
    'npm run figures [-- PART …]: all but those that run only by name, or the named ones\n',
  );
  output.table(['name', 'onlyByName'], PARTS);
  process.exitCode = 2;
} else {
  const chosen = PARTS.filter(({ name, onlyByName }) =>
    names.length > 0 ? names.includes(name) : onlyByName === undefined,
  );
  for (const part of chosen) if (!(await run(part))) process.exitCode = 1;
}

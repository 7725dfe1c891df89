/**
 * Tests the tests: the scenarios on an untouched copy of the engine must pass, then each mutant must fail its
 * scenario, and the report says which invariant or bar caught it.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Output, Row } from '../../../src/kit/command/output.ts';
import type { Mutant, Replacement } from './mutant.ts';
import { isBreached, printReport } from './report.ts';
import { type Outcome, type RunOptions, runScenario } from './run-scenario.ts';
import type { Scenario } from './scenario.ts';

/** Files of an engine besides its packages; drills run commands of its documents. */
export const ENGINE_PARTS = [
  'bin',
  'src',
  'sql',
  'console/dist',
  'docs',
  'package.json',
  'package-lock.json',
];
const EXIT = { fine: 0, failed: 1 } as const;

type Copy = { readonly root: string } & Disposable;

export function copyEngineTo(root: string, from: string): void {
  for (const part of ENGINE_PARTS) cpSync(join(from, part), join(root, part), { recursive: true });
  symlinkSync(join(from, 'node_modules'), join(root, 'node_modules'));
}

function copyEngine(from: string): Copy {
  const root = mkdtempSync(join(tmpdir(), 'risk-mutant-'));
  copyEngineTo(root, from);
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}

export function mutate(text: string, { file, find, replace }: Replacement): string {
  const times = text.split(find).length - 1;
  if (times !== 1) throw new Error(`a replacement applies ${times} times to ${file}: ${find}`);
  return text.replace(find, () => replace);
}

function apply(root: string, { also = [], ...first }: Mutant): void {
  for (const replacement of [first, ...also]) {
    const path = join(root, replacement.file);
    writeFileSync(path, mutate(readFileSync(path, 'utf8'), replacement));
  }
}

type Trial = Row & { readonly ok: boolean };

export type Suite = {
  readonly scenarios: readonly Scenario[];
  readonly mutants: readonly Mutant[];
};

/** Returns the exit code. */
export async function runMutations(
  output: Output,
  options: RunOptions,
  { scenarios, mutants }: Suite,
): Promise<number> {
  const tryOne = async (name: string, engineRoot: string): Promise<Outcome> => {
    const scenario = scenarios.find((one) => one.name === name);
    if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
    output.line();
    const outcome = await runScenario(scenario, { ...options, engineRoot });
    printReport(output, outcome);
    return outcome;
  };
  const controls = new Set(mutants.map(({ scenario }) => scenario));
  const trials: Trial[] = [];
  for (const name of controls) {
    using copy = copyEngine(options.engineRoot);
    const outcome = await tryOne(name, copy.root);
    const isGreen = 'checks' in outcome && !isBreached(outcome);
    trials.push({ mutation: 'none (control)', scenario: name, ...verdictOf(outcome), ok: isGreen });
  }
  for (const mutant of mutants) {
    using copy = copyEngine(options.engineRoot);
    apply(copy.root, mutant);
    output.line();
    output.line(`mutation ${mutant.name}: ${mutant.what}`);
    const outcome = await tryOne(mutant.scenario, copy.root);
    const { scenario } = mutant;
    const isCaught = 'checks' in outcome && catchersOf(outcome, mutant.bar).length > 0;
    const verdict = verdictOf(outcome, mutant.bar);
    trials.push({ mutation: mutant.name, scenario, ...verdict, ok: isCaught });
  }
  output.line();
  const fields = ['mutation', 'scenario', 'verdict', 'caught_by', 'as_expected'];
  output.table(
    fields.map((field) => ({ field })),
    trials.map((trial) => ({ ...trial, as_expected: trial.ok ? 'yes' : 'NO' })),
  );
  return trials.every(({ ok }) => ok) ? EXIT.fine : EXIT.failed;
}

/** Invariants that were breached, or the bar that the mutant names. */
function catchersOf(
  outcome: Extract<Outcome, { readonly checks: unknown }>,
  bar: string | undefined,
): string[] {
  const breached = outcome.checks.filter(({ ok }) => !ok);
  const caught = breached.flatMap(({ invariant, check }) =>
    invariant !== 'bar' ? invariant : check === bar ? `bar: ${check}` : [],
  );
  return [...new Set(caught)];
}

function verdictOf(
  outcome: Outcome,
  bar?: string,
): { readonly verdict: string; readonly caught_by: string } {
  if ('notRun' in outcome) return { verdict: 'not run', caught_by: '-' };
  if ('broken' in outcome) return { verdict: 'broken', caught_by: '-' };
  const caught = catchersOf(outcome, bar).join(' ');
  return { verdict: isBreached(outcome) ? 'red' : 'green', caught_by: caught || '-' };
}

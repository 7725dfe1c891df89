/**
 * `npm run chaos`: real processes, real Postgres and Redis, real faults under load; afterwards the
 * client's ledger is held against what is stored. Exits 1 on any breach, 3 when a fault could not be
 * made here. Slow by nature, so no part of `npm test`.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine, formatMachine } from '../../bench/support/machine.ts';
import { createOutput, type Output } from '../../src/cli/output.ts';
import { SCENARIOS } from './catalogue.ts';
import { MUTANTS } from './mutants.ts';
import { runMutations } from './support/mutations.ts';
import { printReport, printSummary } from './support/report.ts';
import { type Outcome, type RunOptions, runScenario, SETTINGS } from './support/run-scenario.ts';
import type { Scenario } from './support/scenario.ts';

const USAGE = `npm run chaos [-- NAME… options]

NAME…        scenarios to run (all); with --mutations: mutants
--list       what there is
--mutations  takes one mechanism at a time out of a copy of the engine; each must be caught
--tx N       transactions posted at least, each scenario (4000)
--rate N     transactions a second (the scenario's own)
--seed TEXT  of traffic and schedule (1)
--engine DIR another checkout whose engine is put to the test (this one)`;

const EXIT = { fine: 0, failed: 1, usage: 2, notRun: 3 } as const;

function readOptions() {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  return parseArgs({
    allowPositionals: true,
    options: {
      ...{ list: flag, mutations: flag, help: { ...flag, short: 'h' } },
      ...{ tx: { ...text, default: '4000' }, seed: { ...text, default: '1' }, rate: text },
      engine: { ...text, default: fileURLToPath(new URL('../../', import.meta.url)) },
    },
  });
}

function abortedBySignals(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort(new Error('ended by SIGINT')));
  process.once('SIGTERM', () => controller.abort(new Error('ended by SIGTERM')));
  return controller.signal;
}

function printList(output: Output): void {
  output.table([{ field: 'name' }, { field: 'what' }], SCENARIOS);
  output.line();
  output.table(
    [{ field: 'mutation' }, { field: 'what' }, { field: 'caught by' }],
    MUTANTS.map(({ name, what, scenario }) => ({ mutation: name, what, 'caught by': scenario })),
  );
}

async function runAll(
  output: Output,
  scenarios: readonly Scenario[],
  options: RunOptions,
): Promise<number> {
  const outcomes: Outcome[] = [];
  for (const scenario of scenarios) {
    output.line();
    const outcome = await runScenario(scenario, options);
    printReport(output, outcome);
    outcomes.push(outcome);
  }
  return printSummary(output, outcomes);
}

async function main(): Promise<number> {
  const output = createOutput({ json: false });
  const { values, positionals } = readOptions();
  const known: readonly { name: string }[] = values.mutations === true ? MUTANTS : SCENARIOS;
  const unknown = positionals.filter((name) => !known.some((one) => one.name === name));
  if (unknown.length > 0) output.error(`there is no ${unknown.join(', ')}`);
  if (values.help === true || unknown.length > 0) {
    output.line(USAGE);
    return EXIT.usage;
  }
  if (values.list === true) {
    printList(output);
    return EXIT.fine;
  }
  output.line(formatMachine(describeMachine()));
  const settings = Object.entries(SETTINGS).map(([name, value]) => `${name}=${value}`);
  output.line(`settings ${settings.join(' ')}`);
  const named = <T extends { readonly name: string }>(all: readonly T[]) =>
    all.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const options = {
    engineRoot: values.engine,
    transactions: Number(values.tx),
    rate: values.rate === undefined ? undefined : Number(values.rate),
    ...{ seed: values.seed, signal: abortedBySignals() },
    onLine: (text: string) => output.line(text),
  };
  const startedMs = performance.now();
  const code =
    values.mutations === true
      ? await runMutations(output, options, { scenarios: SCENARIOS, mutants: named(MUTANTS) })
      : await runAll(output, named(SCENARIOS), options);
  output.line(`${Math.round((performance.now() - startedMs) / 1000)} seconds in all`);
  return code;
}

process.exitCode = await main();

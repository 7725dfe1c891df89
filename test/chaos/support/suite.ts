/** A command that runs scenarios by name, or takes mechanisms out of a copy of the engine and expects them to notice. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { abortedBySignals } from '../../../bench/support/aborted-by-signals.ts';
import { describeMachine, formatMachine } from '../../../bench/support/machine.ts';
import { createOutput, type Output } from '../../../src/kit/command/output.ts';
import type { Mutant } from './mutant.ts';
import { runMutations } from './mutations.ts';
import { printReport } from './report.ts';
import { type Outcome, type RunOptions, runScenario, SETTINGS } from './run-scenario.ts';
import type { Scenario } from './scenario.ts';

export type Suite = {
  readonly usage: string;
  readonly scenarios: readonly Scenario[];
  readonly mutants: readonly Mutant[];
  /** Least number of transactions of a scenario, where `--tx` is not given. */
  readonly transactions: number;
  /** Settings of the engine in each scenario. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Prints what became of all scenarios. @returns the exit code */
  readonly summarise: (output: Output, outcomes: readonly Outcome[]) => number;
};

const EXIT = { fine: 0, usage: 2 } as const;

/** Reads the command line and runs what it names. @returns the exit code */
export async function runSuite(suite: Suite): Promise<number> {
  const { usage, scenarios, mutants } = suite;
  const output = createOutput({ json: false });
  const { values, positionals } = readOptions(suite);
  const known: readonly { name: string }[] = values.mutations === true ? mutants : scenarios;
  const unknown = positionals.filter((name) => !known.some((one) => one.name === name));
  if (unknown.length > 0) output.error(`there is no ${unknown.join(', ')}`);
  if (values.help === true || unknown.length > 0) {
    output.line(usage);
    return EXIT.usage;
  }
  if (values.list === true) {
    printList(output, suite);
    return EXIT.fine;
  }
  output.line(formatMachine(describeMachine()));
  const settings = Object.entries(suite.settings ?? SETTINGS).map(
    ([name, value]) => `${name}=${value}`,
  );
  output.line(`settings ${settings.join(' ')}`);
  const named = <T extends { readonly name: string }>(all: readonly T[]) =>
    all.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const options = {
    engineRoot: values.engine,
    transactions: Number(values.tx),
    rate: values.rate === undefined ? undefined : Number(values.rate),
    isQuick: values.quick === true,
    ...{ seed: values.seed, signal: abortedBySignals() },
    onLine: (text: string) => output.line(text),
  };
  const startedMs = performance.now();
  const summarise = async () => {
    const outcomes = await runAll(output, named(scenarios), options);
    if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(outcomes, null, 2));
    return suite.summarise(output, outcomes);
  };
  const code =
    values.mutations === true
      ? await runMutations(output, options, { scenarios, mutants: named(mutants) })
      : await summarise();
  output.line(`${Math.round((performance.now() - startedMs) / 1000)} seconds in all`);
  return code;
}

function readOptions({ transactions }: Suite) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  return parseArgs({
    allowPositionals: true,
    options: {
      ...{ list: flag, mutations: flag, help: { ...flag, short: 'h' }, rate: text, quick: flag },
      json: text,
      ...{ tx: { ...text, default: String(transactions) }, seed: { ...text, default: '1' } },
      engine: { ...text, default: fileURLToPath(new URL('../../../', import.meta.url)) },
    },
  });
}

function printList(output: Output, { scenarios, mutants }: Suite): void {
  output.table([{ field: 'name' }, { field: 'what' }], scenarios);
  output.line();
  output.table(
    [{ field: 'mutation' }, { field: 'what' }, { field: 'caught by' }],
    mutants.map(({ name, what, scenario }) => ({ mutation: name, what, 'caught by': scenario })),
  );
}

async function runAll(
  output: Output,
  scenarios: readonly Scenario[],
  options: RunOptions,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const scenario of scenarios) {
    output.line();
    const outcome = await runScenario(scenario, options);
    printReport(output, outcome);
    outcomes.push(outcome);
  }
  return outcomes;
}

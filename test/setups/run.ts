/**
 * `npm run setups`: runs the engine's processes on each documented set-up under load, breaks something in it, and judges as
 * `npm run chaos` does. A set-up that cannot run here is skipped, which is a failure where CI is set. It takes minutes, so it is
 * no part of `npm test`.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine, formatMachine } from '../../bench/support/machine.ts';
import { createOutput, type Output, type Row } from '../../src/cli/output.ts';
import { runMutations } from '../chaos/support/mutations.ts';
import { isBreached, printReport } from '../chaos/support/report.ts';
import { type Outcome, type RunOptions, runScenario } from '../chaos/support/run-scenario.ts';
import type { Scenario } from '../chaos/support/scenario.ts';
import { SETUPS } from './catalogue.ts';
import { MUTANTS } from './mutants.ts';

const USAGE = `npm run setups [-- NAME… options]

NAME…        set-ups to run (all); with --mutations: mutants
--list       what there is
--mutations  takes one mechanism at a time out of a copy of the engine; each must be caught
--tx N       least number of transactions posted to each set-up (6000)
--seed TEXT  of traffic and schedule (1)
--engine DIR another checkout whose engine is put to the test (this one)`;

const EXIT = { fine: 0, failed: 1, usage: 2 } as const;

function readOptions() {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  return parseArgs({
    allowPositionals: true,
    options: {
      ...{ list: flag, mutations: flag, help: { ...flag, short: 'h' } },
      ...{ tx: { ...text, default: '6000' }, seed: { ...text, default: '1' } },
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

/** Returns the exit code. */
function printTable(output: Output, outcomes: readonly Outcome[]): number {
  const figures = ['accepted', 'scored', 'lost', 'doubled', 'events_doubled'];
  const right = (field: string) => ({ field, align: 'right' as const });
  output.line();
  output.table(
    [
      ...[{ field: 'set-up' }, { field: 'load' }, ...figures.map(right)],
      ...[{ field: 'broken' }, right('recovery_s'), { field: 'verdict' }],
    ],
    outcomes.map(toRow),
  );
  const isSkipFatal = (process.env['CI'] ?? '') !== '';
  return outcomes.some((one) => ('notRun' in one ? isSkipFatal : isFailed(one)))
    ? EXIT.failed
    : EXIT.fine;
}

const isFailed = (outcome: Exclude<Outcome, { readonly notRun: string }>) =>
  'broken' in outcome || isBreached(outcome);

function toRow(outcome: Outcome): Row {
  const row = { 'set-up': outcome.scenario };
  if ('notRun' in outcome) return { ...row, verdict: `skipped: ${outcome.notRun}` };
  if ('broken' in outcome) return { ...row, verdict: 'DID NOT END' };
  const faults = Object.entries(outcome.faults);
  return {
    ...{ ...row, ...outcome.balance },
    load: `${outcome.rate}/s, ${outcome.counts.sent} posted`,
    broken: faults.map(([fault, times]) => (times === 1 ? fault : `${fault} ${times}×`)).join(', '),
    recovery_s: outcome.recoverySeconds.toFixed(1),
    verdict: isBreached(outcome) ? 'BREACH' : 'ok',
  };
}

async function runAll(
  output: Output,
  setups: readonly Scenario[],
  options: RunOptions,
): Promise<number> {
  const outcomes: Outcome[] = [];
  for (const setup of setups) {
    output.line();
    const outcome = await runScenario(setup, options);
    printReport(output, outcome);
    outcomes.push(outcome);
  }
  return printTable(output, outcomes);
}

async function main(): Promise<number> {
  const output = createOutput({ json: false });
  const { values, positionals } = readOptions();
  const known: readonly { name: string }[] = values.mutations === true ? MUTANTS : SETUPS;
  const unknown = positionals.filter((name) => !known.some((one) => one.name === name));
  if (unknown.length > 0) output.error(`there is no ${unknown.join(', ')}`);
  if (values.help === true || unknown.length > 0) {
    output.line(USAGE);
    return EXIT.usage;
  }
  if (values.list === true) {
    output.table([{ field: 'name' }, { field: 'what' }], SETUPS);
    return EXIT.fine;
  }
  output.line(formatMachine(describeMachine()));
  const named = <T extends { readonly name: string }>(all: readonly T[]) =>
    all.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const options = {
    ...{ engineRoot: values.engine, transactions: Number(values.tx), rate: undefined },
    ...{ seed: values.seed, signal: abortedBySignals() },
    onLine: (text: string) => output.line(text),
  };
  return values.mutations === true
    ? await runMutations(output, options, { scenarios: SETUPS, mutants: named(MUTANTS) })
    : await runAll(output, named(SETUPS), options);
}

process.exitCode = await main();

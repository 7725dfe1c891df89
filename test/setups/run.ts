/**
 * `npm run setups`: runs the engine's processes on each documented set-up under load, breaks something in it, and judges as
 * `npm run chaos` does. A set-up that cannot run here is skipped, which is a failure where CI is set. It takes minutes, so it is
 * no part of `npm test`.
 */
import type { Output } from '../../src/kit/command/output.ts';
import { exitUnlessSkipped, printTable } from '../chaos/support/report.ts';
import type { Outcome } from '../chaos/support/run-scenario.ts';
import { runSuite } from '../chaos/support/suite.ts';
import { SETUPS } from './catalogue.ts';
import { MUTANTS } from './mutants.ts';

const USAGE = `npm run setups [-- NAME… options]

NAME…        set-ups to run (all); with --mutations: mutants
--list       what there is
--mutations  takes one mechanism at a time out of a copy of the engine; each must be caught
--tx N       least number of transactions posted to each set-up (6000)
--rate N     transactions a second (the set-up's own)
--seed TEXT  of traffic and schedule (1)
--engine DIR another checkout whose engine is put to the test (this one)`;

/** Returns the exit code. */
function summarise(output: Output, outcomes: readonly Outcome[]): number {
  printTable(output, outcomes, {
    head: 'set-up',
    texts: ['load', 'broken'],
    figures: ['accepted', 'scored', 'lost', 'doubled', 'events_doubled', 'recovery_s'],
    rowOf: ({ faults, rate, counts, recoverySeconds }) => ({
      load: `${rate}/s, ${counts.sent} posted`,
      broken: Object.entries(faults)
        .map(([fault, times]) => (times === 1 ? fault : `${fault} ${times}×`))
        .join(', '),
      recovery_s: recoverySeconds.toFixed(1),
    }),
  });
  return exitUnlessSkipped(outcomes);
}

process.exitCode = await runSuite({
  ...{ usage: USAGE, scenarios: SETUPS, mutants: MUTANTS, transactions: 6000 },
  summarise,
});

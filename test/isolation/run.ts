/**
 * `npm run isolation`: people stop and start a corridor while the engine's processes score it, and a market works beside a
 * neighbour that is disturbed. Exits 1 where a score of a stopped corridor was committed, a change took longer than a second, the
 * market was slower by more than noise, or anything was lost. The proofs take half an hour, so they are no part of `npm test`.
 */
import type { Output } from '../../src/kit/command/output.ts';
import { isBreached, printTable } from '../chaos/support/report.ts';
import type { Outcome } from '../chaos/support/run-scenario.ts';
import { runSuite } from '../chaos/support/suite.ts';
import { MUTANTS, PROOFS } from './catalogue.ts';
import { COUNTS, intervalBar, RATIOS, ratioBar } from './neighbours.ts';
import { FLIP_BARS, LATE, switchFlips } from './switch-flips.ts';

const USAGE = `npm run isolation [-- NAME… options]

NAME…        proofs to run (all); with --mutations: mutants
--quick      200 flips in place of 1,000, and 6 windows of each kind in place of 20
--list       what there is
--mutations  takes one mechanism at a time out of a copy of the engine; each must be caught
--seed TEXT  of traffic and schedule (1)
--engine DIR another checkout whose engine is put to the test (this one)`;

const EXIT = { fine: 0, failed: 1 } as const;
const FIGURES = ['accepted', 'scored', 'dead_lettered', 'lost', 'doubled'];

/** Prints a table of each kind of proof. @returns the exit code */
function summarise(output: Output, outcomes: readonly Outcome[]): number {
  const isFlips = ({ scenario }: Outcome) => scenario === switchFlips.name;
  const ratios = [...RATIOS.map(ratioBar), ...RATIOS.map(intervalBar), ...COUNTS];
  for (const [isOfTable, bars] of [
    [isFlips, ['flips', ...FLIP_BARS, LATE]],
    [(one: Outcome) => !isFlips(one), ratios],
  ] as const) {
    const own = outcomes.filter(isOfTable);
    if (own.length === 0) continue;
    printTable(output, own, {
      head: 'proof',
      figures: [...bars, ...FIGURES],
      rowOf: ({ checks }) =>
        Object.fromEntries(
          bars.map((bar) => [bar, checks.find(({ check }) => check === bar)?.found]),
        ),
    });
  }
  return outcomes.every((one) => 'checks' in one && !isBreached(one)) ? EXIT.fine : EXIT.failed;
}

process.exitCode = await runSuite({
  usage: USAGE,
  scenarios: PROOFS,
  mutants: MUTANTS,
  transactions: 0,
  summarise,
});

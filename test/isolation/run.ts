/**
 * `npm run isolation`: people stop and start a corridor while the engine's processes score it, and a market works beside a
 * neighbour that is disturbed. Exits 1 where a score of a stopped corridor was committed, a change took longer than a second, the
 * market was slower by more than noise, or anything was lost. The proofs take half an hour, so they are no part of `npm test`.
 */
import type { Output, Row } from '../../src/kit/command/output.ts';
import { isBreached } from '../chaos/support/report.ts';
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

const right = (field: string) => ({ field, align: 'right' as const });

/** Prints a table of each kind of proof. @returns the exit code */
function printTables(output: Output, outcomes: readonly Outcome[]): number {
  const isFlips = ({ scenario }: Outcome) => scenario === switchFlips.name;
  printTable(output, outcomes.filter(isFlips), ['flips', ...FLIP_BARS, LATE]);
  printTable(
    output,
    outcomes.filter((one) => !isFlips(one)),
    [...RATIOS.map(ratioBar), ...RATIOS.map(intervalBar), ...COUNTS],
  );
  return outcomes.every((one) => 'checks' in one && !isBreached(one)) ? EXIT.fine : EXIT.failed;
}

function printTable(output: Output, outcomes: readonly Outcome[], bars: readonly string[]): void {
  if (outcomes.length === 0) return;
  output.line();
  const columns = [{ field: 'proof' }, ...[...bars, ...FIGURES].map(right), { field: 'verdict' }];
  output.table(
    columns,
    outcomes.map((one) => toRow(one, bars)),
  );
}

function toRow(outcome: Outcome, bars: readonly string[]): Row {
  const row = { proof: outcome.scenario };
  if ('notRun' in outcome) return { ...row, verdict: `NOT RUN: ${outcome.notRun}` };
  if ('broken' in outcome) return { ...row, verdict: 'DID NOT END' };
  const found = bars.map((bar) => [bar, outcome.checks.find(({ check }) => check === bar)?.found]);
  return {
    ...row,
    ...Object.fromEntries(found),
    ...outcome.balance,
    verdict: isBreached(outcome) ? 'BREACH' : 'ok',
  };
}

process.exitCode = await runSuite({
  usage: USAGE,
  scenarios: PROOFS,
  mutants: MUTANTS,
  transactions: 0,
  summarise: printTables,
});

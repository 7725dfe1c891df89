/**
 * `npm run isolation`: people stop and start a corridor while the engine's processes score it. Exits 1 where a score of a stopped
 * corridor was committed, a change took longer than a second, or anything was lost. The proof takes minutes, so it is no part
 * of `npm test`.
 */
import type { Output, Row } from '../../src/kit/command/output.ts';
import { isBreached } from '../chaos/support/report.ts';
import type { Outcome } from '../chaos/support/run-scenario.ts';
import { runSuite } from '../chaos/support/suite.ts';
import { MUTANTS, PROOFS } from './catalogue.ts';
import { FLIP_BARS, LATE } from './switch-flips.ts';

const USAGE = `npm run isolation [-- NAME… options]

NAME…        proofs to run (all); with --mutations: mutants
--quick      200 flips in place of 1,000
--list       what there is
--mutations  takes one mechanism at a time out of a copy of the engine; each must be caught
--seed TEXT  of traffic and schedule (1)
--engine DIR another checkout whose engine is put to the test (this one)`;

const EXIT = { fine: 0, failed: 1 } as const;
const BARS = ['flips', ...FLIP_BARS, LATE];
const FIGURES = ['accepted', 'scored', 'dead_lettered', 'lost', 'doubled'];

/** Returns the exit code. */
function printTable(output: Output, outcomes: readonly Outcome[]): number {
  const right = (field: string) => ({ field, align: 'right' as const });
  output.line();
  output.table(
    [{ field: 'proof' }, ...[...BARS, ...FIGURES].map(right), { field: 'verdict' }],
    outcomes.map(toRow),
  );
  return outcomes.every((one) => 'checks' in one && !isBreached(one)) ? EXIT.fine : EXIT.failed;
}

function toRow(outcome: Outcome): Row {
  const row = { proof: outcome.scenario };
  if ('notRun' in outcome) return { ...row, verdict: `NOT RUN: ${outcome.notRun}` };
  if ('broken' in outcome) return { ...row, verdict: 'DID NOT END' };
  const found = BARS.map((bar) => [bar, outcome.checks.find(({ check }) => check === bar)?.found]);
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
  summarise: printTable,
});

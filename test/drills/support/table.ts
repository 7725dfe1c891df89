/** The table of all drills. */
import type { Output } from '../../../src/kit/command/output.ts';
import { exitUnlessSkipped, printTable } from '../../chaos/support/report.ts';
import type { Outcome } from '../../chaos/support/run-scenario.ts';
import { RPO, UNACCEPTED, UNSCORED } from './drill.ts';

/** @returns the exit code */
export function printDrills(output: Output, outcomes: readonly Outcome[]): number {
  printTable(output, outcomes, {
    head: 'drill',
    texts: ['incident'],
    figures: ['rpo_s', 'rto_s', 'accepted', 'scored', 'lost', 'doubled', 'seconds'],
    rowOf: ({ checks, faults, seconds }) => {
      const found = (bar: string) => checks.find(({ check }) => check === bar)?.found ?? Number.NaN;
      return {
        incident: Object.keys(faults)[0],
        rpo_s: found(RPO).toFixed(1),
        rto_s: Math.max(found(UNACCEPTED), found(UNSCORED)).toFixed(1),
        seconds: seconds.toFixed(0),
      };
    },
  });
  return exitUnlessSkipped(outcomes);
}

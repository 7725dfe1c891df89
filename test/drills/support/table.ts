/** The table of all drills. */
import type { Output, Row } from '../../../src/kit/command/output.ts';
import { exitUnlessSkipped, isBreached } from '../../chaos/support/report.ts';
import type { Outcome } from '../../chaos/support/run-scenario.ts';
import { RPO, UNACCEPTED, UNSCORED } from './drill.ts';

const FIGURES = ['rpo_s', 'rto_s', 'accepted', 'scored', 'lost', 'doubled', 'seconds'];

/** @returns the exit code */
export function printTable(output: Output, outcomes: readonly Outcome[]): number {
  const right = (field: string) => ({ field, align: 'right' as const });
  output.line();
  output.table(
    [...[{ field: 'drill' }, { field: 'incident' }], ...FIGURES.map(right), { field: 'verdict' }],
    outcomes.map(toRow),
  );
  return exitUnlessSkipped(outcomes);
}

export function toRow(outcome: Outcome): Row {
  const row = { drill: outcome.scenario };
  if ('notRun' in outcome) return { ...row, verdict: `skipped: ${outcome.notRun}` };
  if ('broken' in outcome) return { ...row, verdict: 'DID NOT END' };
  const { balance, checks, faults, seconds } = outcome;
  const found = (bar: string) => checks.find(({ check }) => check === bar)?.found ?? Number.NaN;
  return {
    ...{ ...row, ...balance, incident: Object.keys(faults)[0] },
    rpo_s: found(RPO).toFixed(1),
    rto_s: Math.max(found(UNACCEPTED), found(UNSCORED)).toFixed(1),
    seconds: seconds.toFixed(0),
    verdict: isBreached(outcome) ? 'BREACH' : 'ok',
  };
}

/** The report for people: a scenario's breaches and faults, then one table of all scenarios. */
import { formatTable, type Output, type Row } from '../../../src/kit/command/output.ts';
import { INVARIANTS } from './checker.ts';
import type { Outcome, Report } from './run-scenario.ts';

const EXIT = { fine: 0, failed: 1, notRun: 3 } as const;

const right = (field: string) => ({ field, align: 'right' as const });
const left = (field: string) => ({ field, align: 'left' as const });

export function printReport(output: Output, outcome: Outcome): void {
  if ('notRun' in outcome) {
    output.line(`  not run: ${outcome.notRun}`);
    return;
  }
  if ('broken' in outcome) {
    output.error(`  BROKEN ${outcome.broken}`);
    return;
  }
  const { counts, faults, remarks, checks } = outcome;
  output.line(
    `  client: acknowledged ${counts.acknowledged} (${counts.repeated} again); attempts refused ${counts.refused}, unknown ${counts.unknown}; given up ${counts.leftRefused + counts.leftUnknown}`,
  );
  const happened = Object.entries(faults).map(([fault, times]) => `${fault} ${times}`);
  output.line(`  faults: ${happened.join(', ')}`);
  for (const remark of remarks) output.line(`  note: ${remark}`);
  const rows = checks.map((check) => ({ ...check, ok: check.ok ? 'ok' : 'BREACH' }));
  const shown = rows.filter((row) => row.invariant === 'bar' || row.ok !== 'ok');
  const columns = [left('invariant'), left('check'), right('found'), right('expected'), left('ok')];
  for (const line of formatTable(columns, shown)) output.line(`    ${line}`);
  const held = Object.keys(INVARIANTS)
    .map((name) => [name, checks.filter(({ invariant }) => invariant === name)] as const)
    .map(
      ([name, own]) =>
        `${name} ${own.length === 0 ? '-' : own.every(({ ok }) => ok) ? 'ok' : 'BREACH'}`,
    );
  output.line(`  ${held.join('  ')}`);
}

type Table = {
  /** The name of a scenario. */
  readonly head: string;
  readonly texts?: readonly string[];
  readonly figures: readonly string[];
  /** Members beside the balance. */
  readonly rowOf: (report: Report) => Row;
};

/** A row each, with its verdict. */
export function printTable(
  output: Output,
  outcomes: readonly Outcome[],
  { head, texts = [], figures, rowOf }: Table,
): void {
  const toRow = (outcome: Outcome): Row => {
    const row = { [head]: outcome.scenario };
    if ('notRun' in outcome) return { ...row, verdict: `not run: ${outcome.notRun}` };
    if ('broken' in outcome) return { ...row, verdict: 'BROKEN' };
    const verdict = isBreached(outcome) ? 'BREACH' : 'ok';
    return { ...row, ...outcome.balance, ...rowOf(outcome), verdict };
  };
  const columns = [...[head, ...texts].map(left), ...figures.map(right), left('verdict')];
  output.line();
  output.table(columns, outcomes.map(toRow));
}

/** Returns the exit code. */
export function printSummary(output: Output, outcomes: readonly Outcome[]): number {
  printTable(output, outcomes, {
    head: 'scenario',
    figures: [
      ...['accepted', 'scored', 'dead_lettered', 'pending', 'lost', 'doubled'],
      ...['recovery_s', 'faults', 'seconds'],
    ],
    rowOf: ({ faults, recoverySeconds, seconds }) => ({
      faults: Object.values(faults).reduce((sum, times) => sum + times, 0),
      recovery_s: recoverySeconds.toFixed(1),
      seconds: seconds.toFixed(0),
    }),
  });
  const breached = outcomes.filter(isFailed);
  const notRun = outcomes.filter((one) => 'notRun' in one);
  output.line();
  output.line(
    `${outcomes.length - breached.length - notRun.length} held, ${breached.length} breached, ${notRun.length} not run`,
  );
  if (breached.length > 0) return EXIT.failed;
  return notRun.length > 0 ? EXIT.notRun : EXIT.fine;
}

const isFailed = (one: Outcome) => 'broken' in one || ('checks' in one && isBreached(one));

export function isBreached({ checks }: Extract<Outcome, { readonly checks: unknown }>): boolean {
  return checks.some(({ ok }) => !ok);
}

/** Exit code where a machine that lacks what a scenario needs skips it, which is a failure where CI is set. */
export function exitUnlessSkipped(outcomes: readonly Outcome[]): number {
  const isSkipFatal = (process.env['CI'] ?? '') !== '';
  const isBad = (one: Outcome) => isFailed(one) || (isSkipFatal && 'notRun' in one);
  return outcomes.some(isBad) ? EXIT.failed : EXIT.fine;
}

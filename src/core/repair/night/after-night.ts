/** After a night: a policy ends that has caught fewer frauds than the rules do among as many alerts of the two newest matured weeks. */
import { recordChange } from '../../../kit/audit/audit-log.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { engineOf } from '../../../kit/words/principal.ts';
import { type Control, nameOf } from '../../domain/control.ts';
import { MODEL } from '../../domain/corridor.ts';
import type { Figures, Week } from '../../score/scorecard/weeks.ts';
import { changeControls, readControls } from '../../store/controls/controls.ts';
import { findHead, readTable } from '../../store/scorecards/scorecards.ts';

/** Fewer: the accidents of a week end a policy. More: a worse policy decides for longer. */
const [WEEKS, FRAUDS_MIN] = [2, 100];

/** @param day of the table that tells the weeks */
export async function endWorse(
  database: Pick<Database, 'query' | 'transaction'>,
  day: number,
): Promise<void> {
  const policies = (await readControls(database)).inForce.get('scorecard');
  const head = policies && (await findHead(database.query, day));
  const stored = head && (await readTable(database.query, head.serial));
  for (const control of policies?.values() ?? []) {
    const why = whyWorse(stored?.table.weeks ?? [], control.scope.slice(MODEL.length));
    if (why !== undefined) await endPolicy(database, control, why);
  }
}

function whyWorse(weeks: readonly Week[], policy: string): string | undefined {
  const own = weeks.slice(-WEEKS).flatMap(({ policies }) => policies.get(policy) ?? []);
  const sum = (of: (week: Figures) => number) => own.reduce((total, week) => total + of(week), 0);
  const [caught, byRules] = [sum(({ decided }) => decided.caught), sum(({ byRisk }) => byRisk)];
  if (sum(({ frauds }) => frauds) < FRAUDS_MIN || caught >= byRules) return undefined;
  const alerts = sum((week) => week.alerts);
  return `of ${alerts} alerts of two weeks ${caught} were frauds; the rules catch ${byRules} among as many`;
}

/** A control that somebody has changed meanwhile stays. */
const endPolicy = (database: Parameters<typeof endWorse>[0], control: Control, reason: string) =>
  changeControls(database, false, async (query, { inForce }, { end }) => {
    const before = inForce.get('scorecard')?.get(control.scope);
    if (before?.version !== control.version) return;
    await end(control);
    await recordChange(query, engineOf('risk nights'), {
      action: 'control.end',
      subject: nameOf(control),
      before,
      after: { value: null, reason },
    });
  });

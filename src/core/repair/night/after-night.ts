/**
 * After a night: ends policies that caught fewer frauds in the two newest matured weeks than the rules would with as many alerts, and rolls
 * back trees that caught fewer frauds than the scorecard.
 */
import { recordChange } from '../../../kit/audit/audit-log.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { rowsOf } from '../../../kit/database/statement.ts';
import { engineOf } from '../../../kit/words/principal.ts';
import { type Control, nameOf } from '../../domain/control.ts';
import { MODEL } from '../../domain/corridor.ts';
import type { Figures, Week } from '../../score/scorecard/weeks.ts';
import { changeControls, readControls } from '../../store/controls/controls.ts';
import { MODELS, takeBack } from '../../store/rollouts/rollouts.ts';
import { findHead, readTable } from '../../store/scorecards/scorecards.ts';

/** Fewer: the chance of a week ends a policy. More: a worse policy decides for longer. */
const [WEEKS, FRAUDS_MIN] = [2, 100];

const listTrees = rowsOf<{ corridor: string; subject: string; model: string }>(
  'list-deciding-trees',
  `select corridor, model_id as subject, model
     from (select distinct on (corridor, model_id) * from market.rollouts order by corridor, model_id, rollout_id desc) r
     join market.models using (model_id) where card ? 'under' and state in ('canary', 'active')`,
);

const PROCESS = 'risk nights';

/** @param day of the table that has the figures of the weeks */
export async function endWorse(
  database: Pick<Database, 'query' | 'transaction'>,
  day: number,
): Promise<void> {
  const policies = (await readControls(database)).inForce.get('scorecard');
  // Without a policy nothing decides by the scorecard.
  const head = policies && (await findHead(database.query, day));
  const stored = head && (await readTable(database.query, head.serial));
  const weeks = stored?.table.weeks ?? [];
  for (const control of policies?.values() ?? []) {
    const why = whyWorse(weeks, control.scope.slice(MODEL.length), 'rules');
    if (why !== undefined) await endPolicy(database, control, why);
  }
  for (const { corridor, subject, model } of await listTrees(database.query)) {
    const why = whyWorse(weeks, model, 'scorecard');
    if (why !== undefined) await takeBack(MODELS, database, PROCESS, { corridor, subject, why });
  }
}

function whyWorse(
  weeks: readonly Week[],
  name: string,
  others: 'rules' | 'scorecard',
): string | undefined {
  const own = weeks.slice(-WEEKS).flatMap(({ policies }) => policies.get(name) ?? []);
  const sum = (of: (week: Figures) => number) => own.reduce((total, week) => total + of(week), 0);
  const caught = sum(({ decided }) => decided.caught);
  const more = sum(({ byRisk, scorecard }) => (others === 'rules' ? byRisk : scorecard.caught));
  if (sum(({ frauds }) => frauds) < FRAUDS_MIN || caught >= more) return undefined;
  const alerts = sum((week) => week.alerts);
  return `in two weeks ${caught} of ${alerts} alerts were frauds; as many alerts by the ${others} had ${more}`;
}

/** A control that somebody has changed meanwhile stays. */
const endPolicy = (database: Parameters<typeof endWorse>[0], control: Control, reason: string) =>
  changeControls(database, false, async (query, { inForce }, { end }) => {
    const before = inForce.get('scorecard')?.get(control.scope);
    if (before?.version !== control.version) return;
    await end(control);
    await recordChange(query, engineOf(PROCESS), {
      action: 'control.end',
      subject: nameOf(control),
      before,
      after: { value: null, reason },
    });
  });

/** Events: models that drift much, each once a UTC day; the newest table while it waits for people; trees ahead of the scorecard. */
import type { EventSource } from '../../core/events.ts';
import { textOfDay } from '../../core/score/scorecard/day-table.ts';
import { listHeads } from '../../core/store/scorecards/scorecards.ts';
import { toWaitingEvents } from '../../kit/approvals/approvals.ts';
import type { Query } from '../../kit/database/pool.ts';
import { APPROVING_ROLES, ENGINE } from '../../kit/words/principal.ts';
import { DAY_MS } from '../../kit/words/range.ts';
import { findAhead } from './store/trees.ts';
import { listWatchReports } from './store/watch-reports.ts';
import { decides } from './watch-report.ts';

export const events: readonly EventSource[] = [
  {
    type: 'alert.raised',
    find: async (query, nowMs) => {
      const reports = await listWatchReports(query, nowMs);
      return reports
        .filter((report) => decides(report) && report.level === 'alert')
        .map(({ model, watched_at, score, features }) => ({
          id: `alert_drift_${model.replaceAll('.', '-')}_${watched_at.slice(0, 10)}`,
          type: 'alert.raised',
          at: new Date(watched_at),
          data: {
            alert: 'model_drift',
            model,
            watched_at,
            psi: score.psi,
            features: features
              .filter(({ level }) => level === 'alert')
              .map(({ feature }) => feature),
          },
        }));
    },
  },
  {
    type: 'approval.waiting',
    find: async (query, nowMs) =>
      await toWaitingEvents(query, [
        ...(await findWaitingTable(query, nowMs)),
        ...(await findTreesAhead(query)),
      ]),
  },
];

async function findWaitingTable(query: Query, nowMs: number) {
  const [newest] = await listHeads(query, Math.floor(nowMs / DAY_MS) + 1, 1);
  if (newest === undefined || newest.isTaken || newest.inUse) return [];
  const [subject, { differs }] = [textOfDay(newest.day), newest];
  const share = differs === null ? null : `${(100 * differs).toFixed(2)} %`;
  const reason = share && `${share} of the last day's verdicts differ`;
  const next = `Two people take it: risk scorecard take ${subject}.`;
  const said = { action: 'scorecard-table', subject, reason, who: ENGINE, next };
  const event = { id: `scorecard_${subject}`, at: new Date(newest.builtAt) };
  return [{ event, said, roles: APPROVING_ROLES, except: null }];
}

async function findTreesAhead(query: Query) {
  const found = await findAhead(query);
  return found.map(({ model, at, frauds, trees, scorecard }) => ({
    event: { id: `trees_ahead_${model}`, at },
    said: {
      ...{ action: 'model-rollout', subject: model, who: ENGINE },
      reason: `Of ${frauds} frauds of two weeks the trees caught ${trees}, and the scorecard ${scorecard} by as many alerts`,
      next: `A person proposes them: risk models promote ${model} --corridor CORRIDOR --to canary:5.`,
    },
    ...{ roles: APPROVING_ROLES, except: null },
  }));
}

/** Alerts of models whose scores or features have drifted much: one event a model and UTC day. */
import type { EventSource } from '../../core/events.ts';
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
];

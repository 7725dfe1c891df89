import { commandOf } from '../../kit/command/rows.ts';

export const command = commandOf({
  name: 'workers',
  summary: 'Shows which workers live, how fast they score and what they hold.',
  notes: `No row: no worker lives, and bin/risk worker starts one. A silent worker was killed, frozen or cut off; what it holds is taken over after RISK_CLAIM_IDLE_MS.

Example: risk workers`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    '': {
      operation: 'listWorkers',
      columns: [
        ...['worker', 'state', 'started_at', 'seen_at', 'version'],
        ...['scored_per_second', 'pending', 'corridors'],
      ],
    },
  },
});

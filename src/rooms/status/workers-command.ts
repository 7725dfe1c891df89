import { commandOf } from '../../kit/command/rows.ts';

/** The process id that the name of a worker has, on the host that the name begins with. */
const pidOf = (worker: unknown) => /-(\d+)-[0-9a-f]+$/.exec(String(worker))?.[1];

export const command = commandOf({
  name: 'workers',
  summary: 'Lists the workers with their state, rate and pending entries.',
  notes: `If no row is listed, no worker runs; bin/risk worker starts one. A silent worker was killed, frozen or cut off; other workers take over its entries after RISK_CLAIM_IDLE_MS.

Example: risk workers`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    '': {
      operation: 'listWorkers',
      columns: [
        'worker',
        'pid',
        'state',
        'started_at',
        'seen_at',
        'version',
        'scored_per_second',
        'pending',
        'corridors',
      ],
      tell: (row) => ({ ...row, pid: pidOf(row['worker']) }),
    },
  },
});

/** Tells other systems what waits for a second person. */
import type { EventSource } from '../../core/events.ts';
import { listWaiting } from '../../kit/approvals/approvals.ts';

/** Approvals of one reading; readings come every 10 s. */
const WAITING_MAX = 500;

export const events: readonly EventSource[] = [
  {
    kind: 'watched',
    type: 'approval.waiting',
    find: async (query) =>
      (await listWaiting(query, WAITING_MAX)).map(({ recipients, ...approval }) => ({
        id: `approval_${approval.approval_id}`,
        type: 'approval.waiting',
        at: new Date(approval.proposed_at),
        data: { approval, recipients },
      })),
  },
];

/** Tells other systems what waits for a second person. */
import type { EventSource } from '../../core/events.ts';
import { listApprovals, toWaitingEvents } from '../../kit/approvals/approvals.ts';
import { APPROVING_ROLES } from '../../kit/words/principal.ts';

/** Approvals of one reading; readings come every 10 s. */
const WAITING_MAX = 500;

export const events: readonly EventSource[] = [
  {
    type: 'approval.waiting',
    find: async (query) => {
      const waiting = await listApprovals(query, undefined, undefined, 'waiting', WAITING_MAX);
      const toWaiting = (approval: (typeof waiting)[number]) => ({
        event: { id: `approval_${approval.approval_id}`, at: new Date(approval.proposed_at) },
        said: {
          action: approval.kind,
          subject: approval.subject,
          reason: approval.reason,
          who: approval.proposed_by,
          next: `Another person confirms it: risk approvals confirm ${approval.approval_id}.`,
          approval,
        },
        roles: APPROVING_ROLES,
        except: approval.proposed_by,
      });
      return await toWaitingEvents(query, waiting.map(toWaiting));
    },
  },
];

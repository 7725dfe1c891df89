/** Tells checkpoints to webhooks, so that subscribers witness the log's history. */
import type { EventSource } from '../../core/events.ts';
import { anyOf, rowsOf } from '../../kit/database/statement.ts';

type Told = {
  readonly logId: number;
  readonly origin: string;
  readonly size: number;
  readonly checkpoint: string;
  readonly at: Date;
};
const take = rowsOf<Told, [rowsMax: number]>(
  'take-checkpoint-intake',
  `delete from market.checkpoint_intake i using market.evidence_logs l
    where l.log_id = i.log_id
      and i.intake_id in (select intake_id from market.checkpoint_intake order by intake_id limit $1)
   returning i.log_id as "logId", l.origin, i.size::float8 as size, i.checkpoint, i.signed_at as at`,
);

export const events: readonly EventSource[] = [
  {
    kind: 'waiting',
    type: 'evidence.checkpoint',
    has: anyOf('has-checkpoint-intake', 'from market.checkpoint_intake'),
    take: async (query, rowsMax) =>
      (await take(query, rowsMax)).map(({ logId, origin, size, checkpoint, at }) => ({
        id: `checkpoint_${logId}_${size}`,
        type: 'evidence.checkpoint',
        at,
        data: { origin, size, checkpoint },
      })),
  },
];

/** Transactions whose verdict a webhook takes, named by the statement that stores their scores. */
import { takersOf } from '../../../core/events.ts';
import type { ScoredStatement } from '../../../core/store/scores/score-values.ts';
import { anyOf } from '../../../kit/database/statement.ts';

const TAKERS = takersOf('transaction.decided');

export const hasHooked = anyOf('has-webhook-intake', 'from market.webhook_intake');

/** Adds a row for those of the scores whose verdict a webhook takes. Without a webhook, the scores are not looked at. */
export const addHooked: ScoredStatement = {
  name: 'add-webhook-intake',
  insert: ({ ids, verdicts }) => `insert into market.webhook_intake (transaction_ids)
      select array_agg(transaction_id)
        from unnest(${ids}::uuid[], ${verdicts}::text[]) as decided (transaction_id, verdict)
       where exists (select ${TAKERS}) and verdict in (select unnest(verdicts) ${TAKERS})
      having count(*) > 0`,
  toValue: null,
};

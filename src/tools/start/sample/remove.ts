/** Statements that take the sample out of tables of by-products, which a retention or a correction may change, too. */
import { rowsOf } from '../../../kit/database/statement.ts';

/** Corridors in which a model decides now. */
export const listDeciding = rowsOf<{ corridor: string }, [model: string]>(
  'list-corridors-decided',
  `select corridor from (
     select distinct on (r.corridor) r.* from market.model_rollouts r join market.models m using (model_id)
      where m.model = $1 order by r.corridor, r.rollout_id desc) newest
    where state in ('canary', 'active') and coalesce(ends_at > now(), true)`,
);

/** Cases of the transactions that were posted with these keys, notes and files with them. */
export const deleteCases = rowsOf<object, [keys: readonly string[]]>(
  'delete-sample-cases',
  `delete from market.review_cases c
    using unnest($1::text[]) key
     join market.idempotency_keys k on k.digest = market.idempotency_digest('default', key)
    where c.transaction_id = k.transaction_id returning 1`,
);

/** The sample imports its rates at one time, where there are no others; a rate that somebody corrected has a later one. */
export const deleteRates = rowsOf<object, [currencies: readonly string[], usd: readonly string[]]>(
  'delete-sample-rates',
  `delete from market.exchange_rates r using unnest($1::text[], $2::numeric[]) s (currency, usd)
    where r.currency = s.currency and r.usd = s.usd
      and r.imported_at = (select min(imported_at) from market.exchange_rates) returning 1`,
);

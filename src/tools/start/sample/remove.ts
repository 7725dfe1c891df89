/** Statements that remove the sample from tables whose rows a retention or a correction may also change. */
import { rowsOf } from '../../../kit/database/statement.ts';

/** Corridors in which a model decides now. */
export const listDeciding = rowsOf<{ corridor: string }, [model: string]>(
  'list-corridors-decided',
  `select corridor from (
     select distinct on (r.corridor) r.* from market.rollouts r join market.models m using (model_id)
      where m.model = $1 order by r.corridor, r.rollout_id desc) newest
    where state in ('canary', 'active') and coalesce(ends_at > now(), true)`,
);

/** Deletes the cases of the transactions with these keys, together with notes and files. */
export const deleteCases = rowsOf<object, [keys: readonly string[]]>(
  'delete-sample-cases',
  `delete from market.review_cases c
    using unnest($1::text[]) key
     join market.idempotency_keys k on k.digest = market.idempotency_digest('default', key)
    where c.transaction_id = k.transaction_id returning 1`,
);

/** The first import of a market with the sample is the sample's. Rates that somebody corrected have a later time and stay. */
export const deleteRates = rowsOf<object, [currencies: readonly string[], usd: readonly string[]]>(
  'delete-sample-rates',
  `delete from market.exchange_rates r using unnest($1::text[], $2::numeric[]) s (currency, usd)
    where r.currency = s.currency and r.usd = s.usd
      and r.imported_at = (select min(imported_at) from market.exchange_rates) returning 1`,
);

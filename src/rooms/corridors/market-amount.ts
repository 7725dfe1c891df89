/** An amount of the market's currency, as people set it for payments in every currency. */
import { onlyOf } from '../../kit/database/statement.ts';

type MarketAmount = {
  readonly currency: string;
  readonly amounts: Readonly<Record<string, number>>;
};

/** Largest amount that the name of a rule set has room for; no payment is as large. */
const AMOUNT_MAX = 999_999_999_999_999;

/** The amount in its own currency, and in each other one by the newest exchange rates, rounded down. */
export const readMarketAmount = onlyOf<MarketAmount, [amount: string]>(
  'read-market-amount',
  `with own as (
     select policy ->> 'currency' as currency from market.review_policies order by version desc limit 1
   ), dollars as (
     (select distinct on (currency) currency, usd from market.exchange_rates
       where day <= (now() at time zone 'UTC')::date order by currency, day desc)
     union all select 'USD', 1
   )
   select own.currency,
          (select coalesce(jsonb_object_agg(other.currency, least(trunc($1::numeric * its.usd / other.usd, 2), ${AMOUNT_MAX})), '{}')
             from dollars its cross join dollars other where its.currency = own.currency)
          || jsonb_build_object(own.currency, $1::numeric) as amounts
     from own`,
);

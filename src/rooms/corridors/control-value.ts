/** Values of controls; an amount counts in every currency. */
import { type ControlValue, type Kind, kindOf } from '../../core/domain/control-kinds.ts';
import type { Query } from '../../kit/database/pool.ts';
import { onlyOf } from '../../kit/database/statement.ts';

/** Fields of a value, as a change gives them; an amount is a decimal string. */
type Given = Pick<
  ControlValue,
  'points' | 'rate_per_second' | 'burst' | 'received_days' | 'disputes' | 'sources'
> & {
  readonly from_amount?: string | undefined;
};

/** An amount of the market's currency, as people set it for payments in every currency. */
type MarketAmount = Required<Pick<ControlValue, 'currency' | 'amounts'>>;

/** Largest amount that the name of a rule set has room for; no payment is as large. */
const AMOUNT_MAX = 999_999_999_999_999;

/** The amount in its own currency, and in each other currency by the newest exchange rates, rounded down. */
const readMarketAmount = onlyOf<MarketAmount, [amount: string]>(
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

/** The value of a control of the kind, as the command has it. */
export async function makeValue(kind: Kind, command: Given, query: Query) {
  const { fields } = kindOf(kind);
  if (fields.length === 0) return null;
  const { points, from_amount: amount, rate_per_second, burst } = command;
  const { received_days, disputes, sources } = command;
  if (received_days !== undefined) return { received_days };
  if (disputes !== undefined) return { disputes, sources };
  if (amount === undefined) return points === undefined ? { rate_per_second, burst } : { points };
  return { from_amount: Number(amount), ...(await readMarketAmount(query, amount)) };
}

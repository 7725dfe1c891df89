-- Locks review_policies and review_cases for a moment each: policies are few, and no row of a case is rewritten. Until the last
-- process of an older build has ended, its steps on cases fail, and it opens no case: the intake waits for the next worker.

-- transaction: policies say in which currency amounts compare
alter table review_policies disable trigger review_policies_never_change;
update review_policies set policy = policy - 'four_eyes_amount_usd' || jsonb_build_object(
  'currency', 'USD',
  'four_eyes_amount', policy -> 'four_eyes_amount_usd',
  'priorities', (
    select jsonb_agg(
             case when rule ? 'amount_usd_above'
                  then rule - 'amount_usd_above' || jsonb_build_object('amount_above', rule -> 'amount_usd_above')
                  else rule end
             order by position)
      from jsonb_array_elements(policy -> 'priorities') with ordinality as rules (rule, position)));
alter table review_policies
  enable trigger review_policies_never_change,
  add constraint policy_names_its_currency
    check ((policy ->> 'currency' ~ '^[A-Z]{3}$' and policy ? 'four_eyes_amount') is true);

-- transaction: cases keep the currency that they were compared in
alter table review_cases rename column amount_usd to market_amount;
alter table review_cases add column market_currency text not null default 'USD';
alter table review_cases alter column market_currency drop default;
comment on column review_cases.market_currency is 'The currency of the policy that placed the case.';
comment on column review_cases.market_amount is
  'The amount in market_currency by the rates of rate_day, the newest day up to that of the transaction on which both currencies have one; null where there is none.';

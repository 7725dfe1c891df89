-- Counts all labels, and the reasons of all scores, once, and locks none of them while it does. What older processes store
-- from then on is not counted: `risk verify tallies --repair` adds it once they are gone. Each step may be repeated.

-- transaction: outcomes
comment on table daily_tallies is
  'Transactions, scores and their reasons, labels and dead letters by day. A figure is the sum of these rows and those of daily_increments.';
comment on column daily_increments.outcome is
  'accepted: transactions; a verdict: scores; fraud, legitimate: transactions whose deciding label it is; a reason code: scores that have this reason; dead_lettered: transactions that ended as a dead letter which is not replayed; dead_letter: dead letters neither replayed nor purged.';
comment on column daily_increments.currency is 'XXX where there is none, as of reasons and dead letters.';
comment on table total_tallies is
  'The same over all days, so that a total costs the same however many days there are. Labels and reasons have no total.';

-- step: labels that are stored already
do $$
begin
  if exists (select from daily_increments where outcome in ('fraud', 'legitimate'))
     or exists (select from daily_tallies where outcome in ('fraud', 'legitimate')) then return; end if;
  insert into daily_increments (day, corridor, currency, outcome, count, amount, score_sum)
  select (created_at at time zone 'UTC')::date, t.corridor, t.currency, l.label, count(*), sum(t.amount), 0
    from (select distinct on (transaction_id, created_at) transaction_id, created_at, label
            from labels order by transaction_id, created_at, labelled_at desc, label) l
    join transactions t using (transaction_id, created_at) group by 1, 2, 3, 4;
end $$;

-- step: reasons that are stored already
do $$
begin
  if exists (select from daily_increments where outcome ~ '^[A-Z]')
     or exists (select from daily_tallies where outcome ~ '^[A-Z]') then return; end if;
  insert into daily_increments (day, corridor, currency, outcome, rule_set, count, amount, score_sum)
  select (created_at at time zone 'UTC')::date, corridor, 'XXX', reason ->> 'code', rule_set, count(*), 0, 0
    from scores cross join jsonb_array_elements(reasons) reason group by 1, 2, 4, 5;
end $$;

-- Counts all transactions, scores and dead letters once, and locks none of them while it does. What older processes store
-- from then on is not counted: `risk verify tallies --repair` adds it once they are gone. Each step may be repeated.

-- step: tables
create table if not exists daily_increments (
  day date not null,
  corridor text not null,
  currency text not null,
  outcome text not null,
  rule_set text,
  model text,
  count bigint not null,
  amount numeric not null,
  score_sum bigint not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
comment on table daily_increments is
  'What a statement adds to the daily tallies, written by the same statement that stores the rows it counts. A worker adds it to daily_tallies and total_tallies and deletes it.';
comment on column daily_increments.day is 'UTC day of created_at; of a dead letter, of failed_at.';
comment on column daily_increments.outcome is
  'accepted: transactions; a verdict: scores; dead_lettered: transactions that ended as a dead letter which is not replayed; dead_letter: dead letters neither replayed nor purged.';
comment on column daily_increments.currency is 'XXX where there is none, as of dead letters.';
comment on column daily_increments.amount is 'Sum of the amounts of these transactions.';

create table if not exists daily_tallies (
  like daily_increments,
  constraint daily_tallies_key unique nulls not distinct (day, corridor, currency, outcome, rule_set, model)
);
comment on table daily_tallies is
  'Transactions, scores and dead letters by day. A figure is the sum of these rows and those of daily_increments.';

create table if not exists total_tallies (
  corridor text not null,
  outcome text not null,
  count bigint not null,
  constraint total_tallies_pkey primary key (corridor, outcome)
);
comment on table total_tallies is 'The same over all days, so that a total costs the same however many days there are.';

create table if not exists tally_merge (
  only_row boolean constraint tally_merge_pkey primary key default true constraint one_row check (only_row),
  emptied_at timestamptz(3) not null
);
comment on table tally_merge is 'Locked by the worker that merges increments.';
comment on column tally_merge.emptied_at is 'What was committed before it is in daily_tallies and total_tallies.';
insert into tally_merge (emptied_at) values (now()) on conflict do nothing;

-- step: what is stored already
do $$
begin
  if exists (select from daily_increments) or exists (select from daily_tallies) then return; end if;
  insert into daily_increments (day, corridor, currency, outcome, count, amount, score_sum)
  select (created_at at time zone 'UTC')::date, corridor, currency, 'accepted', count(*), sum(amount), 0
    from transactions group by 1, 2, 3;
  insert into daily_increments
  select (s.created_at at time zone 'UTC')::date, s.corridor, coalesce(t.currency, 'XXX'), s.verdict, s.rule_set, s.model,
         count(*), coalesce(sum(t.amount), 0), sum(s.score)
    from scores s left join transactions t using (transaction_id, created_at) group by 1, 2, 3, 4, 5, 6;
  insert into daily_increments (day, corridor, currency, outcome, count, amount, score_sum)
  select (failed_at at time zone 'UTC')::date, corridor, 'XXX', outcome, count(*), 0, 0
    from dead_letters
   cross join lateral (values ('dead_lettered', replayed_at is null and transaction_id is not null),
                              ('dead_letter', replayed_at is null and purged_at is null)) o (outcome, is_counted)
   where is_counted group by 1, 2, 4;
end $$;

-- step: dead letters are few and several statements change them, so a trigger counts what each of them changed
create or replace function tally_dead_letters() returns trigger language plpgsql as $$
begin
  if tg_op <> 'INSERT' then
    insert into daily_increments (day, corridor, currency, outcome, count, amount, score_sum)
    select (failed_at at time zone 'UTC')::date, corridor, 'XXX', outcome, -count(*), 0, 0
      from removed
     cross join lateral (values ('dead_lettered', replayed_at is null and transaction_id is not null),
                                ('dead_letter', replayed_at is null and purged_at is null)) o (outcome, is_counted)
     where is_counted group by 1, 2, 4;
  end if;
  if tg_op <> 'DELETE' then
    insert into daily_increments (day, corridor, currency, outcome, count, amount, score_sum)
    select (failed_at at time zone 'UTC')::date, corridor, 'XXX', outcome, count(*), 0, 0
      from stored
     cross join lateral (values ('dead_lettered', replayed_at is null and transaction_id is not null),
                                ('dead_letter', replayed_at is null and purged_at is null)) o (outcome, is_counted)
     where is_counted group by 1, 2, 4;
  end if;
  return null;
end $$;
create or replace trigger dead_letters_tallied_insert after insert on dead_letters
  referencing new table as stored for each statement execute function tally_dead_letters();
create or replace trigger dead_letters_tallied_update after update on dead_letters
  referencing old table as removed new table as stored for each statement execute function tally_dead_letters();
create or replace trigger dead_letters_tallied_delete after delete on dead_letters
  referencing old table as removed for each statement execute function tally_dead_letters();

-- Locks nothing. What was merged before counts as 0. A process of the version before merges without counting: until the last one
-- has ended, an answer of daily summaries in memory may miss a change of its days until its longest age.
create table tally_days (
  day date constraint tally_days_pkey primary key,
  increments bigint not null
) with (fillfactor = 50);
comment on table tally_days is
  'How many rows of daily_increments were ever merged into the tallies of a day. With those not merged yet it is the version of the figures of the day.';

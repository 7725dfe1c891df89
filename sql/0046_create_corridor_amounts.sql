-- Amounts of corridors by day, for the rule on amounts beyond all others of their corridor.
-- Makes new tables, reads one row of transactions, and locks nothing.

create table amount_counts (
  day date not null,
  corridor text not null,
  currency text not null,
  bucket smallint not null,
  count bigint not null,
  constraint amount_counts_pkey primary key (day, corridor, currency, bucket)
);
comment on table amount_counts is
  'Scored transactions that were not declined, by UTC day of created_at and by amount.';
comment on column amount_counts.bucket is
  'Amounts above 10 ^ ((bucket - 1) / 100) and up to 10 ^ (bucket / 100) units of the currency.';

create table amount_checkpoint (
  only_row boolean constraint amount_checkpoint_pkey primary key default true constraint one_row check (only_row),
  counted_to timestamptz(3) not null
);
comment on table amount_checkpoint is 'Transactions created before counted_to are in amount_counts.';
insert into amount_checkpoint (counted_to)
select date_trunc('day', greatest(least((select created_at from transactions order by transaction_id limit 1), now()),
                                  now() - interval '90 days'), 'UTC');

create table amount_percentiles (
  day date not null,
  corridor text not null,
  currency text not null,
  amount double precision not null,
  transactions bigint not null,
  written_at timestamptz(3) not null default now(),
  constraint amount_percentiles_pkey primary key (day, corridor),
  constraint percentile_of_an_amount check (amount > 0 and amount < 'Infinity')
);
comment on table amount_percentiles is
  'The 99.99th percentile of a corridor''s amounts of the 90 days before a UTC day, in the currency of the market; none below 10,000 transactions.';
create trigger amount_percentiles_never_change before update or delete or truncate on amount_percentiles
  for each statement execute function refuse_change();

-- An open row lives until its work is done: open rows replace open batches, the checkpoint and the proofs of streams.

-- transaction: opens rows for what is neither scored nor dead, once no process of an older release is connected
do $$
begin
  if exists (select from pg_stat_activity
              where datname = current_database() and pid <> pg_backend_pid()
                and application_name ~ '^risk-(api|worker|reconcile)(-probe)?$') then
    raise exception using
      errcode = 'object_in_use',
      message = 'processes of an older release are connected: stop them, then migrate',
      hint = 'select pid, application_name, client_addr from pg_stat_activity where application_name like ''risk-%''';
  end if;
end $$;

create table open_rows (
  row_id uuid constraint open_rows_pkey primary key,
  opened_at timestamptz(3) not null,
  corridor text not null,
  shard smallint not null,
  is_left boolean not null default false,
  is_migrated boolean not null default false,
  transaction_ids uuid[] not null,
  constraint open_ids_bounded check (cardinality(transaction_ids) between 1 and 128)
);
comment on table open_rows is
  'One row per stream entry: its transactions that have neither a score nor a dead letter. Ends when it is empty. The reconciler appends a row that no entry names.';
comment on column open_rows.opened_at is 'By Postgres'' clock; of transactions that came with it, their received_at.';
comment on column open_rows.is_left is 'Whether it is known not to be in a stream.';
comment on column open_rows.is_migrated is
  'Whether the migration has opened it: entries of version 2, which name no row, may carry its transactions.';
-- A look at a row should find its ids there: TOAST would take two more rows and an index for them.
alter table open_rows alter column transaction_ids set storage plain;
-- The table keeps the pages below for ever, so that no plan that is made while it is empty reads all of it when it is full.
alter table open_rows set (vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
insert into open_rows (row_id, opened_at, corridor, shard, transaction_ids)
select gen_random_uuid(), now(), 'XX-XX', 0, array_fill(gen_random_uuid(), array[128]) from generate_series(1, 300);
delete from open_rows;
create index open_rows_left_idx on open_rows (corridor, shard, opened_at, row_id) where is_left;

create table open_increments (ids integer not null);
comment on table open_increments is
  'What statements add to the number of open ids: their sum is the number of transactions that are pending. A worker makes one row of many.';
alter table open_increments set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

with known as (
  select transaction_id from ingest_batches, unnest(transaction_ids) as transaction_id
  union
  select transaction_id from dead_letters
   where transaction_id is not null and replayed_at >= (select checkpoint from reconcile_state)
), found as (
  select transaction_id, created_at, corridor from transactions
   where received_at >= (select checkpoint from reconcile_state)
  union
  select t.transaction_id, t.created_at, t.corridor from known join transactions t using (transaction_id)
), open as (
  select transaction_id, corridor,
         (row_number() over (partition by corridor order by created_at, transaction_id) - 1) / 128 as part
    from found f
   where not exists (select from scores s
                      where s.transaction_id = f.transaction_id and s.created_at = f.created_at)
     and not exists (select from dead_letters d
                      where d.transaction_id = f.transaction_id and d.replayed_at is null)
)
insert into open_rows (row_id, opened_at, corridor, shard, is_migrated, transaction_ids)
select gen_random_uuid(), now(), corridor, 0, true, array_agg(transaction_id order by transaction_id)
  from open group by corridor, part;
insert into open_increments (ids) select sum(cardinality(transaction_ids)) from open_rows having count(*) > 0;

-- Readiness and breakers write here.
create table write_probe (
  only_row boolean constraint write_probe_pkey primary key default true constraint one_row check (only_row),
  written_at timestamptz(3) not null default now()
);
comment on table write_probe is 'One row, whose update proves that Postgres takes writes.';
insert into write_probe default values;

drop table ingest_batches;
drop table reconcile_state;
drop table stream_proofs;

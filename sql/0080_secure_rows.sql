-- Row level security on every table of the market: the owner and its members read as before, any other role reads the rows that a
-- policy gives it, whatever it was granted. Locks one table after another, each for a moment.

-- transaction: the tables that a step cannot lock, as its migration reads them meanwhile, and slices that are made from now on
alter table schema_migrations enable row level security;
alter table unfinished_migrations enable row level security;
create or replace function open_idempotency_slice() returns int
  language plpgsql set search_path from current as $$
  declare
    number int := floor(random() * 2147483647);
    name text := 'idempotency_keys_' || number;
  begin
    execute format('create table %I (like idempotency_keys, constraint %I primary key (digest))', name, name || '_pkey');
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I set (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 200000, autovacuum_analyze_scale_factor = 0.1)', name);
    execute format('alter table idempotency_keys attach partition %I for values in (%s)', name, number);
    insert into idempotency_slices (slice, opened_at) values (number, clock_timestamp());
    return number;
  end $$;

-- step: every table, with partitions and detached months
do $$
declare
  one regclass;
begin
  for one in
    select oid from pg_class
     where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relrowsecurity order by oid
  loop
    execute format('alter table %s enable row level security', one);
    commit;
  end loop;
end $$;

-- Locks shared.corridors for a moment.
alter table shared.corridors add column if not exists market text;
comment on column shared.corridors.market is
  'The one market whose transactions may name the corridor: a schema of this database. Null, or a schema that is gone: the first that asks gets it.';
comment on table shared.corridors is
  'Ordered pairs source country - destination country that transactions may name, and of which market. Written by migrate (seed and RISK_CORRIDORS).';
update shared.corridors set market = current_schema() where market is null;

do $$ begin
  execute format('create view corridors as select corridor from shared.corridors where market = %L', current_schema());
end $$;
comment on view corridors is 'Corridors of this market.';

-- A session's search_path is nobody's promise, and no statement of the engine needs one.
alter function tally_dead_letters() set search_path from current;
alter function open_idempotency_slice() set search_path from current;
alter function seal_idempotency_slice(int) set search_path from current;

-- Switches that stop scopes. Makes a table of one row, two functions, and a column whose constant default rewrites nothing.

create table switches (
  only_row boolean constraint switches_pkey primary key default true constraint one_row check (only_row),
  version bigint not null default 0,
  stopped jsonb not null default '{}'
    constraint scopes_bounded check (jsonb_typeof(stopped) = 'object' and length(stopped::text) <= 1000000)
);
comment on table switches is
  'One row. Each statement that stores scores locks the table in share mode until its commit, so a change of the row waits for such statements and later ones read it.';
comment on column switches.version is 'Ascends by one a change.';
comment on column switches.stopped is 'By scope: reason, message, stopped_by, stopped_at, ends_at (null: until somebody starts it).';
insert into switches default values;
create trigger switches_stay before delete or truncate on switches
  for each statement execute function refuse_change();

create function is_stopped(stopped jsonb, scope text) returns boolean
  language sql volatile as $$
  select stopped ? scope
     and coalesce((stopped -> scope ->> 'ends_at')::timestamptz, 'infinity') > clock_timestamp() $$;
comment on function is_stopped is 'Whether the column of that name says so now, by Postgres'' clock.';

create function stopped_among(asked text[]) returns text[]
  language plpgsql set search_path from current as $$
  declare
    now_stopped jsonb;
  begin
    lock table switches in share mode;
    -- A statement of its own sees what was committed before the lock was granted.
    select stopped into strict now_stopped from switches;
    if now_stopped = '{}' then return '{}'; end if;
    return array(select distinct corridor from unnest(asked) as corridor
                  where is_stopped(now_stopped, 'all') or is_stopped(now_stopped, 'market')
                     or is_stopped(now_stopped, 'corridor:' || corridor));
  end $$;
comment on function stopped_among is
  'Which of these corridors are stopped. Until the end of the transaction no switch changes.';

create function refuse_stopped(asked text[]) returns boolean
  language plpgsql set search_path from current as $$
  declare
    corridors text[] := stopped_among(asked);
  begin
    if corridors <> '{}' then
      raise exception 'corridors are stopped: %', array_to_string(corridors, ', ') using errcode = 'RS001';
    end if;
    return true;
  end $$;
comment on function refuse_stopped is 'True where none of these corridors is stopped; raises RS001 otherwise.';

alter table open_rows add column is_on_hold boolean not null default false;
comment on column open_rows.is_on_hold is
  'Whether a switch has stopped its scoring; the reconciler appends it once the switch has ended.';
create index open_rows_on_hold_idx on open_rows (corridor) where is_on_hold;

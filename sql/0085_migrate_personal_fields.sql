-- Migrations of markets that have clear values of a field. Makes two tables and three functions; no reader and no writer waits.

create table personal_migrations (
  migration_id bigint generated always as identity constraint personal_migrations_pkey primary key,
  fields text[] not null constraint migration_of_some check (cardinality(fields) between 1 and 16),
  reason text not null constraint migration_reason_bounded check (char_length(reason) between 1 and 500),
  step text not null default 'drain' constraint migration_step_known
    check (step in ('drain', 'rewrite', 'empty', 'validate', 'done', 'cancelled')),
  progress jsonb not null default '{}',
  begun_at timestamptz(3) not null default now(),
  ended_at timestamptz(3),
  constraint migration_end_whole check ((step in ('done', 'cancelled')) = (ended_at is not null))
);
alter table personal_migrations enable row level security;
comment on table personal_migrations is
  'Rewritings of clear values by tokens. While the step of a row is neither done nor cancelled, the market takes no transactions.';
comment on column personal_migrations.step is
  'The next step: wait for scores, rewrite tables, empty Redis, validate constraints.';
comment on column personal_migrations.progress is 'By table: the block from which its rewriting goes on, and rows rewritten so far.';
create unique index personal_migrations_open_key on personal_migrations ((true)) where ended_at is null;

create unlogged table personal_values (
  field text not null,
  digest bytea not null,
  value text not null,
  token text,
  constraint personal_values_pkey primary key (field, digest)
);
alter table personal_values enable row level security;
comment on table personal_values is
  'Clear values and their tokens, while a migration or a copy for tests runs; empty otherwise. Unlogged: neither the WAL nor a replica has them.';
comment on column personal_values.digest is 'SHA-256 of the value, as values are longer than an entry of an index may be.';
comment on column personal_values.value is 'Text of an id, or of a member of metadata as jsonb.';

-- Lists on the path are walked element by element, as src/core/domain/personal.ts does.
create function personal_members(of_value jsonb, path text[]) returns setof jsonb
  language plpgsql immutable parallel safe set search_path from current as $$
begin
  if jsonb_typeof(of_value) = 'array' then
    return query select member from jsonb_array_elements(of_value) as element, personal_members(element, path) as member;
  elsif jsonb_typeof(of_value) = 'object' and of_value ? path[1] then
    if cardinality(path) > 1 then
      return query select personal_members(of_value -> path[1], path[2:]);
    elsif of_value -> path[1] <> 'null' then
      return next of_value -> path[1];
    end if;
  end if;
end $$;
comment on function personal_members is 'Values at a path of metadata, without nulls.';

create function personal_metadata(of_value jsonb, of_field text, path text[]) returns jsonb
  language plpgsql stable parallel safe set search_path from current as $$
declare
  member jsonb;
  token_of_member text;
begin
  if jsonb_typeof(of_value) = 'array' then
    return (select coalesce(jsonb_agg(personal_metadata(element, of_field, path) order by nth), '[]')
              from jsonb_array_elements(of_value) with ordinality as one (element, nth));
  elsif jsonb_typeof(of_value) = 'object' and of_value ? path[1] then
    member := of_value -> path[1];
    if cardinality(path) > 1 then
      return jsonb_set(of_value, path[1:1], personal_metadata(member, of_field, path[2:]));
    elsif member <> 'null' then
      select token into token_of_member from personal_values
       where field = of_field and digest = sha256(convert_to(member::text, 'UTF8'));
      if token_of_member is not null then
        return jsonb_set(of_value, path[1:1], to_jsonb(token_of_member));
      end if;
    end if;
  end if;
  return of_value;
end $$;
comment on function personal_metadata is 'Metadata with tokens in place of the values at a path.';

create function refuse_while_migrating() returns trigger language plpgsql as $$
begin
  raise exception 'the market rewrites its personal data and takes no transactions'
    using errcode = 'configuration_limit_exceeded', hint = 'risk privacy migrate goes on with it';
end $$;
comment on function refuse_while_migrating is
  'Of a trigger on transactions while a migration is open: a process that has not read of the migration stores nothing either. Its SQLSTATE says that the same may pass later.';

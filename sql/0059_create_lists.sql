-- Lists of accounts, merchants, devices, addresses, countries and hashes. Makes tables here and in `shared`, and locks nothing that
-- exists.

-- Reference lists, of every market: the owner role writes them, and markets read them.

create table if not exists shared.reference_lists (
  name text constraint reference_lists_pkey primary key
    constraint reference_list_name check (name ~ '^shared-[a-z0-9][a-z0-9_-]{0,56}$'),
  effect text not null constraint effect_known check (effect in ('allow', 'block', 'watch')),
  kind text not null constraint kind_known
    check (kind in ('account', 'merchant', 'device', 'address', 'country', 'hash')),
  source text not null constraint source_bounded check (char_length(source) between 1 and 500),
  source_date date not null,
  version bigint not null default 1,
  bulk_version bigint not null default 1,
  open_entries integer not null default 0,
  created_by text not null,
  created_at timestamptz(3) not null default now()
);
comment on table shared.reference_lists is 'Lists that every market reads, as of sanctioned countries. Written by risk lists import --shared.';
comment on column shared.reference_lists.source is 'Who publishes the list.';
comment on column shared.reference_lists.source_date is 'As of when the source says so.';

create table if not exists shared.reference_entries (
  entry_id bigint generated always as identity constraint reference_entries_pkey primary key,
  list text not null constraint reference_entries_list_fkey references shared.reference_lists (name),
  value text not null constraint value_bounded check (char_length(value) between 1 and 128),
  addresses inet,
  reason text not null,
  expires_at timestamptz(3),
  added_by text not null,
  valid_from timestamptz(3) not null,
  valid_to timestamptz(3),
  ended_by text,
  constraint ended_by_somebody check ((valid_to is null) = (ended_by is null))
);
comment on table shared.reference_entries is 'History of reference lists: a row is never changed, it is ended.';
create unique index if not exists reference_entries_open_key on shared.reference_entries (list, value) where valid_to is null;
create index if not exists reference_entries_value_idx on shared.reference_entries (list, value);
create index if not exists reference_entries_list_idx on shared.reference_entries (list, entry_id);
create index if not exists reference_entries_addresses_idx on shared.reference_entries (list, addresses)
  where valid_to is null and addresses is not null;
create index if not exists reference_entries_network_idx on shared.reference_entries using gist (addresses inet_ops)
  where addresses is not null;

create or replace function shared.keep_reference_entry() returns trigger language plpgsql as $$
begin
  if tg_op <> 'UPDATE' or old.valid_to is not null
     or (new.entry_id, new.list, new.value, new.addresses, new.reason, new.expires_at, new.added_by, new.valid_from)
        is distinct from
        (old.entry_id, old.list, old.value, old.addresses, old.reason, old.expires_at, old.added_by, old.valid_from) then
    raise exception 'entries of lists are never changed, they are ended' using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
create or replace trigger reference_entries_stay before update or delete on shared.reference_entries
  for each row execute function shared.keep_reference_entry();

-- Lists of this market

create table lists (
  name text constraint lists_pkey primary key
    constraint list_name check (name ~ '^[a-z][a-z0-9_-]{0,63}$' and name not like 'shared-%'),
  effect text not null constraint effect_known check (effect in ('allow', 'block', 'watch')),
  kind text not null constraint kind_known
    check (kind in ('account', 'merchant', 'device', 'address', 'country', 'hash')),
  description text not null constraint description_bounded check (char_length(description) between 1 and 500),
  version bigint not null default 1,
  bulk_version bigint not null default 1,
  open_entries integer not null default 0,
  created_by text not null,
  created_at timestamptz(3) not null default now()
);
comment on table lists is 'Lists of a market; name, effect and kind never change.';
comment on column lists.version is 'Ascends by one a change of entries; a change holds the row until its commit.';
comment on column lists.bulk_version is 'The version of the last import: a reader that knows an older one reads the list anew.';
comment on column lists.open_entries is 'Entries that nobody has ended, proposed and expired ones included.';

create table list_imports (
  import_id bigint generated always as identity constraint list_imports_pkey primary key,
  list text not null constraint list_imports_list_fkey references lists (name),
  reason text not null constraint reason_bounded check (char_length(reason) between 1 and 500),
  rows integer not null default 0,
  added integer not null default 0,
  added_by text not null,
  added_by_key text not null constraint list_imports_key_fkey references api_keys (key_id),
  added_at timestamptz(3) not null default clock_timestamp(),
  approved_by text,
  approved_by_key text constraint list_imports_approver_fkey references api_keys (key_id),
  valid_from timestamptz(3),
  ended_at timestamptz(3),
  ended_by text,
  constraint list_imports_list_key unique (import_id, list)
);
comment on table list_imports is 'Files of entries that were added in one commit.';
comment on column list_imports.valid_from is 'Since when its entries are in force; null: an allow list waits for a second person.';
create index list_imports_list_idx on list_imports (list, import_id);

create table list_entries (
  entry_id bigint generated always as identity constraint list_entries_pkey primary key,
  list text not null constraint list_entries_list_fkey references lists (name),
  value text not null constraint value_bounded check (char_length(value) between 1 and 128),
  addresses inet,
  reason text constraint reason_bounded check (char_length(reason) between 1 and 500),
  expires_at timestamptz(3),
  import_id bigint,
  added_by text,
  added_by_key text constraint list_entries_key_fkey references api_keys (key_id),
  added_at timestamptz(3),
  approved_by text,
  approved_by_key text constraint list_entries_approver_fkey references api_keys (key_id),
  valid_from timestamptz(3),
  valid_to timestamptz(3),
  ended_by text,
  version bigint,
  constraint list_entries_import_fkey foreign key (import_id, list) references list_imports (import_id, list),
  constraint facts_of_import_or_own check (
    case when import_id is null then num_nulls(reason, added_by, added_by_key, added_at, version) = 0
         else num_nonnulls(added_by, added_by_key, added_at, approved_by, approved_by_key, valid_from, version) = 0 end),
  constraint ended_by_somebody check ((valid_to is null) = (ended_by is null))
);
comment on table list_entries is
  'History of lists: a row is never changed, it is approved once and ended once. An imported one has author, approval and beginning of its import.';
comment on column list_entries.addresses is 'The address or network that value names; null of other kinds.';
comment on column list_entries.valid_from is 'Null: waits for a second person, or has that of its import.';
comment on column list_entries.version is 'The version of the list that the last change of the row made; null of an imported one.';
create unique index list_entries_open_key on list_entries (list, value) where valid_to is null;
create index list_entries_value_idx on list_entries (list, value);
create index list_entries_list_idx on list_entries (list, entry_id);
create index list_entries_import_idx on list_entries (import_id) where import_id is not null and valid_to is null;
create index list_entries_version_idx on list_entries (list, version) where version is not null;
create index list_entries_expiry_idx on list_entries (list, expires_at) where valid_to is null and expires_at is not null;
create index list_entries_addresses_idx on list_entries (list, addresses) where valid_to is null and addresses is not null;
create index list_entries_network_idx on list_entries using gist (addresses inet_ops) where addresses is not null;

create trigger lists_stay before delete or truncate on lists for each statement execute function refuse_change();
create trigger list_imports_stay before delete or truncate on list_imports for each statement execute function refuse_change();
create trigger list_entries_stay before delete or truncate on list_entries for each statement execute function refuse_change();

create function keep_list() returns trigger language plpgsql as $$
begin
  if (new.name, new.effect, new.kind, new.description, new.created_by, new.created_at)
     is distinct from (old.name, old.effect, old.kind, old.description, old.created_by, old.created_at) then
    raise exception 'name, effect and kind of a list never change' using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
create trigger lists_keep before update on lists for each row execute function keep_list();

create function keep_list_entry() returns trigger language plpgsql as $$
begin
  if old.valid_to is not null
     or (old.valid_from is not null and
         (new.valid_from, new.approved_by, new.approved_by_key)
         is distinct from (old.valid_from, old.approved_by, old.approved_by_key))
     or (new.entry_id, new.list, new.value, new.addresses, new.reason, new.expires_at, new.import_id, new.added_by,
         new.added_by_key, new.added_at)
        is distinct from
        (old.entry_id, old.list, old.value, old.addresses, old.reason, old.expires_at, old.import_id, old.added_by,
         old.added_by_key, old.added_at) then
    raise exception 'entries of lists are never changed, they are ended' using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
create trigger list_entries_keep before update on list_entries for each row execute function keep_list_entry();

create function keep_list_import() returns trigger language plpgsql as $$
begin
  if (old.valid_from is not null and
      (new.valid_from, new.approved_by, new.approved_by_key)
      is distinct from (old.valid_from, old.approved_by, old.approved_by_key))
     or (new.import_id, new.list, new.reason, new.added_by, new.added_by_key, new.added_at)
        is distinct from (old.import_id, old.list, old.reason, old.added_by, old.added_by_key, old.added_at) then
    raise exception 'an import of a list is never changed' using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
create trigger list_imports_keep before update on list_imports for each row execute function keep_list_import();

-- An allow list takes two people, who are known: the author's key is a person's, made by people.
create function refuse_one_author() returns trigger language plpgsql set search_path from current as $$
begin
  if (select effect from lists where name = new.list) = 'allow'
     and (new.approved_by_key is null or is_nobodys(new.added_by_key)
          or shared_maker(new.added_by_key, new.approved_by_key) is not null
          or approver_of(new.approved_by_key) is distinct from new.approved_by) then
    raise exception 'the entry of the allow list % and its approval are not two people''s', new.list
      using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
create trigger list_entries_need_two_people after insert or update of valid_from, approved_by, approved_by_key on list_entries
  for each row when (new.valid_from is not null) execute function refuse_one_author();
create trigger list_imports_need_two_people after insert or update of valid_from, approved_by, approved_by_key on list_imports
  for each row when (new.valid_from is not null) execute function refuse_one_author();

-- What was approved gets no more entries.
create function refuse_late_entries() returns trigger language plpgsql set search_path from current as $$
begin
  if exists (select from (select distinct import_id from added where import_id is not null) late
              join list_imports i using (import_id) where i.valid_from is not null) then
    raise exception 'an import that is in force takes no entries' using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
create trigger list_entries_come_before after insert on list_entries
  referencing new table as added for each statement execute function refuse_late_entries();

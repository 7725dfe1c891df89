-- The third tier of profiles: a row a party, from which a worker makes the profile of a party that Redis has dropped. Makes three
-- tables, and a trigger on labels, which waits for writers of labels under way.

-- A process of an older release would store late rows without a word of it.
do $$
begin
  if exists (select from pg_stat_activity
              where datname = current_database() and pid <> pg_backend_pid()
                and application_name in ('risk-api/2', 'risk-worker/2')) then
    raise exception using
      errcode = 'object_in_use',
      message = 'processes of an older release are connected: stop them, then migrate',
      hint = 'select pid, application_name, client_addr from pg_stat_activity where application_name like ''risk-%''';
  end if;
end $$;

create unlogged table profile_snapshots (
  kind text not null constraint profile_snapshots_kind check (kind in ('account', 'merchant')),
  party text not null,
  folded_to xid8 not null,
  folded_at timestamptz(3) not null,
  snapshot bytea not null,
  constraint profile_snapshots_pkey primary key (kind, party)
) with (toast_tuple_target = 8160);
-- Records of random ids do not compress. A snapshot of up to 200 records stands in its row.
alter table profile_snapshots alter column snapshot set storage external;
-- The oldest snapshots are removed first.
create index profile_snapshots_folded_idx on profile_snapshots (folded_to);
comment on table profile_snapshots is
  'Profiles of accounts and merchants as a rebuild has made them. They are a cache: a crash empties the table, and workers fill it again.';
comment on column profile_snapshots.folded_to is
  'The snapshot has every transaction and label of the party that a database transaction before this one has stored.';
comment on column profile_snapshots.folded_at is 'When folded_to was read, by Postgres'' clock.';
comment on column profile_snapshots.snapshot is 'A block of the profile''s log, as it stands in Redis.';

create unlogged table snapshot_voids (
  kind text not null constraint snapshot_voids_kind check (kind in ('account', 'merchant', 'every')),
  party text not null,
  voided_by xid8 not null default pg_current_xact_id(),
  voided_at timestamptz(3) not null default now()
);
create index snapshot_voids_party_idx on snapshot_voids (kind, party);
create index snapshot_voids_at_idx on snapshot_voids (voided_at);
comment on table snapshot_voids is
  'Parties whose snapshots are of no use if they are older than the row, as they lack a label. Kind every: all snapshots.';
comment on column snapshot_voids.voided_by is 'Snapshots with folded_to up to it are void.';

-- Rows are only added here, so that no writer waits for another one.
create function void_snapshots() returns trigger language plpgsql set search_path from current as $$
begin
  insert into snapshot_voids (kind, party) values ('account', new.account_id), ('merchant', new.merchant_id);
  return null;
end $$;
create trigger void_snapshots after insert on labels for each row execute function void_snapshots();

create unlogged table late_rows (
  -- Ids of database transactions, 8,192 a bucket.
  bucket bigint not null,
  from_at timestamptz(3) not null,
  stored_at timestamptz(3) not null default now()
);
create index late_rows_bucket_idx on late_rows (bucket, from_at);
create index late_rows_stored_idx on late_rows (stored_at);
comment on table late_rows is
  'How far back readers of a snapshot look for rows that were stored since: a batch with a transaction that is two seconds late or more has a row here, unless one of its bucket says so already.';

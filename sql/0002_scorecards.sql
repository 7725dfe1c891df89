-- Tables of the day: what a market has counted and learnt before a day, and the payments that the market learns from. The first
-- transaction locks scores for a moment, as columns without a default change no row; the third one locks metadata_fields, the last but one corridor_settings.
-- A later migration drops amount_counts, amount_checkpoint and amount_percentiles, which workers of 1.0.0 read and write.

-- transaction: what a score says of the table that judged the payment
alter table scores add column scorecard smallint, add column margin double precision, add column by_rules smallint;
comment on column scores.scorecard is 'Serial of the table of the day that judged the payment. Null: no table did.';
comment on column scores.margin is 'Log-odds of fraud by the table. Null: the score was made before 1.1.0.';
comment on column scores.by_rules is 'Points that the rules alone give where a model decided. Null: the rules decided, or the score was made before 1.1.0.';

-- transaction: tables of the day
create table scorecards (
  day date constraint scorecards_pkey primary key,
  serial smallint not null constraint scorecards_serial_key unique,
  sha256 bytea not null,
  bytes bytea not null,
  form smallint not null generated always as (get_byte(bytes, 0)) stored,
  measures text[] not null,
  payments bigint not null,
  frauds integer not null,
  read_to xid8 not null,
  built_at timestamptz(3) not null default now(),
  is_taken boolean not null default true,
  differs double precision,
  left_out text[] not null default '{}',
  constraint scorecard_hash_is_sha256 check (sha256 = sha256(bytes)),
  constraint scorecard_bounded check (octet_length(bytes) between 1 and 16777216)
);
comment on table scorecards is 'What the market had counted and learnt before 00:00 UTC of a day, by which payments from the day on are compared and judged. Written once and never changed.';
comment on column scorecards.serial is 'Names the table in scores and in scorecard_rows.';
comment on column scorecards.measures is 'Names of the measures, in the order of the buckets of a row.';
comment on column scorecards.payments is 'Scored payments of the 90 days before the day.';
comment on column scorecards.frauds is 'Known frauds: matured payments of the 180 days before the day whose newest label says fraud.';
comment on column scorecards.is_taken is 'Whether the table judges without a word of people. False: it waits for two people, as it changes more verdicts than the policy allows.';
comment on column scorecards.differs is 'Share of the payments of the day before to which this table and the table before it give different verdicts. Null: they were not compared.';
comment on column scorecards.left_out is 'Labels that took no part, by the controls that left them out.';
comment on column scorecards.read_to is 'The table has every payment and label that a database transaction before this one has stored.';
create trigger scorecards_never_change before update or delete or truncate on scorecards
  for each statement execute function refuse_change();

create table scorecard_days (
  day date constraint scorecard_days_pkey primary key,
  payments bigint not null,
  reading text not null,
  counts bytea not null,
  sample bytea not null
);
comment on table scorecard_days is 'What a night has counted of the payments of a UTC day. The next night counts the day again where the day has another number of scores.';
comment on column scorecard_days.reading is 'Fields, group and currency by which the day was counted. Empty: the day is too old to be counted.';
comment on column scorecard_days.sample is 'Ids of the 20,000 payments with the least hashes, 16 bytes each, in the order of their hashes. Empty: the day is too old for cuts.';

create table scorecard_rows (
  transaction_id uuid constraint scorecard_rows_pkey primary key,
  created_at timestamptz(3) not null,
  scorecard smallint not null constraint scorecard_rows_scorecard_fkey references scorecards (serial),
  share double precision,
  log_odds double precision not null,
  label_log_odds double precision not null,
  buckets bytea not null,
  fired text[] not null,
  constraint share_in_range check (share > 0 and share <= 1)
);
comment on table scorecard_rows is 'Payments that a scorecard learns from: the hardest of each day, a sample of the others, and frauds.';
comment on column scorecard_rows.scorecard is 'The table whose cuts made the buckets: the table that judged the payment, or the first table that has kept the row.';
comment on column scorecard_rows.share is 'Share of such payments of the day that have a row. Null: a label alone has kept the row.';
comment on column scorecard_rows.log_odds is 'By the default rules.';
comment on column scorecard_rows.label_log_odds is 'The part of log_odds that rules which read labels add.';
comment on column scorecard_rows.buckets is 'A byte for each measure of the table.';
comment on column scorecard_rows.fired is 'Codes of the default rules that fired.';
create index scorecard_rows_created_idx on scorecard_rows (created_at);

create table scorecard_groups (
  version integer generated always as identity constraint scorecard_groups_pkey primary key,
  field text not null,
  reason text not null,
  named_by text not null,
  named_at timestamptz(3) not null default now(),
  constraint reason_length check (char_length(reason) between 1 and 500)
);
comment on table scorecard_groups is 'The text by which a table tells amounts apart. The newest row counts from the next table on.';
create trigger scorecard_groups_never_change before update or delete or truncate on scorecard_groups
  for each statement execute function refuse_change();

-- transaction: the format of a policy
alter table models drop constraint model_format_known,
  add constraint model_format_known check (
    format in ('xgboost-json', 'lightgbm-text', 'logistic-json', 'scorecard-policy-json'));
-- transaction: trees that the engine itself puts into shadow
alter table rollouts drop constraint rollout_cause_fits,
  add constraint rollout_cause_fits check (
    case cause
      when 'approval' then state in ('shadow', 'canary', 'active') and approval_id is not null
      when 'emergency' then state in ('shadow', 'canary', 'active') and approval_id is not null and model_id is not null
      when 'displacement' then state = 'deprecated' and approval_id is null
      when 'rollback' then state in ('active', 'deprecated') and approval_id is null
      when 'engine' then state = 'shadow' and approval_id is null and model_id is not null
      else false
    end);
comment on column rollouts.cause is 'approval: as proposed and confirmed; displacement: another one became active; rollback: one risk officer went back, or the engine; emergency: one risk officer alone, for a day at most; engine: trained by the engine, and in shadow alone.';

-- transaction: the approval of a policy is that of its first stage, too
create or replace function refuse_unapproved() returns trigger language plpgsql set search_path from current as $$
begin
  if not exists (select from approvals
                  where approval_id = new.approval_id and kind = any (string_to_array(tg_argv[0], ' or ')) and confirmed_at is not null
                    and detail @> (select jsonb_object_agg(key, value) from jsonb_each(to_jsonb(new)) where key = any (tg_argv[1:]))) then
    raise exception 'a row takes a % that two people have approved', tg_argv[0] using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
drop trigger model_rollouts_need_two_people on rollouts;
create trigger model_rollouts_need_two_people after insert on rollouts
  for each row when (new.cause = 'approval' and new.model_id is not null)
  execute function refuse_unapproved('model-rollout or scorecard-policy', 'model_id', 'state', 'canary_percent');

-- transaction: the end of a policy, and of a table
create function refuse_ended(asked text[]) returns boolean
  language plpgsql set search_path from current as $$
  declare
    ended text[];
  begin
    if asked = '{}' then return true; end if;
    lock table controls in share mode;
    -- A statement of its own sees what was committed before the lock was granted.
    select array_agg(name) into ended from unnest(asked) as name
     where exists (select from controls where kind = 'stop' and scope = 'model:' || name
                      and coalesce(ends_at, 'infinity') > clock_timestamp())
        or name like 'scorecard-policy@%' and not exists (
             select from controls where kind = 'scorecard' and scope = 'model:' || name
                and coalesce(ends_at, 'infinity') > clock_timestamp());
    if ended is not null then
      raise exception 'not in force: %', array_to_string(ended, ', ') using errcode = 'RS002';
    end if;
    return true;
  end $$;
comment on function refuse_ended is 'True where no model among these names is stopped, and each policy among them is in force; raises RS002 otherwise. Until the end of the transaction no control changes.';

-- transaction: features of declared fields
create table field_slots (
  slot smallint constraint field_slots_pkey primary key constraint slot_bounded check (slot between 1 and 160),
  field text not null,
  type text not null,
  kind text not null constraint slot_kind_known check (kind in ('lift', 'tail', 'to_account')),
  constraint field_slots_once unique (field, type, kind)
);
comment on table field_slots is 'Features of declared fields, in the order in which they stand in vectors behind the fixed features. Rows are only added: a slot means one field for ever, declared or not.';
create trigger field_slots_never_change before update or delete or truncate on field_slots
  for each statement execute function refuse_change();

-- A field that had slots with this type has them again.
create function take_slots(field text, type text) returns void language sql set search_path from current as $$
  insert into field_slots (slot, field, type, kind)
  select (select count(*) from field_slots) + nth, $1, $2, kind
    from unnest(case $2 when 'number' then array['tail', 'to_account'] else array['lift'] end) with ordinality as kinds (kind, nth)
   where not exists (select from field_slots s where s.field = $1 and s.type = $2)
$$;
create function take_slots() returns trigger language plpgsql set search_path from current as $$
begin
  perform take_slots(new.name, new.type);
  return null;
end $$;
-- Each version of the code that declares a field gives it slots by this trigger.
create trigger metadata_fields_take_slots after insert on metadata_fields for each row execute function take_slots();
select take_slots(name, type) from (select name, type from metadata_fields order by name) as declared;

-- Device and address as parties: the network of each transaction's address, and both parties of each label. Columns, constraints and the
-- dropped index take the lock of a table for an instant; indexes are built, and older frauds get their device, beside writers.

-- transaction: the network of an address
alter table transactions add column ip_party text;
comment on column transactions.ip_party is 'The /24 or /64 network of ip, or ip itself where that is a token; null in rows of 1.0.0, which have no party of their address.';
-- concurrently: searches by address, those of rows without a network too, and the rebuild of networks
create index concurrently transactions_ip_party_idx on transactions (coalesce(ip_party, ip), created_at) where coalesce(ip_party, ip) is not null;
-- transaction: the index above has every row of this one
drop index transactions_ip_idx;
-- transaction: the parties of a label
alter table labels add column device_id text, add column ip_party text;
comment on column labels.device_id is 'Of the transaction, as ip_party: known frauds are asked by party.';
-- concurrently: frauds of a device
create index concurrently labels_fraud_device_idx on labels (device_id, created_at) where label = 'fraud' and device_id is not null;
-- concurrently: frauds of a network
create index concurrently labels_fraud_ip_party_idx on labels (ip_party, created_at) where label = 'fraud' and ip_party is not null;
-- step: the devices of frauds of 1.0.0, a month at a time
do $$
declare
  month regclass;
begin
  for month in select inhrelid::regclass from pg_inherits where inhparent = 'labels'::regclass loop
    execute format('update %s l set device_id = t.device_id from transactions t
                     where l.label = ''fraud'' and l.device_id is null and t.device_id is not null
                       and t.transaction_id = l.transaction_id and t.created_at = l.created_at', month);
    commit;
  end loop;
end $$;
-- transaction: snapshots of both
alter table profile_snapshots drop constraint profile_snapshots_kind,
  add constraint profile_snapshots_kind check (kind in ('account', 'merchant', 'device', 'address'));
-- transaction: voids of both
alter table snapshot_voids drop constraint snapshot_voids_kind,
  add constraint snapshot_voids_kind check (kind in ('account', 'merchant', 'device', 'address', 'every'));
-- transaction: a label voids the snapshots of all parties of its transaction
create or replace function void_snapshots() returns trigger language plpgsql set search_path from current as $$
begin
  insert into snapshot_voids (kind, party)
  select kind, party
    from (values ('account', new.account_id), ('merchant', new.merchant_id), ('device', new.device_id), ('address', new.ip_party)) v (kind, party)
   where party is not null;
  return null;
end $$;

-- transaction: parties of labels that an API of 1.0.0 stores, whose statement names neither
create function take_parties() returns trigger language plpgsql set search_path from current as $$
begin
  select device_id, ip_party into new.device_id, new.ip_party from transactions
   where transaction_id = new.transaction_id and created_at = new.created_at;
  return new;
end $$;
create trigger labels_take_parties before insert on labels for each row
  when (new.label = 'fraud' and new.device_id is null and new.ip_party is null) execute function take_parties();

-- transaction: whether a label was the only one of its request
alter table labels add column came_alone boolean not null default false;
comment on column labels.came_alone is 'Whether the request brought no other label: frauds of an import freeze no corridor by themselves.';
-- concurrently: disputes that came one by one
create index concurrently labels_alone_idx on labels (labelled_at) where came_alone and label = 'fraud';

-- transaction: the region of a corridor
alter table corridor_settings add column region text constraint region_bounded check (char_length(region) between 1 and 64);
comment on column corridor_settings.region is 'Region of the corridor in figures and alerts. Null: its source country.';
comment on column corridor_settings.residency is 'Where data of the corridor must stay. Processes whose servers have other tags refuse the corridor.';

-- transaction: archives of rolled-back markets
create table if not exists shared.archived_markets (
  location text not null,
  begun_at timestamptz(3) not null,
  market text not null,
  lock_until timestamptz(3),
  row_count bigint not null,
  bytes bigint not null,
  subject_keys text,
  restored_at timestamptz(3),
  constraint archived_markets_pkey primary key (location, begun_at)
);
comment on table shared.archived_markets is 'Archives of markets that were rolled back on this server. Written by risk archive rollback and restore-market.';
comment on column shared.archived_markets.lock_until is 'Until when nobody can change the files. Null: the files are not immutable.';
comment on column shared.archived_markets.subject_keys is 'Folder of the keys of subjects, which can be deleted. Null: the market had no personal fields.';

-- transaction: row level security of the tables above
do $$
declare
  of_market regclass;
begin
  for of_market in
    select oid from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relrowsecurity
  loop
    execute format('alter table %s enable row level security', of_market);
  end loop;
end $$;

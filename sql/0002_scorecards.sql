-- What scorecards need. The file makes new tables, and locks metadata_fields for a moment.
-- Device and address as parties: the network of each transaction's address, and both parties of each label. Columns, constraints and the
-- dropped index take the lock of one table for an instant; indexes are built, and older frauds get their device, beside writers.

-- transaction: slots of declared fields

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

-- Device and address as parties

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

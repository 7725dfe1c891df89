-- Device and address as parties: the network of each transaction's address, and both parties of each label. Columns, constraints and the
-- dropped index take the lock of one table for an instant; indexes are built, and older frauds get their device, beside writers.
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

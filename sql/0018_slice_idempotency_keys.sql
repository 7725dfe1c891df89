-- Copies all idempotency keys in one transaction, about 10 s a million, and drops the old table. No code reads both forms,
-- so API and workers must stand still meanwhile.

-- The key of a row: 16 bytes of SHA-256, so that an index entry is as short for a key of 255 characters as for any.
create function idempotency_digest(client text, key text) returns uuid
  language sql immutable strict parallel safe
  return encode(substr(sha256(convert_to(client, 'UTF8') || '\x00'::bytea || convert_to(key, 'UTF8')), 1, 16), 'hex')::uuid;
comment on function idempotency_digest is
  'What idempotency_keys knows a client''s key by; src/store/key-digest.ts computes the same.';

create table idempotency_slices (
  slice int constraint idempotency_slices_pkey primary key,
  opened_at timestamptz(3) not null,
  sealed_at timestamptz(3)
);
comment on table idempotency_slices is
  'One row per partition of idempotency_keys. Exactly one is open and takes keys; the others are sealed and dropped whole RISK_IDEMPOTENCY_RETENTION_DAYS after that.';
comment on column idempotency_slices.slice is
  'Random, so that what a process remembers of a slice never fits one of another history, as of a restored backup.';
create unique index idempotency_slices_open_key on idempotency_slices ((sealed_at is null)) where sealed_at is null;

alter table idempotency_keys rename to idempotency_keys_before;

create table idempotency_keys (
  slice int not null,
  digest uuid not null,
  transaction_id uuid not null,
  fingerprint uuid not null
) partition by list (slice);
comment on table idempotency_keys is
  'One row per (client, key): the transaction it made. Unique within a slice by index; across slices because a sealed slice takes no row and is asked before the open one is written.';
comment on column idempotency_keys.digest is 'idempotency_digest(client, key)';
comment on column idempotency_keys.fingerprint is
  'The first 16 bytes of SHA-256 of the validated body before defaults.';

-- Makes a partition and the row of its slice; the caller sees to it that no other slice is open.
create function open_idempotency_slice() returns int
  language plpgsql as $$
  declare
    number int := floor(random() * 2147483647);
    name text := 'idempotency_keys_' || number;
  begin
    execute format('create table %I (like idempotency_keys, constraint %I primary key (digest))', name, name || '_pkey');
    execute format('alter table %I set (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 200000, autovacuum_analyze_scale_factor = 0.1)', name);
    execute format('alter table idempotency_keys attach partition %I for values in (%s)', name, number);
    insert into idempotency_slices (slice, opened_at) values (number, clock_timestamp());
    return number;
  end $$;

-- No row gets in any more. Waits for those who write into it: what they wrote is committed before anybody can know of the next slice.
create function seal_idempotency_slice(number int) returns void
  language plpgsql as $$
  declare
    name text := 'idempotency_keys_' || number;
  begin
    execute format('alter table %I add constraint %I check (false) not valid', name, name || '_sealed');
    update idempotency_slices set sealed_at = clock_timestamp() where slice = number;
  end $$;

do $$
  declare
    oldest int;
  begin
    if exists (select from idempotency_keys_before) then
      oldest := open_idempotency_slice();
      insert into idempotency_keys (slice, digest, transaction_id, fingerprint)
      select oldest, idempotency_digest(client, idempotency_key), transaction_id,
             encode(substr(fingerprint, 1, 16), 'hex')::uuid
        from idempotency_keys_before
       order by 2;
      perform seal_idempotency_slice(oldest);
      update idempotency_slices
         set opened_at = (select min(received_at) from idempotency_keys_before),
             sealed_at = (select max(received_at) from idempotency_keys_before)
       where slice = oldest;
    end if;
    perform open_idempotency_slice();
  end $$;

drop table idempotency_keys_before;

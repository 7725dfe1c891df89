-- All names are unqualified: they land in the first schema of the role's search_path, the market's.

create table transactions (
  transaction_id uuid not null,
  created_at timestamptz(3) not null,
  received_at timestamptz(3) not null,
  account_id text not null,
  merchant_id text not null,
  corridor text not null,
  amount numeric not null,
  currency text not null,
  type text,
  ip text,
  device_id text,
  country text,
  channel text,
  metadata jsonb,
  constraint transactions_pkey primary key (transaction_id, created_at),
  -- The upper bound also refuses NaN, which numeric sorts above every number.
  constraint amount_in_range check (amount > 0 and amount < 1e15),
  constraint amount_scale_in_range check (scale(amount) <= 4),
  constraint account_id_length check (char_length(account_id) between 1 and 128),
  constraint merchant_id_length check (char_length(merchant_id) between 1 and 128),
  constraint currency_length check (char_length(currency) = 3),
  constraint corridor_length check (char_length(corridor) = 5),
  constraint metadata_size check (octet_length(metadata::text) <= 8192)
) partition by range (created_at);
comment on table transactions is
  'One row per accepted transaction, one partition per UTC month of created_at. Written once by ingest, never updated.';
comment on column transactions.transaction_id is
  'UUIDv7 whose time part is created_at to the millisecond, so that an id alone names its partition.';
comment on column transactions.created_at is 'When it happened, by the caller (default: when received).';
comment on column transactions.received_at is 'When the API accepted it.';

-- Account and merchant history: lists, and the rebuild of a profile (store/history.ts).
create index transactions_account_idx on transactions (account_id, created_at);
create index transactions_merchant_idx on transactions (merchant_id, created_at);
-- Rows arrive in received_at order, so a few kilobytes of BRIN find the tail that the reconciler reads.
create index transactions_received_idx on transactions using brin (received_at) with (pages_per_range = 32);

create table idempotency_keys (
  client text not null,
  idempotency_key text not null,
  fingerprint bytea not null,
  transaction_id uuid not null,
  received_at timestamptz(3) not null,
  constraint idempotency_keys_pkey primary key (client, idempotency_key),
  constraint fingerprint_is_sha256 check (octet_length(fingerprint) = 32)
) partition by hash (client, idempotency_key);
comment on table idempotency_keys is
  'One row per (client, key): the transaction it made and the SHA-256 of the validated body before defaults. Kept RISK_IDEMPOTENCY_RETENTION_DAYS.';
create index idempotency_keys_received_idx on idempotency_keys using brin (received_at) with (pages_per_range = 32);

create table idempotency_keys_0 partition of idempotency_keys for values with (modulus 4, remainder 0);
create table idempotency_keys_1 partition of idempotency_keys for values with (modulus 4, remainder 1);
create table idempotency_keys_2 partition of idempotency_keys for values with (modulus 4, remainder 2);
create table idempotency_keys_3 partition of idempotency_keys for values with (modulus 4, remainder 3);

create table ingest_batches (
  batch_id uuid constraint ingest_batches_pkey primary key,
  received_at timestamptz(3) not null,
  transaction_ids uuid[] not null,
  constraint transaction_ids_bounded check (cardinality(transaction_ids) between 1 and 1000)
);
comment on table ingest_batches is
  'One row per request whose transactions are committed but not yet known to be in a stream; deleted once appended. The reconciler appends what stays.';
create index ingest_batches_received_idx on ingest_batches (received_at);
alter table ingest_batches set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- The log of a corridor, and what its logs delivered. Adds columns with constant defaults, which locks the table of settings for a moment, and makes a table.

alter table corridor_settings
  add column log text not null default 'streams' constraint log_known check (log in ('streams', 'both', 'kafka')),
  add column log_changed_at timestamptz(3),
  add column compared_from timestamptz(3),
  add column compared_to timestamptz(3),
  add constraint compared_whole check (compared_from is not null or compared_to is null);
comment on column corridor_settings.log is 'Where entries are appended and events published: Redis Streams, Kafka, or both.';
comment on column corridor_settings.log_changed_at is 'When it changed; null: it was always streams, and no process looks in Kafka.';
comment on column corridor_settings.compared_from is 'Transactions received from here on are in both logs, as every process had read the setting by then.';
comment on column corridor_settings.compared_to is 'The last of them; null while the log is both.';

create table log_deliveries (
  corridor text not null,
  digest bytea not null constraint digest_is_sha256 check (octet_length(digest) = 32),
  received_at timestamptz(3) not null,
  transaction_ids uuid[] not null constraint transactions_bounded check (cardinality(transaction_ids) between 1 and 128),
  streams_shard smallint,
  kafka_partition smallint,
  delivered_at timestamptz(3) not null default now(),
  constraint log_deliveries_pkey primary key (corridor, digest),
  constraint delivered_by_some check (streams_shard is not null or kafka_partition is not null)
);
comment on table log_deliveries is
  'What Streams and Kafka delivered of a corridor that has both: a row an entry, written by workers before the entry is settled.';
comment on column log_deliveries.digest is 'SHA-256 of the entry: version, transactions, head and packed value.';
comment on column log_deliveries.received_at is 'When its first transaction was received.';
comment on column log_deliveries.streams_shard is 'Shard of the stream that delivered it; null: none did.';
comment on column log_deliveries.kafka_partition is 'Partition that delivered it; null: none did.';
-- Purge by age.
create index log_deliveries_delivered_idx on log_deliveries (delivered_at);

-- Makes one table and locks nothing that is there already.
create table labels (
  transaction_id uuid not null,
  created_at timestamptz(3) not null,
  labelled_at timestamptz(3) not null,
  label text not null,
  source text not null,
  received_at timestamptz(3) not null,
  batch_id uuid not null,
  account_id text not null,
  merchant_id text not null,
  -- Its first columns find the newest label of a transaction; the partition column has to be in it.
  constraint labels_pkey primary key (transaction_id, labelled_at, label, source, created_at),
  constraint label_known check (label in ('fraud', 'legitimate')),
  constraint source_length check (char_length(source) between 1 and 64),
  constraint labelled_after_created check (labelled_at >= created_at),
  constraint labelled_at_known check (labelled_at - received_at <= interval '5 minutes')
) partition by range (created_at);
comment on table labels is
  'What became known of a transaction, by whom and when; one partition per UTC month of the transaction. Appended by POST /v1/labels, never updated: the newest labelled_at wins, and of two at the same time fraud.';
comment on column labels.created_at is 'Of the transaction.';
comment on column labels.labelled_at is 'When it became known, by the caller.';
comment on column labels.received_at is 'When the API was told.';
comment on column labels.batch_id is
  'The request that brought it: a try whose commit was not heard of finds its own rows by it.';
comment on column labels.account_id is 'Of the transaction, as merchant_id: rates are asked by party.';

-- Rates count frauds of a party by the time of the transaction. Frauds are few, so the many rows that say
-- legitimate cost no entry; whether one came after a fraud is looked up in the primary key.
create index labels_fraud_account_idx on labels (account_id, created_at) where label = 'fraud';
create index labels_fraud_merchant_idx on labels (merchant_id, created_at) where label = 'fraud';

-- Adds a column without a default and makes one small table: an exclusive lock on labels for a moment, no rewrite.
alter table labels add column amount_to_median double precision;
comment on column labels.amount_to_median is
  'Of a fraud: the amount by the median of its account, from the score that was stored when the label came. Null: there was no score, or no sibling.';

create table label_batches (
  batch_id uuid not null,
  received_at timestamptz(3) not null,
  transaction_ids uuid[] not null,
  constraint label_batches_pkey primary key (batch_id)
);
comment on table label_batches is
  'Requests whose labels are committed, but of which the profiles may not have been told. Deleted once they are; what stays is told by a worker.';

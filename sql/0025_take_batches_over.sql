alter table ingest_batches add column taken_over boolean not null default false;
comment on column ingest_batches.taken_over is
  'Whether a recovery relies on the row, so that only the reconciler closes it: what its request has appended may be lost.';

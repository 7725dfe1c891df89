comment on column transactions.received_at is
  'When it was stored, by Postgres'' clock, read once its database transaction had an id: what a time is behind, an id proves.';
comment on column ingest_batches.received_at is
  'When it was opened, by Postgres'' clock; of transactions that came with it, their received_at.';
comment on table reconcile_state is
  'What the reconciler knows: the Redis it last saw, and the received_at before which every transaction is known to be final. Written only where it still is as it was read.';

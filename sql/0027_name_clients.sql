-- A column without a default: nothing is rewritten, the lock lasts a moment. Whose older rows are is not known: keys keep a
-- digest of their client alone.
alter table transactions add column client text;
comment on column transactions.client is
  'Client of the API key that it came with, the only one that reads it by a key whose one role is ingest. Null for rows that are older than the column: no client''s.';

-- What an account's erasure took with it. Adds a column without a default, for which no row is rewritten.

alter table erasures add column report jsonb;
comment on column erasures.report is
  'Of an account: by field, how many subjects that this account alone had went with it and how many were left, and its cases with notes.';

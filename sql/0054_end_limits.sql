-- Limits that end by themselves. Adds a column and a constraint that reads the table, of at most 1,000 rows, and locks it meanwhile.

alter table limits
  add column ends_at timestamptz(3),
  add constraint throttle_ends check ((ends_at is not null) = starts_with(scope, 'throttle:'));
comment on column limits.ends_at is
  'When a throttle is over, by this server''s clock; its row stays until the corridor is throttled again. Null: the limit lasts.';

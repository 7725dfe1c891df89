-- Shards of corridors. Adds columns with constant defaults: locks the table of settings for a moment.

alter table corridor_settings
  add column shards smallint not null default 1 constraint shards_bounded check (shards between 1 and 16),
  add column moved_from smallint constraint moved_from_bounded check (moved_from between 1 and 16),
  add column moved_at timestamptz(3),
  add constraint moved_whole check ((moved_from is null) = (moved_at is null));
comment on column corridor_settings.shards is 'Streams that the corridor is divided into, by account.';
comment on column corridor_settings.moved_from is 'Shards before the last change of them; null where they never changed.';
comment on column corridor_settings.moved_at is 'When they changed: producers act on it two seconds later.';

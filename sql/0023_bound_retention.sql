-- What purges look rows up by. The first step locks model_checks and label_batches for a moment; indexes are built
-- concurrently, 1 to 2 s a million rows.

-- transaction: a record of checks may end after 30 days, and is never changed
drop trigger model_checks_never_change on model_checks;
create trigger model_checks_never_change before update or truncate on model_checks
  for each statement execute function refuse_change();
-- RISK_MODEL_CHECK_RETENTION_DAYS cannot say less.
create trigger model_checks_stay before delete on model_checks
  for each row when (old.checked_at > now() - interval '30 days') execute function refuse_change();

-- transaction: rows of label_batches live for moments, as those of ingest_batches
alter table label_batches set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
alter table label_batches alter column transaction_ids set storage external;
comment on table watch_reports is
  'What one worker at a time found of each model that decides: drift, and whether verdicts and probabilities came true. A run and model a row, kept RISK_WATCH_RETENTION_DAYS.';
comment on table shadow_batches is
  'What shadow models made of the batches of workers, a row a batch and model; at least once. Read as shadow_scores; kept RISK_SHADOW_RETENTION_DAYS.';
comment on table dead_letters is
  'Stream entries given up, committed before the entry is acknowledged. Active while neither replayed nor purged. transaction_id is null when the entry could not be read. Closed ones are kept RISK_DEAD_LETTER_RETENTION_DAYS, and beyond that while nothing else says what became of the transaction.';

-- transaction: one worker at a time removes what is over
insert into leaderships (duty) values ('purge');

-- concurrently: the oldest first
create index concurrently label_batches_received_idx on label_batches (received_at);

-- concurrently: closed ones, the oldest first
create index concurrently dead_letters_closed_idx on dead_letters (coalesce(replayed_at, purged_at), dead_letter_id)
  where coalesce(replayed_at, purged_at) is not null;

-- concurrently: the oldest first
create index concurrently shadow_batches_scored_idx on shadow_batches (scored_at);

-- concurrently: hours of months that are gone
create index concurrently merchant_hours_hour_idx on merchant_hours (hour_at);

-- concurrently: the same for parts of hours
create index concurrently merchant_hour_parts_from_idx on merchant_hour_parts (from_at);

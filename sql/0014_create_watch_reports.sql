-- A new table: nothing that exists is locked.
create table watch_reports (
  watched_at timestamptz(3) not null,
  model text not null,
  report jsonb not null,
  constraint watch_reports_pkey primary key (watched_at, model),
  constraint watch_report_bounded check (octet_length(report::text) <= 1048576)
);
comment on table watch_reports is
  'What one worker at a time found of each model that decides: drift, and whether verdicts and probabilities came true. A run and model a row; those older than 30 days are removed.';
comment on column watch_reports.model is 'name@version as in scores.model, or rules where no model decided.';
comment on column watch_reports.report is 'As GET /v1/models/watch answers it.';

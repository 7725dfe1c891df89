-- Months that are archives: what was exported, where it is, and how far it has come. Makes a table; no reader and no writer waits.

create table archived_months (
  month text not null constraint archived_month_is_one check (month ~ '^\d{4}-(0[1-9]|1[0-2])$'),
  number integer not null constraint archived_number_from_one check (number > 0),
  step text not null constraint archived_step_known check (step in ('export', 'verify', 'seal', 'drop', 'cold', 'ended')),
  location text not null,
  manifest jsonb not null,
  begun_at timestamptz(3) not null default now(),
  constraint archived_months_pkey primary key (month, number)
);
comment on table archived_months is
  'Archives of months, a row each time one is begun. A month whose step is cold has no tables: its rows are in files.';
comment on column archived_months.step is 'The next step; cold: the files are all there is; ended: the month was restored, or the archive was begun anew.';
comment on column archived_months.location is 'Folder, or s3://bucket/prefix, that has the files.';
comment on column archived_months.manifest is 'What archive.json has: tables with rows, hashes and files.';
create unique index archived_months_open_key on archived_months (month) where step <> 'ended';

create trigger archived_months_stay before delete or truncate on archived_months
  for each statement execute function refuse_change();

-- What backtests count a day, and who cancelled one. Makes a table; locks backtests for a moment.

alter table backtests add column cancelled_by text,
  add constraint backtest_cancelled_by_somebody check (cancelled_by is null or state = 'cancelled');

create table backtest_days (
  backtest_id uuid not null constraint backtest_days_fkey references backtests (backtest_id),
  day date not null,
  counts text not null,
  constraint backtest_days_pkey primary key (backtest_id, day)
);
comment on table backtest_days is
  'Rows that a backtest has counted, a UTC day: what bands alone would change follows from the counts, without the rows.';
comment on column backtest_days.counts is
  'JSON by corridor: rows by score and label, those that a rule sends to review likewise, and those that bands do not move by verdict and label.';

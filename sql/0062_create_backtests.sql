-- Backtests with their reports. Makes a table; its foreign key locks api_keys against writes for a moment.

create table backtests (
  backtest_id uuid default gen_random_uuid() constraint backtests_pkey primary key,
  state text not null default 'queued',
  question text not null,
  sources text not null,
  cursor uuid,
  counts text,
  rows_read bigint not null default 0,
  report text,
  report_sha256 text,
  problem text,
  requested_by text not null constraint backtest_by_somebody check (btrim(requested_by) <> ''),
  requested_by_key text not null constraint backtests_key_fkey references api_keys (key_id),
  requested_at timestamptz(3) not null default now(),
  ended_at timestamptz(3),
  constraint backtest_state_known check (state in ('queued', 'running', 'done', 'cancelled', 'failed')),
  constraint backtest_end_whole check ((state in ('done', 'cancelled', 'failed')) = (ended_at is not null)),
  constraint backtest_report_whole check (
    (state = 'done') = (report is not null) and (report is null) = (report_sha256 is null)),
  constraint backtest_problem_whole check ((state = 'failed') = (problem is not null))
);
comment on table backtests is
  'Versions of rules or models over stored vectors: what was asked, how far the counting is, and the report.';
comment on column backtests.question is 'Canonical JSON: times, corridor, and both versions by hash.';
comment on column backtests.sources is 'Canonical JSON: sources of rule sets by their hash, as they were when it was asked.';
comment on column backtests.cursor is 'The last transaction that counts has; null before the first.';
comment on column backtests.counts is 'JSON, while it runs: a run that was killed goes on from here.';
comment on column backtests.report is 'Canonical JSON; report_sha256 is its SHA-256.';
-- The next to run, and those that wait: few.
create index backtests_open_idx on backtests (requested_at, backtest_id) where state in ('queued', 'running');
create index backtests_requested_idx on backtests (requested_at, backtest_id);

-- Limits of requests and transactions a second. Makes two tables, and locks nothing that exists.

create table limits (
  scope text not null constraint scope_bounded check (length(scope) between 1 and 80),
  kind text not null constraint kind_is_word check (kind ~ '^[a-z]{1,32}$'),
  rate_per_second double precision not null
    constraint rate_bounded check (rate_per_second >= 0.001 and rate_per_second <= 1000000),
  burst integer not null constraint burst_bounded check (burst between 1 and 10000000),
  version bigint not null default 1,
  set_by text not null,
  reason text not null,
  set_at timestamptz(3) not null default now(),
  proposal jsonb,
  constraint limits_pkey primary key (scope, kind)
);
comment on table limits is
  'What a scope may send a second, by kind; a scope without a row has no limit. The audit log has the history.';
comment on column limits.burst is 'Units that may come at once after a pause.';
comment on column limits.version is 'Ascends by one a change of the row.';
comment on column limits.proposal is
  'A raise or a removal that waits for another person: rate_per_second and burst (null: no limit any more), proposed_by, proposed_at, reason.';

create unlogged table limit_processes (
  process text constraint limit_processes_pkey primary key,
  seen_at timestamptz(3) not null default now()
);
comment on table limit_processes is
  'API processes that enforce limits, each seen every two seconds while there is a limit: without Redis each grants its share. A crash of Postgres empties the table.';

-- Makes new tables, and adds a row to leaderships. What workers of an older version score meanwhile is sent to no webhook.
create table webhook_endpoints (
  endpoint_id uuid constraint webhook_endpoints_pkey primary key,
  client text,
  url text not null,
  event_types text[] not null,
  verdicts text[] not null,
  corridors text[],
  secret text,
  previous_secret text,
  previous_until timestamptz(3),
  is_paused boolean not null default false,
  created_at timestamptz(3) not null default now(),
  created_by text not null,
  failing_since timestamptz(3),
  disabled_at timestamptz(3),
  disabled_reason text,
  deleted_at timestamptz(3),
  constraint endpoint_url_bounded check (char_length(url) between 1 and 2048),
  constraint endpoint_types_known check (cardinality(event_types) > 0 and event_types <@
    array['transaction.decided', 'transaction.final_decision', 'review.deadline_near', 'alert.raised']),
  constraint endpoint_verdicts_known check (cardinality(verdicts) > 0 and verdicts <@ array['approve', 'review', 'decline']),
  constraint endpoint_of_a_client_sees_its_own check (client is null or event_types <@
    array['transaction.decided', 'transaction.final_decision']),
  constraint endpoint_disabled_for_a_reason check ((disabled_at is null) = (disabled_reason is null)),
  constraint endpoint_deleted_without_secret check ((secret is null) = (deleted_at is not null)
    and (deleted_at is null or previous_secret is null)),
  constraint endpoint_previous_secret_ends check ((previous_secret is null) = (previous_until is null))
);
comment on table webhook_endpoints is
  'Where events are sent. A deleted endpoint keeps its row, without secrets, until its deliveries have ended.';
comment on column webhook_endpoints.client is 'Whose transactions it hears of; null: the market''s.';
comment on column webhook_endpoints.secret is 'Encrypted where RISK_WEBHOOK_KEYS is set.';
comment on column webhook_endpoints.previous_secret is 'Signs beside the newer one until previous_until.';
comment on column webhook_endpoints.failing_since is 'First failure since the last success.';
create index webhook_endpoints_deleted_idx on webhook_endpoints (deleted_at) where deleted_at is not null;

create table webhook_intake (
  intake_id bigint generated always as identity constraint webhook_intake_pkey primary key,
  transaction_ids uuid[] not null,
  constraint hooked_names_transactions check (cardinality(transaction_ids) > 0)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
comment on table webhook_intake is
  'Transactions whose verdict an endpoint takes, a row a batch, written by the statement that stores their scores. A worker makes the deliveries and deletes the row in one database transaction.';

create table webhook_position (
  only_row boolean constraint webhook_position_pkey primary key default true constraint one_row check (only_row),
  decision_id bigint not null
);
comment on table webhook_position is 'Final decisions up to this one have their deliveries.';
insert into webhook_position (decision_id) select coalesce(max(decision_id), 0) from final_decisions;

create table webhook_deliveries (
  delivery_id bigint generated always as identity constraint webhook_deliveries_pkey primary key,
  endpoint_id uuid not null,
  event_id text not null,
  event_type text not null,
  payload text not null,
  created_at timestamptz(3) not null default now(),
  state text not null default 'waiting',
  attempts smallint not null default 0,
  next_at timestamptz(3),
  last_at timestamptz(3),
  response_status smallint,
  error text,
  constraint webhook_deliveries_event_key unique (endpoint_id, event_id),
  constraint delivery_state_fits check (
    case state when 'waiting' then next_at is not null when 'delivered' then next_at is null when 'dead' then next_at is null
      else false end)
) with (autovacuum_vacuum_scale_factor = 0.02);
comment on table webhook_deliveries is
  'What is sent to whom, and how it went: one row an endpoint and event, whatever names the event again.';
comment on column webhook_deliveries.endpoint_id is
  'No foreign key: an endpoint''s row is removed after its deliveries, and a check costs every row a lookup.';
comment on column webhook_deliveries.event_id is 'Sent as webhook-id, by which receivers tell repetitions.';
comment on column webhook_deliveries.payload is 'The body, byte for byte, as it is signed.';
comment on column webhook_deliveries.next_at is
  'When it is due. A worker that sends it moves this into the future: until then no other one sends it.';
create index webhook_deliveries_due_idx on webhook_deliveries (endpoint_id, next_at) where state = 'waiting';
create index webhook_deliveries_log_idx on webhook_deliveries (endpoint_id, delivery_id);

insert into leaderships (duty) values ('webhooks') on conflict do nothing;

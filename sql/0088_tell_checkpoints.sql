-- Webhooks may take checkpoints of the log of evidence. Makes a table, and locks webhook_endpoints, which has a hundred rows at most.

alter table webhook_endpoints drop constraint endpoint_types_known;
alter table webhook_endpoints add constraint endpoint_types_known check (cardinality(event_types) > 0 and event_types <@
  array['transaction.decided', 'transaction.final_decision', 'review.deadline_near', 'alert.raised', 'decision.second_authority',
        'evidence.checkpoint']);

create table checkpoint_intake (
  intake_id bigint generated always as identity constraint checkpoint_intake_pkey primary key,
  log_id int not null constraint checkpoint_intake_log_fkey references evidence_logs (log_id),
  size bigint not null,
  signed_at timestamptz(3) not null,
  checkpoint text not null constraint checkpoint_bounded check (octet_length(checkpoint) between 1 and 65535)
);
alter table checkpoint_intake enable row level security;
comment on table checkpoint_intake is
  'Checkpoints that wait for their webhooks: a row by the commit that stores the checkpoint, deleted by the commit that makes the deliveries.';

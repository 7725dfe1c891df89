-- Webhooks may take decisions that name a second authority. Locks webhook_endpoints, which has a hundred rows at most.

alter table webhook_endpoints drop constraint endpoint_types_known;
alter table webhook_endpoints add constraint endpoint_types_known check (cardinality(event_types) > 0 and event_types <@
  array['transaction.decided', 'transaction.final_decision', 'review.deadline_near', 'alert.raised', 'decision.second_authority']);

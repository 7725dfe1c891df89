-- Locks webhook_deliveries for a moment: the column is empty, and rows are not rewritten.
alter table webhook_deliveries add column decisions smallint;
comment on column webhook_deliveries.decisions is 'How many decisions the event lists; null: it is about something else.';

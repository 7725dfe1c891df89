-- Builds indexes of review_cases concurrently, each about 1 s a million cases, and drops three that they replace. The comment
-- locks audit_log for a moment.

-- concurrently: cases of an account, open ones first, closed ones by their time
create index concurrently review_cases_of_account_idx on review_cases (account_id, closed_at, transaction_id);

-- concurrently: those of a merchant
create index concurrently review_cases_of_merchant_idx on review_cases (merchant_id, closed_at, transaction_id);

-- concurrently: those of a device
create index concurrently review_cases_of_device_idx on review_cases (device_id, closed_at, transaction_id)
  where device_id is not null;

-- concurrently: the queue of a corridor
create index concurrently review_cases_corridor_idx on review_cases (corridor, priority, due_at, transaction_id)
  where state <> 'closed';

-- concurrently: cases that somebody has claimed, now or before
create index concurrently review_cases_claimed_idx on review_cases (locked_by, priority, due_at, transaction_id)
  where locked_by is not null;

-- concurrently: cases that are assigned
create index concurrently review_cases_assigned_idx on review_cases (assignee, priority, due_at, transaction_id)
  where assignee is not null and state <> 'closed';

-- concurrently: decisions that wait for a second person, or for the end of the time to undo
create index concurrently review_cases_undecided_idx on review_cases (state, priority, due_at, transaction_id)
  where state in ('confirming', 'decided');

-- transaction: indexes that those of parties replace
drop index review_cases_account_idx, review_cases_merchant_idx, review_cases_device_idx;

-- transaction: what is in the audit log
comment on table audit_log is
  'What people and the engine changed, and what people took or were given: keys, people, sessions, models, rollouts, dead letters, months, review cases, rates, exports. A change has its row by the database transaction that changes; rows are only appended.';

-- Locks audit_log for a moment.
comment on table audit_log is
  'What people and the engine changed, and what people took or were given: keys, people, sessions, models, rollouts, dead letters, months, review cases, rates, exports. A change has its row by the database transaction that changes; rows are only appended.';

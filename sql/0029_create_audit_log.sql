-- A new table: nothing that exists is locked.
create table audit_log (
  audit_id bigint constraint audit_log_pkey primary key,
  changed_at timestamptz(3) not null default clock_timestamp(),
  who text not null,
  key_id text,
  action text not null,
  subject text not null,
  before jsonb,
  after jsonb,
  request text not null,
  constraint audit_ids_begin_at_one check (audit_id > 0),
  constraint audit_by_somebody check (btrim(who) <> '')
);
comment on table audit_log is
  'What people and the engine changed: keys, people, models, rollouts, dead letters, months. A row is written by the database transaction that changes; rows are only appended.';
comment on column audit_log.audit_id is 'In the order of commits, without a gap: the writer before has committed when the next number is taken.';
comment on column audit_log.who is 'A person; key of an owner, for one that is no person''s; engine; or a database role that came without a key.';
comment on column audit_log.request is 'Id of the request (X-Request-Id), or name of the command or process.';
create index audit_log_who_idx on audit_log (who, audit_id);
create index audit_log_action_idx on audit_log (action, audit_id);

create trigger audit_log_never_changes before update or delete or truncate on audit_log
  for each statement execute function refuse_change();
-- Also where session_replication_role = replica leaves other triggers out.
alter table audit_log enable always trigger audit_log_never_changes;

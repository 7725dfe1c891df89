-- Answers to writes that carry an idempotency key, and the role auditor. Makes a table; locks the table of keys for a moment.

-- transaction: answers
create table kept_answers (
  digest bytea constraint kept_answers_pkey primary key,
  fingerprint bytea not null,
  claimed_at timestamptz(3) not null default now(),
  answer bytea,
  constraint answer_digest_is_sha256 check (octet_length(digest) = 32),
  constraint answer_fingerprint_is_sha256 check (octet_length(fingerprint) = 32)
);
alter table kept_answers enable row level security;
comment on table kept_answers is
  'A row a write that carried an Idempotency-Key. Only the caller can name or read it: all columns are derived from the credential of the request.';
comment on column kept_answers.digest is 'SHA-256 of credential and key.';
comment on column kept_answers.fingerprint is 'SHA-256 of a secret of credential and key, and of method, path and body.';
comment on column kept_answers.answer is
  'Status, headers and body, encrypted by the same secret; null while the request runs, and for good where its process died.';
create index kept_answers_claimed_idx on kept_answers (claimed_at);

-- transaction: role
alter table api_keys
  drop constraint roles_known,
  add constraint roles_known
    check (roles <@ array['ingest', 'analyst', 'operator', 'risk_officer', 'admin', 'auditor', 'personal_data']);

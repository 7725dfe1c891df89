-- Locks api_keys for a moment, twice.
-- transaction: sessions
create table sessions (
  session_id text constraint sessions_pkey primary key,
  token_hash bytea not null constraint sessions_token_key unique,
  key_id text not null constraint sessions_key_fkey references api_keys (key_id),
  created_at timestamptz(3) not null default now(),
  used_at timestamptz(3) not null default now(),
  expires_at timestamptz(3) not null,
  ended_at timestamptz(3),
  constraint session_hash_is_sha256 check (octet_length(token_hash) = 32),
  constraint sessions_expire_later check (expires_at > created_at)
);
comment on table sessions is 'Logins of browsers: each has the roles of its key, as long as the key is in force. Only the SHA-256 of a token is kept.';
comment on column sessions.used_at is 'To the minute; a session ends where nobody uses it.';
comment on column sessions.ended_at is 'Logged out or revoked; null for one that is open or has expired.';
create index sessions_key_idx on sessions (key_id, created_at);
create index sessions_expiry_idx on sessions (expires_at);
-- transaction: links
create table login_links (
  token_hash bytea constraint login_links_pkey primary key,
  key_id text not null constraint login_links_key_fkey references api_keys (key_id),
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3) not null,
  used_at timestamptz(3),
  constraint link_hash_is_sha256 check (octet_length(token_hash) = 32)
);
comment on table login_links is 'Links that log a browser in once, with the roles of a key. Only the SHA-256 of a token is kept.';
create index login_links_expiry_idx on login_links (expires_at);

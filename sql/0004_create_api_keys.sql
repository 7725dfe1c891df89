create table api_keys (
  key_id text constraint api_keys_pkey primary key,
  key_hash bytea not null constraint api_keys_hash_key unique,
  roles text[] not null,
  client text not null default 'default',
  owner text not null default '',
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3),
  revoked_at timestamptz(3),
  constraint key_hash_is_sha256 check (octet_length(key_hash) = 32),
  constraint roles_known check (roles <@ array['ingest', 'analyst', 'operator', 'risk_officer', 'admin']),
  constraint roles_not_empty check (cardinality(roles) > 0)
);
comment on table api_keys is 'Bearer keys: only the SHA-256 of a key is kept; the key is shown once, when it is made.';

-- Logins of people whom a provider of identities (OpenID Connect) names. Makes a table; its foreign key locks api_keys against writes
-- for a moment.

create table provider_logins (
  issuer text not null,
  subject text not null,
  name text not null,
  key_id text constraint provider_logins_key_fkey references api_keys (key_id),
  bound_at timestamptz(3) not null default now(),
  constraint provider_logins_pkey primary key (issuer, subject),
  constraint provider_logins_name_key unique (issuer, name)
);
alter table provider_logins enable row level security;
comment on table provider_logins is
  'Who logs in by a provider: a name belongs to the subject that had it first, and its sessions are those of the key.';
comment on column provider_logins.subject is 'Claim sub: the same for ever, while names may change.';
comment on column provider_logins.key_id is 'A key that nobody has the secret of, another one once the roles have changed; null while the claim gives no role. A key that people revoke shuts the subject out.';

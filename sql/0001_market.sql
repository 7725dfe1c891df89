-- The schema of a market, and `shared` with the first market. It makes new tables and locks none that is there already, but
-- shared.corridors against other migrations for a moment.
--
-- Names have no schema: they land in the first schema of the search_path, the market's. A function with
-- `set search_path from current` keeps that path, because the search_path of its caller may be any other.

-- What all markets share, and corridors

-- Every market may read `shared`, and none writes it at run time. The migrating role owns it.
create schema if not exists shared;

-- Triggers that keep rows as they are call this function; an argument says what may happen to a row instead.
create or replace function shared.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '%', concat_ws(': ', format('rows of %s are never changed', tg_table_name), tg_argv[0])
    using errcode = 'integrity_constraint_violation';
end $$;

create table if not exists shared.corridors (
  corridor text constraint corridors_pkey primary key,
  created_at timestamptz(3) not null default now(),
  market text,
  constraint corridor_is_source_destination check (corridor ~ '^[A-Z]{2}-[A-Z]{2}$')
);
comment on table shared.corridors is 'Ordered pairs source country - destination country that transactions may name, and of which market. Written by migrate (seed and RISK_CORRIDORS).';
comment on column shared.corridors.market is 'The one market whose transactions may name the corridor: a schema of this database. Null, or a schema that is gone: the first that asks gets it.';
insert into shared.corridors (corridor) values
  ('US-EG'), ('US-MX'), ('US-PH'), ('US-IN'), ('GB-NG'), ('GB-PK'),
  ('AE-IN'), ('SA-EG'), ('DE-TR'), ('FR-MA'), ('ES-CO'), ('US-US')
on conflict do nothing;
update shared.corridors set market = current_schema() where market is null;

create or replace function shared.claim_corridor(asked text, claimant text) returns text
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
  begin
    if not exists (select from pg_namespace where nspname = claimant and pg_has_role(session_user, nspowner, 'usage')) then
      raise exception 'the role % does not own the market %', session_user, claimant using errcode = 'insufficient_privilege';
    end if;
    insert into shared.corridors as c (corridor, market) values (asked, claimant)
        on conflict (corridor) do update set market = excluded.market
           where c.market is null or not exists (select from pg_namespace where nspname = c.market);
    return (select market from shared.corridors where corridor = asked);
  end $$;
comment on function shared.claim_corridor is 'Gives a corridor that no market has to a market whose schema the caller owns, who may not write this schema. Returns the market that has it afterwards.';
revoke all on function shared.claim_corridor from public;

do $$ begin
  execute format('create view corridors as select corridor from shared.corridors where market = %L', current_schema());
end $$;
comment on view corridors is 'Corridors of this market.';

create table corridor_settings (
  corridor text constraint corridor_settings_pkey primary key
    constraint corridor_is_source_destination check (corridor ~ '^[A-Z]{2}-[A-Z]{2}$'),
  version bigint not null default 1,
  weight double precision not null default 1 constraint weight_bounded check (weight >= 0.1 and weight <= 10),
  residency text constraint residency_bounded check (char_length(residency) between 1 and 64),
  shards smallint not null default 1 constraint shards_bounded check (shards between 1 and 16),
  log text not null default 'streams' constraint log_known check (log in ('streams', 'both', 'kafka')),
  log_changed_at timestamptz(3),
  compared_from timestamptz(3),
  compared_to timestamptz(3),
  changed_by text not null,
  changed_at timestamptz(3) not null default now(),
  constraint compared_whole check (compared_from is not null or compared_to is null)
);
comment on table corridor_settings is 'What was set for a corridor; a corridor without a row has the defaults. The audit log has the history.';
comment on column corridor_settings.weight is 'Factor of the corridor''s part of a worker''s batch, and of what a drain leaves to it.';
comment on column corridor_settings.residency is 'Where data of the corridor must stay: a tag for people, which the engine does not act on.';
comment on column corridor_settings.shards is 'Streams that the corridor is divided into, by account.';
comment on column corridor_settings.log is 'Where entries are appended and events published: Redis Streams, Kafka, or both.';
comment on column corridor_settings.log_changed_at is 'When it changed; null: it was always streams, and no process looks in Kafka.';
comment on column corridor_settings.compared_from is 'Transactions received from here on are in both logs, as every process had read the setting by then.';
comment on column corridor_settings.compared_to is 'The last of them; null while the log is both.';

-- Keys, people, sessions and the audit log

create table api_keys (
  key_id text constraint api_keys_pkey primary key,
  key_hash bytea not null constraint api_keys_hash_key unique,
  roles text[] not null,
  client text not null default 'default',
  owner text not null default '',
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3),
  revoked_at timestamptz(3),
  identity text,
  made_by text constraint api_keys_made_by_fkey references api_keys (key_id),
  confirmed_by text constraint api_keys_confirmed_by_fkey references api_keys (key_id),
  confirmed_at timestamptz(3),
  constraint key_hash_is_sha256 check (octet_length(key_hash) = 32),
  constraint roles_known check (
    roles <@ array['ingest', 'analyst', 'operator', 'risk_officer', 'admin', 'auditor', 'personal_data']),
  constraint roles_not_empty check (cardinality(roles) > 0),
  constraint approving_keys_have_a_person
    check (identity is not null or revoked_at is not null or not 'risk_officer' = any (roles)),
  constraint confirmed_keys_have_a_person check (identity is not null or confirmed_at is null),
  constraint bootstrap_keys_are_nobody check (key_id !~ '^bootstrap[0-9a-f]*$' or identity is null)
);
comment on table api_keys is 'Bearer keys: only the SHA-256 of a key is kept; the key is shown once, when it is made.';
comment on column api_keys.identity is 'The person; null for a key of nobody in particular, which never approves.';
comment on column api_keys.made_by is 'The key; null: whoever has the database.';
comment on column api_keys.confirmed_by is 'The key; null where whoever has the database made one of the first two who approve.';
comment on column api_keys.confirmed_at is 'A role that approves counts from here on.';
create index api_keys_identity_idx on api_keys (identity);

create table identities (
  identity text constraint identities_pkey primary key,
  folded text not null constraint identities_folded_key unique,
  created_at timestamptz(3) not null default now(),
  made_by text constraint identities_made_by_fkey references api_keys (key_id),
  revoked_at timestamptz(3),
  constraint identity_is_a_name check (
    identity = btrim(identity) and folded not in ('', 'engine') and folded !~ '^(key|database role) ')
);
comment on table identities is 'People who own keys.';
comment on column identities.folded is 'The name without regard to case and to forms of characters: spellings of one person. The engine folds it, as functions of Postgres fold by the locale of the database.';
comment on column identities.made_by is 'The key; null: whoever has the database.';
alter table api_keys add constraint api_keys_identity_fkey foreign key (identity) references identities (identity);

-- The person of a key that may approve now; null for every other key.
create function approver_of(key text) returns text language sql stable set search_path from current as $$
  select i.identity
    from api_keys k join identities i on i.identity = k.identity
   where k.key_id = key and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
     and k.confirmed_at is not null and i.revoked_at is null and 'risk_officer' = any (k.roles)
$$;

-- A key, and whatever made it or its person. It ends at a key that whoever has the database made, who vouches for its person.
create function line_of(key text) returns table (key_id text, identity text)
language sql stable set search_path from current as $$
  with recursive line (key_id, identity, made_by) as (
    select k.key_id, k.identity, k.made_by from api_keys k where k.key_id = key
    union
    select m.key_id, m.identity, m.made_by
      from line l
      left join identities i on i.identity = l.identity and l.made_by is not null
      join api_keys m on m.key_id in (l.made_by, i.made_by)
  )
  select l.key_id, l.identity from line l
$$;

-- Whether a key of nobody is in the line of a key: anybody may hold it then.
create function is_nobodys(key text) returns boolean language sql stable set search_path from current as $$
  select exists (select from line_of(key) where identity is null)
$$;

-- Somebody who may hold both keys: a person of their lines, or whoever has a key of nobody; null where they are two people's.
create function shared_maker(one text, other text) returns text language sql stable set search_path from current as $$
  select coalesce(identity, 'key ' || key_id) from line_of(one)
  intersect select coalesce(identity, 'key ' || key_id) from line_of(other) limit 1
$$;

create function require_approver(person text, key text) returns void language plpgsql set search_path from current as $$
begin
  if key is null or approver_of(key) is distinct from person then
    raise exception '% may not approve by the key %', person, coalesce(key, 'of nobody')
      using errcode = 'integrity_constraint_violation';
  end if;
end $$;

create function require_two_people(subject text, maker_key text, approver text, approver_key text) returns void
language plpgsql set search_path from current as $$
begin
  perform require_approver(approver, approver_key);
  if maker_key is null or shared_maker(maker_key, approver_key) is not null then
    raise exception '% and its approval are not two people''s', subject using errcode = 'integrity_constraint_violation';
  end if;
end $$;

-- Its arguments are the columns of the maker's key, of the approver, and of the approver's key. `known`: people have made the maker's
-- key, or another person has confirmed it.
create function refuse_own_approval() returns trigger language plpgsql set search_path from current as $$
declare
  changed jsonb := to_jsonb(new);
  maker text := changed ->> tg_argv[0];
begin
  if tg_argv[3] = 'known' and approver_of(maker) is null and is_nobodys(maker) then maker := null; end if;
  perform require_two_people('a row of ' || tg_table_name, maker, changed ->> tg_argv[1], changed ->> tg_argv[2]);
  return null;
end $$;

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

create table provider_logins (
  issuer text not null,
  subject text not null,
  name text not null,
  folded text not null,
  key_id text constraint provider_logins_key_fkey references api_keys (key_id),
  bound_at timestamptz(3) not null default now(),
  constraint provider_logins_pkey primary key (issuer, subject),
  constraint provider_logins_name_key unique (issuer, folded)
);
comment on table provider_logins is 'Who logs in by a provider: a name belongs to the subject that had it first, and its sessions are those of the key.';
comment on column provider_logins.subject is 'Claim sub: the same for ever, while names may change.';
comment on column provider_logins.folded is 'The name as identities.folded has it.';
comment on column provider_logins.key_id is 'A key that nobody has the secret of, another one once the roles have changed; null while the claim gives no role. A key that people revoke shuts the subject out.';

create table kept_answers (
  digest bytea constraint kept_answers_pkey primary key,
  fingerprint bytea not null,
  claimed_at timestamptz(3) not null default now(),
  answer bytea,
  constraint answer_digest_is_sha256 check (octet_length(digest) = 32),
  constraint answer_fingerprint_is_sha256 check (octet_length(fingerprint) = 32)
);
comment on table kept_answers is 'A row a write that carried an Idempotency-Key. Only the caller can name or read it: all columns are derived from the credential of the request.';
comment on column kept_answers.digest is 'SHA-256 of credential and key.';
comment on column kept_answers.fingerprint is 'SHA-256 of a secret of credential and key, and of method, path and body.';
comment on column kept_answers.answer is 'Status, headers and body, encrypted by the same secret; null while the request runs, and for good where its process died.';
create index kept_answers_claimed_idx on kept_answers (claimed_at);

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
comment on table audit_log is 'What people and the engine changed, and what people took or were given: keys, people, sessions, models, rollouts, dead letters, months, review cases, rates, exports. A change has its row by the database transaction that changes; rows are only appended.';
comment on column audit_log.audit_id is 'In the order of commits, without a gap: the writer before has committed when the next number is taken.';
comment on column audit_log.who is 'A person; key of an owner, for one that is no person''s; engine; or a database role that came without a key.';
comment on column audit_log.request is 'Id of the request (X-Request-Id), or name of the command or process.';
create index audit_log_who_idx on audit_log (who, audit_id);
create index audit_log_action_idx on audit_log (action, audit_id);
-- What was done with a review case.
create index audit_log_case_idx on audit_log (subject, audit_id) where action like 'case.%';
create trigger audit_log_never_changes before update or delete or truncate on audit_log
  for each statement execute function refuse_change();
-- Also where session_replication_role = replica leaves other triggers out.
alter table audit_log enable always trigger audit_log_never_changes;

-- Decisions of two people

create table approvals (
  approval_id bigint generated always as identity constraint approvals_pkey primary key,
  kind text not null constraint kind_is_word check (kind ~ '^[a-z-]{1,32}$'),
  subject text not null constraint subject_bounded check (char_length(subject) between 1 and 300),
  detail jsonb not null constraint detail_bounded check (octet_length(detail::text) <= 20000),
  reason text constraint reason_bounded check (char_length(btrim(reason)) between 1 and 1024),
  proposed_by text not null,
  proposed_by_key text not null constraint approvals_proposer_fkey references api_keys (key_id),
  proposed_at timestamptz(3) not null default clock_timestamp(),
  ends_at timestamptz(3) not null,
  confirmed_by text,
  confirmed_by_key text constraint approvals_confirmer_fkey references api_keys (key_id),
  confirmed_at timestamptz(3) constraint confirmed_in_time check (confirmed_at < ends_at),
  withdrawn_by text,
  withdrawn_at timestamptz(3),
  result jsonb,
  constraint people_whole check (num_nulls(confirmed_by, confirmed_by_key, confirmed_at) in (0, 3) and num_nulls(withdrawn_by, withdrawn_at) in (0, 2)),
  constraint ends_once check (withdrawn_at is null or num_nonnulls(confirmed_at, result) = 0)
);
comment on table approvals is 'What one person proposed and another person confirmed or somebody withdrew. The commit of the confirmation does what detail says.';
create unique index approvals_waiting_key on approvals (kind, subject) where confirmed_at is null and withdrawn_at is null;
create trigger approvals_stay before delete or truncate on approvals for each statement execute function refuse_change();
create trigger approvals_keep before update on approvals for each row
  when ((new.approval_id, new.kind, new.subject, new.detail, new.reason, new.proposed_by, new.proposed_by_key, new.proposed_at, new.ends_at)
        is distinct from (old.approval_id, old.kind, old.subject, old.detail, old.reason, old.proposed_by, old.proposed_by_key,
                          old.proposed_at, old.ends_at)
        or old.withdrawn_at is not null or old.result is not null
        or old.confirmed_at is not null and (new.confirmed_by, new.confirmed_by_key, new.confirmed_at)
           is distinct from (old.confirmed_by, old.confirmed_by_key, old.confirmed_at))
  execute function refuse_change('they are confirmed or withdrawn once');

create trigger approvals_need_two_people after insert or update of confirmed_at on approvals
  for each row when (new.confirmed_at is not null)
  execute function refuse_own_approval('proposed_by_key', 'confirmed_by', 'confirmed_by_key', 'known');

-- Refuses a row without a confirmed approval that says the same. Its arguments are the kind, and columns that are members of the detail.
create function refuse_unapproved() returns trigger language plpgsql set search_path from current as $$
begin
  if not exists (select from approvals
                  where approval_id = new.approval_id and kind = tg_argv[0] and confirmed_at is not null
                    and detail @> (select jsonb_object_agg(key, value) from jsonb_each(to_jsonb(new)) where key = any (tg_argv[1:]))) then
    raise exception 'a row takes a % that two people have approved', tg_argv[0] using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;

-- Controls

create table controls (
  kind text not null constraint kind_is_word check (kind ~ '^[a-z-]{1,32}$'),
  scope text not null constraint scope_bounded check (length(scope) between 1 and 80),
  value jsonb constraint value_bounded check (length(value::text) <= 20000),
  reason text not null,
  message text,
  ends_at timestamptz(3),
  set_by text not null,
  set_at timestamptz(3) not null default clock_timestamp(),
  version bigint not null,
  holds_scores boolean not null default false,
  constraint controls_pkey primary key (kind, scope)
);
comment on table controls is 'A row for each control by which people bound a scope. Each statement that stores scores locks the table in share mode until its commit, so a change waits for such statements and later ones read it. The audit log has the history.';
comment on column controls.value is 'The value of the kind: points, an amount, or a rate and a burst. Null: the kind has none.';
comment on column controls.ends_at is 'When the control ends or was ended; a change deletes the row a day later. Null: it lasts until somebody ends it.';
comment on column controls.version is 'The number of the change that wrote the row; each change of any control has the next number.';
comment on column controls.holds_scores is 'Whether no score of the scope is stored while the control is in force.';
create index controls_holding_idx on controls (scope) where holds_scores;

create function stopped_among(asked text[]) returns text[]
  language plpgsql set search_path from current as $$
  declare
    stopped text[];
  begin
    lock table controls in share mode;
    -- A statement of its own sees what was committed before the lock was granted.
    select array_agg(scope) into stopped from controls
     where holds_scores and coalesce(ends_at, 'infinity') > clock_timestamp();
    if stopped is null then return '{}'; end if;
    return array(select distinct corridor from unnest(asked) as corridor
                  where stopped && array['all', 'market', 'corridor:' || corridor]);
  end $$;
comment on function stopped_among is 'The corridors among these of which no score may be stored. Until the end of the transaction no control changes.';

create function refuse_stopped(asked text[]) returns boolean
  language plpgsql set search_path from current as $$
  declare
    corridors text[] := stopped_among(asked);
  begin
    if corridors <> '{}' then
      raise exception 'corridors are stopped: %', array_to_string(corridors, ', ') using errcode = 'RS001';
    end if;
    return true;
  end $$;
comment on function refuse_stopped is 'True where scores of all these corridors are stored; raises RS001 otherwise.';

create unlogged table limit_processes (
  process text constraint limit_processes_pkey primary key,
  seen_at timestamptz(3) not null default now()
);
comment on table limit_processes is 'API processes that enforce limits, each seen every two seconds while there is a limit: without Redis each grants its share. A crash of Postgres empties the table.';

-- Declared and personal fields

create table metadata_fields (
  name text constraint metadata_fields_pkey primary key constraint field_name check (name ~ '^[A-Za-z][A-Za-z0-9_]{0,39}$'),
  type text not null constraint field_type_known check (type in ('text', 'number', 'boolean')),
  description text not null constraint description_bounded check (char_length(description) between 1 and 500),
  declared_by text not null,
  declared_at timestamptz(3) not null default now()
);
comment on table metadata_fields is 'Members of metadata that travel with the transaction and are stored with its score, at most 16; processes read them with the controls.';

create table personal_fields (
  field text constraint personal_fields_pkey primary key
    constraint personal_field_known check (field ~ '^(account_id|device_id|ip|metadata(\.[A-Za-z][A-Za-z0-9_]{0,39}){1,4})$'),
  declared_by text not null,
  declared_at timestamptz(3) not null default now()
);
comment on table personal_fields is 'Fields whose values are stored, streamed and logged as tokens, declared before the first transaction. No row: values are kept as they come.';

create table personal_state (
  is_only boolean not null default true constraint personal_state_pkey primary key constraint one_state check (is_only),
  version bigint not null default 0,
  key_id text,
  market_key bytea,
  constraint market_key_whole check ((key_id is null) = (market_key is null))
);
comment on table personal_state is 'The key that finds subjects, wrapped; API processes read it with the fields where the version is another one.';
comment on column personal_state.version is 'Ascends with each declaration and each erasure.';
comment on column personal_state.key_id is 'The key of RISK_PRIVACY_KEYS that wraps the market key.';
insert into personal_state default values;

create table subjects (
  lookup uuid constraint subjects_pkey primary key,
  token text not null constraint subjects_token_key unique,
  field text not null,
  key_id text not null,
  subject_key bytea not null,
  value bytea not null,
  made_at timestamptz(3) not null default now()
);
comment on table subjects is 'One value of one personal field a row: deleting the row is what makes a token lead nowhere.';
comment on column subjects.lookup is 'The first 16 bytes of HMAC-SHA-256(market key, field and value).';
comment on column subjects.token is 'Made of HMAC-SHA-256(subject key, value), so it cannot be made again without the row.';
comment on column subjects.key_id is 'The key of RISK_PRIVACY_KEYS that wraps the subject key.';
comment on column subjects.subject_key is 'A key of its own, wrapped by AES-256-GCM.';
comment on column subjects.value is 'JSON text of the value, encrypted with the subject key by AES-256-GCM.';

create table erasures (
  token text constraint erasures_pkey primary key,
  field text not null,
  reason text not null constraint reason_bounded check (char_length(reason) between 1 and 500),
  asked_by text not null,
  confirmed_by text,
  erased_at timestamptz(3) not null default now(),
  report jsonb
);
comment on table erasures is 'Subjects that were erased, by their tokens; nothing here leads to a value.';
comment on column erasures.report is 'Of an account: by field, how many subjects that this account alone had went with it and how many were left, and its cases with notes.';

-- Transactions

create table transactions (
  transaction_id uuid not null,
  created_at timestamptz(3) not null,
  received_at timestamptz(3) not null,
  account_id text not null,
  merchant_id text not null,
  corridor text not null,
  amount numeric not null,
  currency text not null,
  type text,
  ip text,
  device_id text,
  country text,
  channel text,
  metadata jsonb,
  inserted_xid xid8 not null default pg_current_xact_id(),
  client text not null,
  constraint transactions_pkey primary key (transaction_id, created_at),
  -- The upper bound also refuses NaN, which numeric sorts above every number.
  constraint amount_in_range check (amount > 0 and amount < 1e15),
  constraint amount_scale_in_range check (scale(amount) <= 4),
  constraint account_id_length check (char_length(account_id) between 1 and 128),
  constraint merchant_id_length check (char_length(merchant_id) between 1 and 128),
  constraint currency_length check (char_length(currency) = 3),
  constraint corridor_length check (char_length(corridor) = 5),
  constraint metadata_size check (octet_length(metadata::text) <= 8192)
) partition by range (created_at);
comment on table transactions is 'One row per accepted transaction, one partition per UTC month of created_at. Written once by ingest, never updated.';
comment on column transactions.transaction_id is 'UUIDv7 whose time part is created_at to the millisecond, so that an id alone names its partition.';
comment on column transactions.created_at is 'When it happened, by the caller (default: when received).';
comment on column transactions.received_at is 'When it was stored, by Postgres'' clock, read once its database transaction had an id: what a time is behind, an id proves.';
comment on column transactions.inserted_xid is 'The database transaction that stored it: orders rows for the tallies.';
comment on column transactions.client is 'Client of the API key that it came with, the only one that reads it by a key whose one role is ingest.';
-- Lists of an account and of a merchant, and the rebuild of their profiles.
create index transactions_account_idx on transactions (account_id, created_at);
create index transactions_merchant_idx on transactions (merchant_id, created_at);
-- Rows arrive in the order of received_at, so a few kilobytes of BRIN find the newest rows for the reconciler.
create index transactions_received_idx on transactions using brin (received_at) with (pages_per_range = 32);
-- Rows that the tallies of merchants lack.
create index transactions_inserted_idx on transactions (inserted_xid);
-- Searches by device and by address.
create index transactions_device_idx on transactions (device_id, created_at) where device_id is not null;
create index transactions_ip_idx on transactions (ip, created_at) where ip is not null;

-- Idempotency keys

-- The key of a row: 16 bytes of SHA-256, so that an index entry is as short for a key of 255 characters as for any.
create function idempotency_digest(client text, key text) returns uuid
  language sql immutable strict parallel safe
  return encode(substr(sha256(convert_to(client, 'UTF8') || '\x00'::bytea || convert_to(key, 'UTF8')), 1, 16), 'hex')::uuid;
comment on function idempotency_digest is 'What idempotency_keys knows a client''s key by; digestKeys in src/core/store/idempotency-keys/idempotency-keys.ts computes the same.';

create table idempotency_slices (
  slice int constraint idempotency_slices_pkey primary key,
  opened_at timestamptz(3) not null,
  sealed_at timestamptz(3)
);
comment on table idempotency_slices is 'One row per partition of idempotency_keys. Exactly one is open and takes keys; the others are sealed and dropped whole RISK_IDEMPOTENCY_RETENTION_DAYS after that.';
comment on column idempotency_slices.slice is 'Random, so that what a process remembers of a slice never fits one of another history, as of a restored backup.';
create unique index idempotency_slices_open_key on idempotency_slices ((sealed_at is null)) where sealed_at is null;

create table idempotency_keys (
  slice int not null,
  digest uuid not null,
  transaction_id uuid not null,
  fingerprint uuid not null
) partition by list (slice);
comment on table idempotency_keys is 'One row per (client, key): the transaction it made. Unique within a slice by index; across slices because a sealed slice takes no row and is asked before the open one is written.';
comment on column idempotency_keys.digest is 'idempotency_digest(client, key)';
comment on column idempotency_keys.fingerprint is 'The first 16 bytes of SHA-256 of the validated body before defaults.';

-- Makes a partition and the row of its slice; the caller sees to it that no other slice is open.
create function open_idempotency_slice() returns int
  language plpgsql set search_path from current as $$
  declare
    number int := floor(random() * 2147483647);
    name text := 'idempotency_keys_' || number;
  begin
    execute format('create table %I (like idempotency_keys, constraint %I primary key (digest)) with (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 200000, autovacuum_analyze_scale_factor = 0.1)', name, name || '_pkey');
    execute format('alter table %I enable row level security', name);
    execute format('alter table idempotency_keys attach partition %I for values in (%s)', name, number);
    insert into idempotency_slices (slice, opened_at) values (number, clock_timestamp());
    return number;
  end $$;

-- No row gets in any more. It waits for transactions that write into the slice: whatever they wrote is committed before
-- anybody can know of the next slice.
create function seal_idempotency_slice(number int) returns void
  language plpgsql set search_path from current as $$
  declare
    name text := 'idempotency_keys_' || number;
  begin
    execute format('alter table %I add constraint %I check (false) not valid', name, name || '_sealed');
    update idempotency_slices set sealed_at = clock_timestamp() where slice = number;
  end $$;

select open_idempotency_slice();

-- Open rows and logs

create table open_rows (
  row_id uuid constraint open_rows_pkey primary key,
  opened_at timestamptz(3) not null,
  corridor text not null,
  shard smallint not null,
  is_left boolean not null default false,
  is_on_hold boolean not null default false,
  transaction_ids uuid[] not null,
  constraint open_ids_bounded check (cardinality(transaction_ids) between 1 and 128)
) with (vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
comment on table open_rows is 'One row per stream entry: its transactions that have neither a score nor a dead letter. Ends when it is empty. The reconciler appends a row that no entry names.';
comment on column open_rows.opened_at is 'By Postgres'' clock; of transactions that came with it, their received_at.';
comment on column open_rows.is_left is 'Whether it is known not to be in a stream.';
comment on column open_rows.is_on_hold is 'Whether a control holds its scores; the reconciler appends the row once the control has ended.';
-- A look at a row should find its ids there: TOAST would take two more rows and an index for them.
alter table open_rows alter column transaction_ids set storage plain;
-- The table keeps the pages below for ever, so that no plan that is made while it is empty reads all of it when it is full.
insert into open_rows (row_id, opened_at, corridor, shard, transaction_ids)
select gen_random_uuid(), now(), 'XX-XX', 0, array_fill(gen_random_uuid(), array[128]) from generate_series(1, 300);
delete from open_rows;
create index open_rows_left_idx on open_rows (corridor, shard, opened_at, row_id) where is_left;
create index open_rows_on_hold_idx on open_rows (corridor) where is_on_hold;

create table log_deliveries (
  corridor text not null,
  digest bytea not null constraint digest_is_sha256 check (octet_length(digest) = 32),
  received_at timestamptz(3) not null,
  transaction_ids uuid[] not null constraint transactions_bounded check (cardinality(transaction_ids) between 1 and 128),
  streams_shard smallint,
  kafka_partition smallint,
  delivered_at timestamptz(3) not null default now(),
  constraint log_deliveries_pkey primary key (corridor, digest),
  constraint delivered_by_some check (streams_shard is not null or kafka_partition is not null)
);
comment on table log_deliveries is 'What Streams and Kafka delivered of a corridor that has both: a row an entry, written by workers before the entry is settled.';
comment on column log_deliveries.digest is 'SHA-256 of the entry: version, transactions, head and packed value.';
comment on column log_deliveries.received_at is 'When its first transaction was received.';
comment on column log_deliveries.streams_shard is 'Shard of the stream that delivered it; null: none did.';
comment on column log_deliveries.kafka_partition is 'Partition that delivered it; null: none did.';
-- Purge by age.
create index log_deliveries_delivered_idx on log_deliveries (delivered_at);

-- Profiles

create unlogged table profile_snapshots (
  kind text not null constraint profile_snapshots_kind check (kind in ('account', 'merchant')),
  party text not null,
  folded_to xid8 not null,
  folded_at timestamptz(3) not null,
  rows_from timestamptz(3) not null,
  snapshot bytea not null,
  constraint profile_snapshots_pkey primary key (kind, party)
) with (toast_tuple_target = 8160);
comment on table profile_snapshots is 'Profiles of accounts and merchants as a rebuild has made them. They are a cache: a crash empties the table, and workers fill it again.';
comment on column profile_snapshots.folded_to is 'The snapshot has every transaction and label of the party that a database transaction before this one has stored.';
comment on column profile_snapshots.folded_at is 'When the snapshot was stored.';
comment on column profile_snapshots.rows_from is 'No database transaction from folded_to on began before it, so rows stored since are hardly older; late_rows has the others.';
comment on column profile_snapshots.snapshot is 'A block of the profile''s log, as it stands in Redis.';
-- Records of random ids do not compress. A snapshot of up to 200 records stands in its row.
alter table profile_snapshots alter column snapshot set storage external;
-- The oldest snapshots are removed first.
create index profile_snapshots_folded_idx on profile_snapshots (folded_to);

create unlogged table snapshot_voids (
  kind text not null constraint snapshot_voids_kind check (kind in ('account', 'merchant', 'every')),
  party text not null,
  voided_by xid8 not null default pg_current_xact_id(),
  voided_at timestamptz(3) not null default now()
);
comment on table snapshot_voids is 'Parties whose snapshots are of no use if they are older than the row, as they lack a label. Kind every: all snapshots.';
comment on column snapshot_voids.voided_by is 'Snapshots with folded_to up to it are void.';
create index snapshot_voids_party_idx on snapshot_voids (kind, party);
create index snapshot_voids_at_idx on snapshot_voids (voided_at);

create unlogged table late_rows (
  -- Ids of database transactions, 8,192 a bucket.
  bucket bigint not null,
  from_at timestamptz(3) not null,
  stored_at timestamptz(3) not null default now()
);
comment on table late_rows is 'How far back readers of a snapshot look for rows that were stored since: a batch with a transaction that is two seconds late or more has a row here, unless one of its bucket says so already.';
create index late_rows_bucket_idx on late_rows (bucket, from_at);
create index late_rows_stored_idx on late_rows (stored_at);

create table tally_checkpoint (
  only_row boolean constraint tally_checkpoint_pkey primary key default true constraint one_row check (only_row),
  folded_to xid8 not null
);
comment on table tally_checkpoint is 'Rows of transactions with inserted_xid before folded_to are in the tallies, those from it on are not. All database transactions before it have ended.';
insert into tally_checkpoint (folded_to) values (pg_snapshot_xmin(pg_current_snapshot()));

create table tallied_merchants (
  merchant_id text constraint tallied_merchants_pkey primary key,
  tallied_to timestamptz(3) not null default '-infinity'
);
comment on table tallied_merchants is 'Merchants with more transactions than a rebuild may count. Those created until tallied_to are in the tallies; infinity: all are.';

create table merchant_hours (
  merchant_id text not null,
  hour_at timestamptz(3) not null,
  currency text not null,
  count integer not null,
  sum numeric not null,
  constraint merchant_hours_pkey primary key (merchant_id, hour_at, currency)
);
comment on table merchant_hours is 'Transactions of a tallied merchant by UTC hour of created_at and currency: how many, and the sum of their amounts.';
-- Hours of months that are gone.
create index merchant_hours_hour_idx on merchant_hours (hour_at);

create table merchant_hour_parts (
  merchant_id text not null,
  from_at timestamptz(3) not null,
  from_id uuid not null,
  currency text not null,
  count integer not null,
  sum numeric not null,
  constraint merchant_hour_parts_pkey primary key (merchant_id, from_at, from_id, currency)
);
comment on table merchant_hour_parts is 'The same for parts of hours that have too many transactions to count: from one place in (created_at, transaction_id) to the next part, or the end of the hour.';
create index merchant_hour_parts_from_idx on merchant_hour_parts (from_at);

-- Lists

create table if not exists shared.reference_lists (
  name text constraint reference_lists_pkey primary key
    constraint reference_list_name check (name ~ '^shared-[a-z0-9][a-z0-9_-]{0,56}$'),
  effect text not null constraint effect_known check (effect in ('allow', 'block', 'watch')),
  kind text not null constraint kind_known check (kind in ('account', 'merchant', 'device', 'address', 'country', 'hash')),
  source text not null constraint source_bounded check (char_length(source) between 1 and 500),
  source_date date not null,
  version bigint not null default 1,
  bulk_version bigint not null default 1,
  open_entries integer not null default 0,
  created_by text not null,
  created_at timestamptz(3) not null default now()
);
comment on table shared.reference_lists is 'Lists that every market reads, as of sanctioned countries. Written by risk lists import --shared.';
comment on column shared.reference_lists.source_date is 'As of when the source says so.';

create table if not exists shared.reference_entries (
  entry_id bigint generated always as identity constraint reference_entries_pkey primary key,
  list text not null constraint reference_entries_list_fkey references shared.reference_lists (name),
  value text not null constraint value_bounded check (char_length(value) between 1 and 128),
  addresses inet,
  reason text not null,
  expires_at timestamptz(3),
  added_by text not null,
  valid_from timestamptz(3) not null,
  valid_to timestamptz(3),
  ended_by text,
  constraint ended_by_somebody check ((valid_to is null) = (ended_by is null))
);
comment on table shared.reference_entries is 'History of reference lists: a row is never changed, it is ended.';
create unique index if not exists reference_entries_open_key on shared.reference_entries (list, value) where valid_to is null;
create index if not exists reference_entries_value_idx on shared.reference_entries (list, value);
create index if not exists reference_entries_list_idx on shared.reference_entries (list, entry_id);
create index if not exists reference_entries_addresses_idx on shared.reference_entries (list, addresses)
  where valid_to is null and addresses is not null;
create index if not exists reference_entries_network_idx on shared.reference_entries using gist (addresses inet_ops)
  where addresses is not null;

create or replace trigger reference_entries_stay before delete on shared.reference_entries
  for each row execute function shared.refuse_change();
create or replace trigger reference_entries_keep before update on shared.reference_entries for each row
  when (old.valid_to is not null
        or (new.entry_id, new.list, new.value, new.addresses, new.reason, new.expires_at, new.added_by, new.valid_from)
           is distinct from (old.entry_id, old.list, old.value, old.addresses, old.reason, old.expires_at, old.added_by,
                             old.valid_from))
  execute function shared.refuse_change('they are ended once');

create table lists (
  name text constraint lists_pkey primary key
    constraint list_name check (name ~ '^[a-z][a-z0-9_-]{0,63}$' and name not like 'shared-%'),
  effect text not null constraint effect_known check (effect in ('allow', 'block', 'watch')),
  kind text not null constraint kind_known check (kind in ('account', 'merchant', 'device', 'address', 'country', 'hash')),
  description text not null constraint description_bounded check (char_length(description) between 1 and 500),
  version bigint not null default 1,
  bulk_version bigint not null default 1,
  open_entries integer not null default 0,
  created_by text not null,
  created_at timestamptz(3) not null default now()
);
comment on table lists is 'Lists of a market; name, effect and kind never change.';
comment on column lists.version is 'Ascends by one a change of entries; a change holds the row until its commit.';
comment on column lists.bulk_version is 'The version of the last import: a reader that knows an older one reads the list anew.';
comment on column lists.open_entries is 'Entries that nobody has ended, proposed and expired ones included.';
create trigger lists_stay before delete or truncate on lists for each statement execute function refuse_change();

create table list_imports (
  import_id bigint generated always as identity constraint list_imports_pkey primary key,
  list text not null constraint list_imports_list_fkey references lists (name),
  reason text not null constraint reason_bounded check (char_length(reason) between 1 and 500),
  rows integer not null default 0,
  added integer not null default 0,
  added_by text not null,
  added_by_key text not null constraint list_imports_key_fkey references api_keys (key_id),
  added_at timestamptz(3) not null default clock_timestamp(),
  approval_id bigint constraint list_imports_approval_fkey references approvals (approval_id),
  valid_from timestamptz(3),
  ended_at timestamptz(3),
  ended_by text,
  constraint list_imports_list_key unique (import_id, list)
);
comment on table list_imports is 'Files of entries that were added in one commit.';
comment on column list_imports.valid_from is 'Since when its entries are in force; null: an allow list waits for a second person.';
create index list_imports_list_idx on list_imports (list, import_id);
create trigger list_imports_stay before delete or truncate on list_imports for each statement execute function refuse_change();

create table list_entries (
  entry_id bigint generated always as identity constraint list_entries_pkey primary key,
  list text not null constraint list_entries_list_fkey references lists (name),
  value text not null constraint value_bounded check (char_length(value) between 1 and 128),
  addresses inet,
  reason text constraint reason_bounded check (char_length(reason) between 1 and 500),
  expires_at timestamptz(3),
  import_id bigint,
  added_by text,
  added_by_key text constraint list_entries_key_fkey references api_keys (key_id),
  added_at timestamptz(3),
  approval_id bigint constraint list_entries_approval_fkey references approvals (approval_id),
  valid_from timestamptz(3),
  valid_to timestamptz(3),
  ended_by text,
  version bigint,
  constraint list_entries_import_fkey foreign key (import_id, list) references list_imports (import_id, list),
  constraint facts_of_import_or_own check (
    case when import_id is null then num_nulls(reason, added_by, added_by_key, added_at, valid_from, version) = 0
         else num_nonnulls(added_by, added_by_key, added_at, approval_id, valid_from, version) = 0 end),
  constraint ended_by_somebody check ((valid_to is null) = (ended_by is null))
);
comment on table list_entries is 'History of lists: a row is never changed, and ended once. An imported one has author, approval and beginning of its import.';
comment on column list_entries.addresses is 'The address or network that value names; null of other kinds.';
comment on column list_entries.valid_from is 'Null: has that of its import.';
comment on column list_entries.version is 'The version of the list that the last change of the row made; null of an imported one.';
create unique index list_entries_open_key on list_entries (list, value) where valid_to is null;
create index list_entries_value_idx on list_entries (list, value);
create index list_entries_list_idx on list_entries (list, entry_id);
create index list_entries_import_idx on list_entries (import_id) where import_id is not null and valid_to is null;
create index list_entries_version_idx on list_entries (list, version) where version is not null;
create index list_entries_expiry_idx on list_entries (list, expires_at) where valid_to is null and expires_at is not null;
create index list_entries_addresses_idx on list_entries (list, addresses) where valid_to is null and addresses is not null;
create index list_entries_network_idx on list_entries using gist (addresses inet_ops) where addresses is not null;
create trigger list_entries_stay before delete or truncate on list_entries for each statement execute function refuse_change();

create trigger lists_keep before update on lists for each row
  when ((new.name, new.effect, new.kind, new.description, new.created_by, new.created_at)
        is distinct from (old.name, old.effect, old.kind, old.description, old.created_by, old.created_at))
  execute function refuse_change('entries are added and ended');
create trigger list_entries_keep before update on list_entries for each row
  when (old.valid_to is not null
        or (new.entry_id, new.list, new.value, new.addresses, new.reason, new.expires_at, new.import_id, new.added_by,
            new.added_by_key, new.added_at, new.approval_id, new.valid_from)
           is distinct from (old.entry_id, old.list, old.value, old.addresses, old.reason, old.expires_at, old.import_id,
                             old.added_by, old.added_by_key, old.added_at, old.approval_id, old.valid_from))
  execute function refuse_change('they are ended once');
create trigger list_imports_keep before update on list_imports for each row
  when (old.valid_from is not null and (new.valid_from, new.approval_id) is distinct from (old.valid_from, old.approval_id)
        or (new.import_id, new.list, new.reason, new.added_by, new.added_by_key, new.added_at)
           is distinct from (old.import_id, old.list, old.reason, old.added_by, old.added_by_key, old.added_at))
  execute function refuse_change('they are approved once');

-- An allow list takes two people.
create function allows(list text) returns boolean language sql stable set search_path from current as $$
  select effect = 'allow' from lists where name = list
$$;
create trigger list_imports_need_two_people after insert or update of valid_from on list_imports
  for each row when (new.valid_from is not null and allows(new.list)) execute function refuse_unapproved('list-import', 'list');
create trigger list_entries_need_two_people after insert on list_entries
  for each row when (new.valid_from is not null and allows(new.list)) execute function refuse_unapproved('list-entry', 'list', 'value');

-- What was approved gets no more entries.
create function refuse_late_entries() returns trigger language plpgsql set search_path from current as $$
begin
  if exists (select from (select distinct import_id from added where import_id is not null) late
              join list_imports i using (import_id) where i.valid_from is not null) then
    raise exception 'an import that is in force takes no entries' using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
create trigger list_entries_come_before after insert on list_entries
  referencing new table as added for each statement execute function refuse_late_entries();

-- Rule sets

create table rule_sets (
  rule_set text constraint rule_sets_pkey primary key
    constraint rule_set_is_name_and_version check (rule_set ~ '^[a-z][a-z0-9-]{0,47}@[1-9][0-9]{0,5}$'),
  state text not null default 'draft',
  version bigint not null default 1,
  sha256 text not null constraint rule_set_hash_is_sha256 check (sha256 ~ '^[0-9a-f]{64}$'),
  source text not null constraint rule_set_source_bounded check (octet_length(source) <= 524288),
  author text not null constraint rule_set_by_somebody check (btrim(author) <> ''),
  author_key text not null constraint rule_sets_author_key_fkey references api_keys (key_id),
  created_at timestamptz(3) not null default now(),
  changed_at timestamptz(3) not null default now(),
  submitted_at timestamptz(3),
  approved_by text,
  approval_id bigint constraint rule_sets_approval_fkey references approvals (approval_id),
  approved_at timestamptz(3),
  retired_by text,
  retired_at timestamptz(3),
  constraint rule_set_state_known check (state in ('draft', 'submitted', 'approved', 'retired')),
  constraint rule_set_state_fits check (
    (state <> 'draft' or (submitted_at is null and approved_at is null and retired_at is null))
    and (state <> 'submitted' or (submitted_at is not null and approved_at is null and retired_at is null))
    and (state <> 'approved' or (approved_at is not null and retired_at is null))
    and ((state = 'retired') = (retired_at is not null and retired_by is not null))),
  constraint rule_set_approval_whole check (num_nonnulls(approved_by, approval_id, approved_at) in (0, 3))
);
comment on table rule_sets is 'Rule sets beside those of the build. Only a draft changes; what was submitted is approved by another person, or retired.';
comment on column rule_sets.version is 'Ascends by one a change of the row: the entity tag of a draft.';
comment on column rule_sets.source is 'Canonical JSON; sha256 is its SHA-256.';
create trigger rule_sets_stay before delete or truncate on rule_sets for each statement execute function refuse_change();

create trigger rule_sets_begin before insert on rule_sets for each row when (new.state <> 'draft')
  execute function refuse_change('they begin as drafts');
create trigger rule_sets_keep before update on rule_sets for each row
  when ((new.rule_set, new.author, new.author_key, new.created_at)
        is distinct from (old.rule_set, old.author, old.author_key, old.created_at)
        or old.state <> 'draft' and (new.source, new.sha256, new.submitted_at)
           is distinct from (old.source, old.sha256, old.submitted_at)
        or old.approved_at is not null and (new.approved_by, new.approval_id, new.approved_at)
           is distinct from (old.approved_by, old.approval_id, old.approved_at)
        or (old.state, new.state) not in (('draft', 'draft'), ('draft', 'submitted'), ('draft', 'retired'),
             ('submitted', 'approved'), ('submitted', 'retired'), ('approved', 'retired')))
  execute function refuse_change('a draft is edited, submitted, approved once and retired');

create trigger rule_sets_need_two_people after update on rule_sets
  for each row when (old.approved_at is null and new.approved_at is not null)
  execute function refuse_unapproved('rule-set', 'rule_set', 'sha256');

-- Models

create table models (
  model_id text constraint models_pkey primary key,
  model text not null constraint models_model_key unique,
  format text not null,
  artefact bytea not null,
  feature_schema smallint not null,
  feature_names text[] not null,
  golden_inputs double precision[] not null,
  golden_margins double precision[] not null,
  golden_probabilities double precision[] not null,
  golden_source text not null,
  trained_from date,
  trained_to date,
  known_by timestamptz(3),
  code_version text,
  parent text,
  card jsonb,
  created_at timestamptz(3) not null default now(),
  created_by text not null,
  calibration jsonb,
  constraint model_id_is_sha256 check (model_id = encode(sha256(artefact), 'hex')),
  constraint model_is_name_and_version check (model ~ '^[a-z][a-z0-9-]{0,62}@[A-Za-z0-9][A-Za-z0-9.-]{0,62}$'),
  constraint model_format_known check (format in ('xgboost-json', 'lightgbm-text', 'logistic-json')),
  constraint artefact_bounded check (octet_length(artefact) between 1 and 67108864),
  constraint feature_names_bounded check (cardinality(feature_names) between 1 and 1000),
  constraint golden_vectors_bounded check (cardinality(golden_margins) between 1 and 1000),
  constraint golden_vectors_whole check (
    cardinality(golden_probabilities) = cardinality(golden_margins)
    and cardinality(golden_inputs) = cardinality(golden_margins) * cardinality(feature_names)),
  constraint golden_source_known check (golden_source in ('manifest', 'import')),
  constraint training_window_whole check (num_nulls(trained_from, trained_to, known_by) in (0, 3)),
  constraint training_window_ordered check (trained_from <= trained_to),
  constraint card_bounded check (octet_length(card::text) <= 4194304),
  constraint created_by_somebody check (btrim(created_by) <> '')
);
comment on table models is 'Models that may be rolled out, written once by risk models import and never changed.';
comment on column models.model is 'name@version, as scores.model names it.';
comment on column models.golden_inputs is 'Row by row, features in the order of feature_names; NaN is a missing value.';
comment on column models.golden_probabilities is 'After calibration.';
comment on column models.golden_source is 'manifest: came with the model; import: recorded when it was imported.';
comment on column models.known_by is 'Labels known by then were used.';
comment on column models.parent is 'name@version of the model it was to replace; need not be registered here.';
comment on column models.calibration is 'From margins to probabilities, as in the manifest; null: as the format of the artefact has it.';
create trigger models_never_change before update or delete or truncate on models
  for each statement execute function refuse_change();

create table model_checks (
  check_id bigint generated always as identity constraint model_checks_pkey primary key,
  model_id text not null constraint model_checks_model_fkey references models (model_id),
  process text not null,
  node_version text not null,
  passed boolean not null,
  detail text,
  checked_at timestamptz(3) not null default now(),
  constraint failed_check_has_detail check (passed = (detail is null)),
  constraint check_detail_bounded check (char_length(detail) <= 1024)
);
comment on table model_checks is 'Each time a process proved a model (hash, feature schema, golden vectors three times) before it scored by it, or found that it must not.';
create trigger model_checks_never_change before update or truncate on model_checks
  for each statement execute function refuse_change();
-- RISK_MODEL_CHECK_RETENTION_DAYS cannot say less.
create trigger model_checks_stay before delete on model_checks
  for each row when (old.checked_at > now() - interval '30 days') execute function refuse_change();

create table shadow_batches (
  model_id text not null,
  scored_at timestamptz(3) not null,
  transaction_ids uuid[] not null,
  probabilities double precision[] not null,
  constraint shadow_batch_whole check (cardinality(transaction_ids) = cardinality(probabilities))
);
comment on table shadow_batches is 'What shadow models made of the batches of workers, a row a batch and model; at least once. Kept RISK_SHADOW_RETENTION_DAYS.';
create index shadow_batches_model_idx on shadow_batches (model_id, scored_at);
create index shadow_batches_scored_idx on shadow_batches (scored_at);

create table watch_reports (
  watched_at timestamptz(3) not null,
  model text not null,
  report jsonb not null,
  constraint watch_reports_pkey primary key (watched_at, model),
  constraint watch_report_bounded check (octet_length(report::text) <= 1048576)
);
comment on table watch_reports is 'What one worker at a time found of each model that decides: drift, and whether verdicts and probabilities came true. A run and model a row, kept RISK_WATCH_RETENTION_DAYS.';
comment on column watch_reports.model is 'name@version as in scores.model, or rules where no model decided.';
comment on column watch_reports.report is 'As GET /v1/models/watch answers it.';

-- Rollouts of rule sets and of models

create table rollouts (
  rollout_id bigint generated always as identity constraint rollouts_pkey primary key,
  model_id text constraint rollouts_model_fkey references models (model_id),
  rule_set text constraint rollouts_rule_set_fkey references rule_sets (rule_set),
  corridor text not null,
  state text not null,
  canary_percent smallint not null,
  cause text not null,
  approval_id bigint constraint rollouts_approval_fkey references approvals (approval_id),
  proposed_by text not null,
  reason text constraint rollout_reason_bounded check (char_length(reason) <= 1024),
  decided_by_key text constraint rollouts_key_fkey references api_keys (key_id),
  created_at timestamptz(3) not null default now(),
  ends_at timestamptz(3),
  constraint rollout_of_one_subject check (num_nonnulls(model_id, rule_set) = 1),
  constraint rollout_corridor_shape check (corridor ~ '^[A-Z]{2}-[A-Z]{2}$'),
  constraint rollout_canary_in_range check ((state = 'canary') = (canary_percent > 0) and canary_percent between 0 and 99),
  constraint rollout_cause_fits check (
    case cause
      when 'approval' then state in ('shadow', 'canary', 'active') and approval_id is not null
      when 'emergency' then state in ('shadow', 'canary', 'active') and approval_id is not null and model_id is not null
      when 'displacement' then state = 'deprecated' and approval_id is null
      when 'rollback' then state in ('active', 'deprecated') and approval_id is null
      else false
    end),
  constraint emergency_ends check (
    case cause when 'emergency' then (ends_at <= created_at + interval '1 day' and btrim(reason) <> '') is true
               else ends_at is null end),
  constraint rollout_by_somebody check (btrim(proposed_by) <> '')
);
comment on table rollouts is 'What models and rule sets do: the newest row of a model or rule set in a corridor holds. Without a row a model is staged, and a corridor has the rule set of the build. Appended only.';
comment on column rollouts.cause is 'approval: as proposed and confirmed; displacement: another one became active; rollback: one risk officer went back, or the engine; emergency: one risk officer alone, for a day at most.';
comment on column rollouts.reason is 'Why, where the engine rolled back by itself (proposed_by engine) or one person acted alone.';
comment on column rollouts.decided_by_key is 'Of who confirmed, rolled back or put in force alone; null for the engine.';
comment on column rollouts.ends_at is 'An emergency ends here unless its approval is confirmed before.';
create unique index rollouts_approval_key on rollouts (approval_id, corridor, cause) where approval_id is not null;
create index rollouts_ends_idx on rollouts (ends_at) where ends_at is not null;
create trigger rollouts_never_change before update or delete or truncate on rollouts
  for each statement execute function refuse_change();

create function refuse_stranger() returns trigger language plpgsql set search_path from current as $$
begin
  perform require_approver(new.proposed_by, new.decided_by_key);
  return null;
end $$;
create trigger emergencies_need_an_approver after insert on rollouts
  for each row when (new.cause = 'emergency') execute function refuse_stranger();
create trigger model_rollouts_need_two_people after insert on rollouts
  for each row when (new.cause = 'approval' and new.model_id is not null)
  execute function refuse_unapproved('model-rollout', 'model_id', 'state', 'canary_percent');
create trigger rule_set_rollouts_need_two_people after insert on rollouts
  for each row when (new.cause = 'approval' and new.rule_set is not null)
  execute function refuse_unapproved('rule-set-rollout', 'rule_set', 'state', 'canary_percent');

create table rule_set_flips (
  rule_set text not null,
  corridor text not null,
  from_at timestamptz(3) not null default now(),
  to_at timestamptz(3) not null default now(),
  scores bigint not null,
  stricter bigint not null,
  milder bigint not null,
  failed bigint not null,
  stricter_ids uuid[] not null,
  milder_ids uuid[] not null,
  constraint rule_set_flips_pkey primary key (rule_set, corridor),
  constraint rule_set_flips_bounded check (cardinality(stricter_ids) <= 20 and cardinality(milder_ids) <= 20)
);
comment on table rule_set_flips is 'Scores beside which a rule set was a shadow, a row a rule set and corridor. Workers add what they counted every two seconds; a batch that comes again counts again.';
comment on column rule_set_flips.failed is 'Scores for which the shadow itself failed; they are no flips.';
comment on column rule_set_flips.stricter_ids is 'The newest transactions that the shadow would have decided more strictly.';

create table rollout_counts (
  subject text not null,
  corridor text not null,
  minute timestamptz(0) not null default date_trunc('minute', now()),
  decided bigint not null,
  failed bigint not null,
  over_500 bigint not null,
  over_750 bigint not null,
  severe bigint not null,
  constraint rollout_counts_pkey primary key (subject, corridor, minute)
);
comment on table rollout_counts is 'Decisions of models and rule sets that people rolled out, a row a minute, subject and corridor. Workers add what they counted every second; a batch that comes again counts again.';
comment on column rollout_counts.subject is 'SHA-256 of a model, name of a rule set, or all: every score of the corridor, by the time from acceptance.';
comment on column rollout_counts.over_500 is 'Decisions that took 500 ms or longer, as over_750.';
comment on column rollout_counts.severe is 'Decisions that took 2 s or longer.';
create index rollout_counts_minute_idx on rollout_counts (minute);

-- Scores and dead letters

create table scores (
  transaction_id uuid not null,
  created_at timestamptz(3) not null,
  scored_at timestamptz(3) not null,
  account_id text not null,
  corridor text not null,
  score smallint not null,
  risk double precision not null,
  probability double precision,
  verdict text not null,
  reasons jsonb not null,
  features bytea not null,
  feature_schema smallint not null,
  rule_set text not null,
  model text,
  attempts smallint not null,
  degradation smallint not null,
  rule_inputs json,
  features_crc32 integer not null,
  constraint scores_pkey primary key (transaction_id, created_at),
  constraint score_in_range check (score between 0 and 1000),
  constraint risk_in_range check (risk >= 0 and risk <= 1),
  constraint probability_in_range check (probability >= 0 and probability <= 1),
  constraint verdict_known check (verdict in ('approve', 'review', 'decline')),
  constraint attempts_in_range check (attempts between 1 and 4),
  constraint degradation_in_range check (degradation between 0 and 4)
) partition by range (created_at);
comment on table scores is 'One row per scored transaction, written once (insert .. on conflict do nothing) with everything needed to recompute it: features, feature_schema, rule_set, model.';
comment on column scores.reasons is 'Ordered reasons: [{code, detail, contribution in score points}].';
comment on column scores.features is 'The logged vector in the order of the feature schema; NaN is a missing value. feature_values() makes numbers of it. How many doubles, a byte each with a bit for each of its bytes that is not 0, then those bytes, the lowest of a double first.';
comment on column scores.rule_inputs is 'What the rule set read beside features and corridor, and the declared metadata, by key, as {"in_list.stolen-devices": true, "metadata.tier": "gold"}; what was missing has no key. Null: nothing.';
comment on column scores.features_crc32 is 'CRC-32 of features with every NaN read as the least double, so that one changed bit is found wherever it is, and of the text of rule_inputs behind them.';

-- Searches ask for whatever is no approval and for whatever scores high under any rule set: a few per cent of the rows. A
-- verdict of a corridor is answered by the index alone. By time, and the riskiest first.
create index scores_risky_time_idx on scores (created_at, transaction_id) include (corridor, verdict, score)
  where verdict <> 'approve' or score >= 300;
create index scores_riskiest_idx on scores (score, created_at, transaction_id) include (corridor, verdict)
  where verdict <> 'approve' or score >= 300;
-- Scores that were made with less than everything; usually none.
create index scores_degraded_idx on scores (created_at, transaction_id) include (corridor, degradation) where degradation > 0;

create function feature_value(features bytea, feature integer) returns double precision
language plpgsql immutable strict parallel safe as $$
declare
  bytes bytea := '\x0000000000000000';
  at integer := 1 + get_byte(features, 0) + bit_count(substring(features from 2 for feature - 1));
  bits bigint;
  exponent integer;
  mantissa bigint;
  number double precision;
begin
  if feature > get_byte(features, 0) then return null; end if;
  for byte in 0 .. 7 loop
    if get_byte(features, feature) & (1 << byte) <> 0 then
      bytes := set_byte(bytes, 7 - byte, get_byte(features, at));
      at := at + 1;
    end if;
  end loop;
  bits := ('x' || encode(bytes, 'hex'))::bit(64)::bigint;
  exponent := (bits >> 52) & 2047;
  mantissa := bits & 4503599627370495;
  if exponent = 2047 then
    number := case when mantissa > 0 then 'NaN' else 'Infinity' end;
  else
    if exponent > 0 then mantissa := mantissa + 4503599627370496; end if;
    exponent := greatest(exponent, 1) - 1075;
    -- A power of two in two halves, as neither of them can underflow.
    number := mantissa * 2::float8 ^ (exponent / 2) * 2::float8 ^ (exponent - exponent / 2);
  end if;
  return case when bits < 0 then -number else number end;
end $$;
comment on function feature_value is 'A feature of a stored vector as a number, for people; the first is 1. Null where the vector is shorter.';

create function feature_values(features bytea) returns double precision[]
language sql immutable strict parallel safe set search_path from current as $$
  select array(select feature_value(features, n) from generate_series(1, get_byte(features, 0)) n order by n)
$$;
comment on function feature_values is 'A stored vector as numbers, for people: feature n (from 1) is (feature_values(features))[n], or faster feature_value(features, n).';

create table amount_counts (
  day date not null,
  corridor text not null,
  currency text not null,
  bucket smallint not null,
  count bigint not null,
  constraint amount_counts_pkey primary key (day, corridor, currency, bucket)
);
comment on table amount_counts is 'Scored transactions that were not declined, by UTC day of created_at and by amount.';
comment on column amount_counts.bucket is 'Amounts above 10 ^ ((bucket - 1) / 100) and up to 10 ^ (bucket / 100) units of the currency.';

create table amount_checkpoint (
  only_row boolean constraint amount_checkpoint_pkey primary key default true constraint one_row check (only_row),
  counted_to timestamptz(3) not null
);
comment on table amount_checkpoint is 'Transactions created before counted_to are in amount_counts.';
insert into amount_checkpoint (counted_to) values (date_trunc('day', now(), 'UTC'));

create table amount_percentiles (
  day date not null,
  corridor text not null,
  currency text not null,
  amount double precision not null,
  transactions bigint not null,
  written_at timestamptz(3) not null default now(),
  constraint amount_percentiles_pkey primary key (day, corridor),
  constraint percentile_of_an_amount check (amount > 0 and amount < 'Infinity')
);
comment on table amount_percentiles is 'The 99.99th percentile of a corridor''s amounts of the 90 days before a UTC day, in the currency of the market; none below 10,000 transactions.';
create trigger amount_percentiles_never_change before update or delete or truncate on amount_percentiles
  for each statement execute function refuse_change();

create table dead_letters (
  dead_letter_id uuid constraint dead_letters_pkey primary key,
  transaction_id uuid,
  created_at timestamptz(3),
  account_id text,
  corridor text not null,
  stream text not null,
  entry_id text not null,
  attempts smallint not null,
  error_code text not null,
  error text not null,
  entry text not null,
  failed_at timestamptz(3) not null,
  replayed_at timestamptz(3),
  purged_at timestamptz(3),
  constraint entry_bounded check (char_length(entry) <= 16384),
  constraint error_bounded check (char_length(error) <= 1024)
);
comment on table dead_letters is 'Stream entries given up, committed before the entry is acknowledged. Active while neither replayed nor purged. transaction_id is null when the entry could not be read. Closed ones are kept RISK_DEAD_LETTER_RETENTION_DAYS, and beyond that while nothing else says what became of the transaction.';
create unique index dead_letters_active_transaction_key on dead_letters (transaction_id)
  where replayed_at is null and purged_at is null;
create unique index dead_letters_unreadable_entry_key on dead_letters (stream, entry_id) where transaction_id is null;
create index dead_letters_failed_idx on dead_letters (failed_at desc, dead_letter_id desc);
create index dead_letters_replayed_idx on dead_letters (replayed_at) where replayed_at is not null;
-- What became of a transaction: asked with every read of one, and for every id by the reconciler.
create index dead_letters_final_transaction_idx on dead_letters (transaction_id) where replayed_at is null;
-- Closed ones, the oldest first: the purge.
create index dead_letters_closed_idx on dead_letters (coalesce(replayed_at, purged_at), dead_letter_id)
  where coalesce(replayed_at, purged_at) is not null;

-- Labels

create table labels (
  transaction_id uuid not null,
  created_at timestamptz(3) not null,
  labelled_at timestamptz(3) not null,
  label text not null,
  source text not null,
  received_at timestamptz(3) not null,
  batch_id uuid not null,
  account_id text not null,
  merchant_id text not null,
  amount_to_median double precision,
  client text not null,
  identity text,
  note text,
  -- Its first columns find the newest label of a transaction; the partition column has to be in it.
  constraint labels_pkey primary key (transaction_id, labelled_at, label, source, created_at),
  constraint label_known check (label in ('fraud', 'legitimate')),
  constraint source_length check (char_length(source) between 1 and 64),
  constraint note_length check (char_length(note) between 1 and 500),
  constraint labelled_after_created check (labelled_at >= created_at),
  constraint labelled_at_known check (labelled_at - received_at <= interval '5 minutes')
) partition by range (created_at);
comment on table labels is 'What became known of a transaction, by whom and when; one partition per UTC month of the transaction. Appended by POST /v1/labels, never updated: the newest labelled_at wins, and of two at the same time fraud.';
comment on column labels.created_at is 'Of the transaction.';
comment on column labels.labelled_at is 'When it became known, by the caller.';
comment on column labels.batch_id is 'The request that brought it: a try whose commit was not heard of finds its own rows by it.';
comment on column labels.account_id is 'Of the transaction, as merchant_id: rates are asked by party.';
comment on column labels.amount_to_median is 'Of a fraud: the amount by the median of its account, from the score that was stored when the label came. Null: there was no score, or no sibling.';
comment on column labels.client is 'Client of the API key that reported it.';
comment on column labels.identity is 'The person who held that key; null for a key of no person.';
comment on column labels.note is 'What the reporter added, for people: neither features nor training read it. The first report of a label keeps its note.';
-- Rates count frauds of a party by the time of the transaction. Frauds are few, so the many rows that say
-- legitimate cost no entry; whether one came after a fraud is looked up in the primary key.
create index labels_fraud_account_idx on labels (account_id, created_at) where label = 'fraud';
create index labels_fraud_merchant_idx on labels (merchant_id, created_at) where label = 'fraud';
-- Lists, newest first: of all, of an account and of a merchant.
create index labels_time_idx on labels (labelled_at, transaction_id);
create index labels_account_idx on labels (account_id, labelled_at, transaction_id);
create index labels_merchant_idx on labels (merchant_id, labelled_at, transaction_id);

-- Rows are only added here, so that no writer waits for another one.
create function void_snapshots() returns trigger language plpgsql set search_path from current as $$
begin
  insert into snapshot_voids (kind, party) values ('account', new.account_id), ('merchant', new.merchant_id);
  return null;
end $$;
create trigger void_snapshots after insert on labels for each row execute function void_snapshots();

-- Tallies of days

create table daily_increments (
  day date not null,
  corridor text not null,
  currency text not null,
  outcome text not null,
  rule_set text,
  model text,
  count bigint not null,
  amount numeric not null,
  score_sum bigint not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
comment on table daily_increments is 'What a statement adds to the daily tallies, written by the same statement that stores the rows it counts. A worker adds it to daily_tallies and total_tallies and deletes it.';
comment on column daily_increments.day is 'UTC day of created_at; of a dead letter, of failed_at.';
comment on column daily_increments.currency is 'XXX where there is none, as of reasons and dead letters.';
comment on column daily_increments.outcome is 'accepted: transactions; a verdict: scores; fraud, legitimate: transactions whose deciding label it is; a reason code: scores that have this reason; dead_lettered: transactions that ended as a dead letter which is not replayed; dead_letter: dead letters neither replayed nor purged.';

create table daily_tallies (
  like daily_increments,
  constraint daily_tallies_key unique nulls not distinct (day, corridor, currency, outcome, rule_set, model)
);
comment on table daily_tallies is 'Transactions, scores and their reasons, labels and dead letters by day. A figure is the sum of these rows and those of daily_increments.';
-- A summary of a few outcomes reads their rows alone.
create index daily_tallies_outcome_idx on daily_tallies (outcome, day);

create table total_tallies (
  corridor text not null,
  outcome text not null,
  count bigint not null,
  constraint total_tallies_pkey primary key (corridor, outcome)
);
comment on table total_tallies is 'The same over all days, so that a total costs the same however many days there are. Labels and reasons have no total.';

create table tally_days (
  day date constraint tally_days_pkey primary key,
  increments bigint not null
) with (fillfactor = 50);
comment on table tally_days is 'How many rows of daily_increments were ever merged into the tallies of a day. With those not merged yet it is the version of the figures of the day.';

create table tally_merge (
  only_row boolean constraint tally_merge_pkey primary key default true constraint one_row check (only_row),
  emptied_at timestamptz(3) not null
);
comment on table tally_merge is 'Locked by the worker that merges increments.';
comment on column tally_merge.emptied_at is 'What was committed before it is in daily_tallies and total_tallies.';
insert into tally_merge (emptied_at) values (now());

-- Dead letters are few and several statements change them, so a trigger counts what each of them changed: once 1 or -1 a row.
create function tally_dead_letters() returns trigger language plpgsql set search_path from current as $$
begin
  insert into daily_increments (day, corridor, currency, outcome, count, amount, score_sum)
  select (failed_at at time zone 'UTC')::date, corridor, 'XXX', outcome, tg_argv[0]::int * count(*), 0, 0
    from changed
   cross join lateral (values ('dead_lettered', replayed_at is null and transaction_id is not null),
                              ('dead_letter', replayed_at is null and purged_at is null)) o (outcome, is_counted)
   where is_counted group by 1, 2, 4;
  return null;
end $$;
create trigger dead_letters_inserted after insert on dead_letters
  referencing new table as changed for each statement execute function tally_dead_letters('1');
create trigger dead_letters_updated_from after update on dead_letters
  referencing old table as changed for each statement execute function tally_dead_letters('-1');
create trigger dead_letters_updated_to after update on dead_letters
  referencing new table as changed for each statement execute function tally_dead_letters('1');
create trigger dead_letters_deleted after delete on dead_letters
  referencing old table as changed for each statement execute function tally_dead_letters('-1');

-- Review

create table review_policies (
  version integer generated always as identity constraint review_policies_pkey primary key,
  policy jsonb not null,
  made_at timestamptz(3) not null default now(),
  made_by text not null,
  constraint policy_by_somebody check (btrim(made_by) <> ''),
  constraint policy_names_its_currency check ((policy ->> 'currency' ~ '^[A-Z]{3}$' and policy ? 'four_eyes_amount') is true)
);
comment on table review_policies is 'Priorities with their deadlines, overflow rules and bounds of the review of transactions. The newest version is in force; a case names the version that placed it.';
insert into review_policies (made_by, policy) values ('engine', '{
  "currency": "USD",
  "priorities": [
    {"priority": 0, "name": "dispute", "deadline_minutes": 120, "sources": ["dispute"]},
    {"priority": 5, "name": "spot check", "deadline_minutes": 2880, "sources": ["spot_check"]},
    {"priority": 1, "name": "high value", "deadline_minutes": 240, "amount_above": "1000"},
    {"priority": 2, "name": "high risk", "deadline_minutes": 240, "score_from": 700},
    {"priority": 3, "name": "trust verification", "deadline_minutes": 480,
     "reasons": ["NEW_DEVICE", "NEW_COUNTRY", "NEW_MERCHANT", "NEW_CORRIDOR", "DORMANT_ACCOUNT"]},
    {"priority": 4, "name": "standard", "deadline_minutes": 1440}
  ],
  "overflow": [
    {"priority": 4, "older_than_minutes": 480, "actions": ["suggest_tightening", "alert"]},
    {"priority": 2, "older_than_minutes": 240, "actions": ["call_all_hands", "suggest_throttle"]},
    {"priority": 0, "older_than_minutes": 120, "actions": ["escalate"]}
  ],
  "four_eyes_amount": "5000",
  "lock_seconds": 900,
  "undo_seconds": 20,
  "spot_check_ratio": 0.001,
  "dispute_sources": ["chargeback", "bank", "dispute"],
  "capacity": {"reviews_per_hour": 20, "hours_per_day": 8, "utilisation_max": 0.85, "utilisation_hired": 0.8}
}');
create trigger review_policies_never_change before update or delete or truncate on review_policies
  for each statement execute function refuse_change();

create table exchange_rates (
  currency text not null,
  day date not null,
  usd numeric not null,
  imported_at timestamptz(3) not null default now(),
  constraint exchange_rates_pkey primary key (currency, day),
  constraint rate_of_a_currency check (currency ~ '^[A-Z]{3}$' and currency <> 'USD'),
  constraint rate_in_range check (usd > 0 and usd < 1e9)
);
comment on table exchange_rates is 'What one unit of a currency was worth in US dollars on a UTC day. Imported by people; a day without a row has the rate of the day before.';

create table review_cases (
  transaction_id uuid constraint review_cases_pkey primary key,
  created_at timestamptz(3) not null,
  account_id text not null,
  merchant_id text not null,
  device_id text,
  corridor text not null,
  amount numeric not null,
  currency text not null,
  market_amount numeric,
  rate_day date,
  score smallint,
  verdict text,
  reasons text[] not null,
  source text not null,
  priority smallint not null,
  policy integer not null,
  opened_at timestamptz(3) not null default now(),
  opened_by text not null,
  due_at timestamptz(3) not null,
  state text not null default 'open',
  assignee text,
  locked_by text,
  locked_until timestamptz(3),
  claimed_at timestamptz(3),
  escalated_by text,
  escalated_at timestamptz(3),
  disposition text,
  decision_reason text,
  decided_by text,
  decided_by_key text constraint review_cases_decider_fkey references api_keys (key_id),
  decided_at timestamptz(3),
  confirmed_by text,
  confirmed_by_key text constraint review_cases_confirmer_fkey references api_keys (key_id),
  final_at timestamptz(3),
  closed_at timestamptz(3),
  market_currency text not null,
  constraint case_source_known check (source in ('verdict', 'dispute', 'spot_check', 'manual')),
  constraint case_priority_in_range check (priority between 0 and 5),
  constraint case_state_fits check (
    case state
      when 'open' then disposition is null and decided_by is null and final_at is null and closed_at is null
      when 'confirming' then decided_by is not null and confirmed_by is null and final_at is null and closed_at is null
      when 'decided' then decided_by is not null and final_at is not null and closed_at is null
      when 'closed' then decided_by is not null and final_at is not null and closed_at is not null
      else false
    end),
  constraint disposition_known check (disposition in ('fraud', 'legitimate', 'unsure')),
  constraint decision_has_a_reason check ((disposition is null) = (decision_reason is null)),
  constraint lock_has_a_holder check ((locked_by is null) = (locked_until is null))
) with (fillfactor = 70);
comment on table review_cases is 'What people have to look at: one row a transaction, whatever names it again. A case that is closed as legitimate or unsure opens again by a dispute.';
comment on column review_cases.created_at is 'Of the transaction.';
comment on column review_cases.market_amount is 'The amount in market_currency by the rates of rate_day, the newest day up to that of the transaction on which both currencies have one; null where there is none.';
comment on column review_cases.policy is 'Version of review_policies; no foreign key, as versions are never removed and a check costs every case a lookup.';
comment on column review_cases.locked_until is 'From then on anybody may claim it, by this server''s clock.';
comment on column review_cases.claimed_at is 'First claim since it opened.';
comment on column review_cases.escalated_by is 'A person, who leaves it to a risk officer; engine: an overflow rule.';
comment on column review_cases.final_at is 'End of the time in which the decision can be undone.';
comment on column review_cases.market_currency is 'The currency of the policy that placed the case.';
-- Cases that wait for somebody, in the order of work; those whose decision becomes final; arrivals; the end.
create index review_cases_queue_idx on review_cases (priority, due_at, transaction_id) where state <> 'closed';
create index review_cases_final_idx on review_cases (final_at) where state = 'decided';
create index review_cases_opened_idx on review_cases using brin (opened_at) with (pages_per_range = 32);
create index review_cases_closed_idx on review_cases (closed_at, transaction_id) where closed_at is not null;
-- Cases of an account, a merchant or a device: open ones first, closed ones by their time.
create index review_cases_of_account_idx on review_cases (account_id, closed_at, transaction_id);
create index review_cases_of_merchant_idx on review_cases (merchant_id, closed_at, transaction_id);
create index review_cases_of_device_idx on review_cases (device_id, closed_at, transaction_id) where device_id is not null;
-- Lists of the queue: of a corridor; claimed now or before; assigned; and those whose decision waits for a second person, or
-- for the end of the time to undo.
create index review_cases_corridor_idx on review_cases (corridor, priority, due_at, transaction_id) where state <> 'closed';
create index review_cases_claimed_idx on review_cases (locked_by, priority, due_at, transaction_id) where locked_by is not null;
create index review_cases_assigned_idx on review_cases (assignee, priority, due_at, transaction_id)
  where assignee is not null and state <> 'closed';
create index review_cases_undecided_idx on review_cases (state, priority, due_at, transaction_id)
  where state in ('confirming', 'decided');

create trigger review_cases_need_two_people after insert or update of confirmed_by, confirmed_by_key on review_cases
  for each row when (new.confirmed_by is not null)
  execute function refuse_own_approval('decided_by_key', 'confirmed_by', 'confirmed_by_key');

create table review_notes (
  note_id bigint generated always as identity constraint review_notes_pkey primary key,
  transaction_id uuid not null constraint review_notes_case_fkey references review_cases (transaction_id) on delete cascade,
  written_at timestamptz(3) not null default now(),
  written_by text not null,
  note text not null,
  constraint note_bounded check (char_length(note) between 1 and 4000)
);
comment on table review_notes is 'Notes of cases, for people; nothing else reads them.';
create index review_notes_case_idx on review_notes (transaction_id, note_id);

create table final_decisions (
  decision_id bigint constraint final_decisions_pkey primary key,
  transaction_id uuid not null,
  created_at timestamptz(3) not null,
  account_id text not null,
  merchant_id text not null,
  corridor text not null,
  score smallint,
  verdict text,
  source text not null,
  priority smallint not null,
  disposition text not null,
  reason text not null,
  decided_by text not null,
  decided_at timestamptz(3) not null,
  confirmed_by text,
  label text not null,
  opened_at timestamptz(3) not null,
  claimed_at timestamptz(3),
  due_at timestamptz(3) not null,
  final_at timestamptz(3) not null default now(),
  constraint decision_known check (disposition in ('fraud', 'legitimate', 'unsure')),
  constraint decision_label_known check (label in ('posted', 'none', 'month_detached'))
);
comment on table final_decisions is 'What people decided about transactions, once it can no longer be undone; the newest of a transaction stands. Written by the commit that closes the case and stores its label; events are made from it.';
comment on column final_decisions.decision_id is 'In the order of commits, without a gap: one worker at a time writes.';
comment on column final_decisions.label is 'posted: a label of source review; none: unsure; month_detached: the month of the transaction could not take one.';
create index final_decisions_transaction_idx on final_decisions (transaction_id, decision_id);
create index final_decisions_final_idx on final_decisions (final_at);
create trigger final_decisions_never_change before update or truncate on final_decisions
  for each statement execute function refuse_change();

-- Webhooks

create table webhook_endpoints (
  endpoint_id uuid constraint webhook_endpoints_pkey primary key,
  client text,
  url text not null,
  event_types text[] not null,
  verdicts text[] not null,
  corridors text[],
  secret text,
  previous_secret text,
  previous_until timestamptz(3),
  is_paused boolean not null default false,
  created_at timestamptz(3) not null default now(),
  created_by text not null,
  failing_since timestamptz(3),
  disabled_at timestamptz(3),
  disabled_reason text,
  deleted_at timestamptz(3),
  constraint endpoint_url_bounded check (char_length(url) between 1 and 2048),
  constraint endpoint_types_known check (cardinality(event_types) > 0 and event_types <@
    array['transaction.decided', 'transaction.final_decision', 'review.deadline_near', 'alert.raised', 'approval.waiting',
          'evidence.checkpoint']),
  constraint endpoint_verdicts_known check (cardinality(verdicts) > 0 and verdicts <@ array['approve', 'review', 'decline']),
  constraint endpoint_of_a_client_sees_its_own check (client is null or event_types <@
    array['transaction.decided', 'transaction.final_decision']),
  constraint endpoint_disabled_for_a_reason check ((disabled_at is null) = (disabled_reason is null)),
  constraint endpoint_deleted_without_secret check ((secret is null) = (deleted_at is not null)
    and (deleted_at is null or previous_secret is null)),
  constraint endpoint_previous_secret_ends check ((previous_secret is null) = (previous_until is null))
);
comment on table webhook_endpoints is 'Where events are sent. A deleted endpoint keeps its row, without secrets, until its deliveries have ended.';
comment on column webhook_endpoints.client is 'Whose transactions it hears of; null: the market''s.';
comment on column webhook_endpoints.secret is 'Encrypted where RISK_WEBHOOK_KEYS is set.';
comment on column webhook_endpoints.previous_secret is 'Signs beside the newer one until previous_until.';
comment on column webhook_endpoints.failing_since is 'First failure since the last success.';
create index webhook_endpoints_deleted_idx on webhook_endpoints (deleted_at) where deleted_at is not null;

create table webhook_deliveries (
  delivery_id bigint generated always as identity constraint webhook_deliveries_pkey primary key,
  endpoint_id uuid not null,
  event_id text not null,
  event_type text not null,
  payload text not null,
  created_at timestamptz(3) not null default now(),
  state text not null default 'waiting',
  attempts smallint not null default 0,
  next_at timestamptz(3),
  last_at timestamptz(3),
  response_status smallint,
  error text,
  decisions smallint,
  constraint webhook_deliveries_event_key unique (endpoint_id, event_id),
  constraint delivery_state_fits check (state in ('waiting', 'delivered', 'dead') and (state = 'waiting') = (next_at is not null))
) with (autovacuum_vacuum_scale_factor = 0.02);
comment on table webhook_deliveries is 'What is sent to whom, and how it went: one row an endpoint and event, whatever names the event again.';
comment on column webhook_deliveries.endpoint_id is 'No foreign key: an endpoint''s row is removed after its deliveries, and a check costs every row a lookup.';
comment on column webhook_deliveries.event_id is 'Sent as webhook-id, by which receivers tell repetitions.';
comment on column webhook_deliveries.payload is 'The body, byte for byte, as it is signed.';
comment on column webhook_deliveries.next_at is 'When it is due. A worker that sends it moves this into the future: until then no other one sends it.';
comment on column webhook_deliveries.decisions is 'How many decisions the event lists; null: it is about something else.';
create index webhook_deliveries_due_idx on webhook_deliveries (endpoint_id, next_at) where state = 'waiting';
create index webhook_deliveries_log_idx on webhook_deliveries (endpoint_id, delivery_id);

-- Evidence

create table evidence_logs (
  log_id int generated always as identity constraint evidence_logs_pkey primary key,
  origin text not null constraint evidence_logs_origin_key unique
    constraint evidence_origin_bounded check (char_length(origin) between 1 and 255),
  size bigint not null default 0 constraint evidence_size_not_negative check (size >= 0),
  root bytea not null constraint evidence_root_is_sha256 check (octet_length(root) = 32),
  audit_id bigint not null default 0,
  sealed_at timestamptz(3) not null default now(),
  checkpoint text,
  refused text
);
comment on table evidence_logs is 'One row per log; the newest takes leaves. The commit that appends compares size and root with those it read.';
comment on column evidence_logs.audit_id is 'The last line of audit_log that is sealed.';
comment on column evidence_logs.sealed_at is 'When a worker last sealed or found nothing to seal: scores name themselves in outbox_evidence until 7 days after.';
comment on column evidence_logs.refused is 'Why the log takes no leaves: it contradicts a checkpoint that was published. Null: it takes them.';

create table evidence_entries (
  log_id int not null constraint evidence_entries_log_fkey references evidence_logs (log_id),
  position bigint not null,
  kind text not null,
  subject text,
  leaf text not null constraint evidence_leaf_bounded check (octet_length(leaf) between 1 and 65535),
  ids bytea,
  hashes bytea,
  scored_from timestamptz(3),
  scored_to timestamptz(3),
  constraint evidence_entries_pkey primary key (log_id, position),
  constraint evidence_kind_known check (kind in ('scores', 'audit', 'model', 'rule-set', 'gap')),
  constraint evidence_scores_whole check (case when kind = 'scores'
    then octet_length(ids) * 2 = octet_length(hashes) and subject is null and num_nonnulls(scored_from, scored_to) = 2
    else num_nonnulls(ids, hashes, scored_from, scored_to) = 0 and subject is not null end)
);
comment on table evidence_entries is 'One row per leaf of a log: a batch of scores; one line, model or rule set by the hash of its content; or a gap, in which nobody sealed.';
comment on column evidence_entries.subject is 'Id of the line, name of the model or rule set, or beginning of the gap.';
comment on column evidence_entries.leaf is 'Canonical JSON, byte by byte what the tree has the hash of.';
comment on column evidence_entries.ids is 'Transactions of a batch in the order of their leaves, 16 bytes each.';
comment on column evidence_entries.hashes is 'Leaf hashes of the scores of a batch, 32 bytes each.';
comment on column evidence_entries.scored_from is 'The earliest time of scoring in a batch.';
-- Hashes and ids are random: trying to compress them would cost more than it saves.
alter table evidence_entries alter column ids set storage external, alter column hashes set storage external;
create unique index evidence_entries_subject_key on evidence_entries (log_id, kind, subject) where kind <> 'scores';
create index evidence_entries_scored_idx on evidence_entries (log_id, scored_to) where scored_to is not null;

create table evidence_tiles (
  log_id int not null constraint evidence_tiles_log_fkey references evidence_logs (log_id),
  level smallint not null,
  tile bigint not null,
  hashes bytea not null constraint evidence_tile_bounded check (
    octet_length(hashes) % 32 = 0 and octet_length(hashes) between 32 and 8192),
  constraint evidence_tiles_pkey primary key (log_id, level, tile)
);
comment on table evidence_tiles is 'Hashes of the Merkle trees (RFC 6962) in tiles of 256, as c2sp.org/tlog-tiles has them; the last tile of a level grows.';
alter table evidence_tiles alter column hashes set storage external;

-- Outbox: rows that a commit adds beside what they are about, a table a topic. One worker takes the rows in order, and the commit that
-- has their effect deletes them (src/kit/outbox).

create table outbox_decided (
  row_id bigint generated always as identity constraint outbox_decided_pkey primary key,
  written_at timestamptz(3) not null default now(),
  transaction_ids uuid[] not null constraint outbox_names_transactions check (cardinality(transaction_ids) > 0)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
comment on table outbox_decided is 'Transactions whose verdict an endpoint takes, a row a batch, written by the statement that stores their scores. They become deliveries.';

create table outbox_review (
  like outbox_decided including all,
  source text not null constraint outbox_source_known check (source in ('score', 'dispute'))
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
comment on table outbox_review is 'Transactions that need a case, a row a batch, written by the statement that stores their scores or labels. They become cases.';

create table outbox_labels (like outbox_decided including all)
  with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
comment on table outbox_labels is 'Transactions whose labels are committed, but of which the profiles may not have been told, a row a request. The request deletes its row; a worker tells the profiles of rows that stay.';
alter table outbox_labels alter column transaction_ids set storage external;

create table outbox_evidence (
  like outbox_decided including all,
  hashes bytea,
  scored_at timestamptz(3),
  constraint outbox_hashed check ((hashes is null) = (scored_at is null) and octet_length(hashes) = 32 * cardinality(transaction_ids))
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
comment on table outbox_evidence is 'Scores that wait to be sealed, a row a batch, written by the statement that stores them. They become leaves.';
comment on column outbox_evidence.hashes is 'Hashes of the scores in the order of transaction_ids, 32 bytes each; null: the sealer reads the scores and hashes them.';
alter table outbox_evidence alter column transaction_ids set storage external, alter column hashes set storage external;

create table outbox_events (
  row_id bigint generated always as identity constraint outbox_events_pkey primary key,
  written_at timestamptz(3) not null default now(),
  event text not null constraint outbox_event_bounded check (octet_length(event) between 1 and 131072)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
comment on table outbox_events is 'Events that an endpoint takes, as JSON, written by the commit that they tell of. They become deliveries.';

-- Backtests

create table backtests (
  backtest_id uuid default gen_random_uuid() constraint backtests_pkey primary key,
  state text not null default 'queued',
  question text not null,
  sources text not null,
  cursor uuid,
  counts text,
  rows_read bigint not null default 0,
  report text,
  report_sha256 text,
  problem text,
  requested_by text not null constraint backtest_by_somebody check (btrim(requested_by) <> ''),
  requested_by_key text not null constraint backtests_key_fkey references api_keys (key_id),
  requested_at timestamptz(3) not null default now(),
  ended_at timestamptz(3),
  cancelled_by text,
  constraint backtest_state_known check (state in ('queued', 'running', 'done', 'cancelled', 'failed')),
  constraint backtest_end_whole check ((state in ('done', 'cancelled', 'failed')) = (ended_at is not null)),
  constraint backtest_report_whole check ((state = 'done') = (report is not null) and (report is null) = (report_sha256 is null)),
  constraint backtest_problem_whole check ((state = 'failed') = (problem is not null)),
  constraint backtest_cancelled_by_somebody check ((cancelled_by is not null) = (state = 'cancelled'))
);
comment on table backtests is 'Versions of rules or models over stored vectors: what was asked, how far the counting is, and the report.';
comment on column backtests.question is 'Canonical JSON: times, corridor, and both versions by hash.';
comment on column backtests.sources is 'Canonical JSON: sources of rule sets by their hash, as they were when it was asked.';
comment on column backtests.cursor is 'The last transaction that counts has; null before the first.';
comment on column backtests.counts is 'JSON, while it runs: a run that was killed goes on from here.';
comment on column backtests.report is 'Canonical JSON; report_sha256 is its SHA-256.';
-- The next to run, and those that wait: few.
create index backtests_open_idx on backtests (requested_at, backtest_id) where state in ('queued', 'running');
create index backtests_requested_idx on backtests (requested_at, backtest_id);

create table backtest_days (
  backtest_id uuid not null constraint backtest_days_fkey references backtests (backtest_id),
  day date not null,
  counts text not null,
  constraint backtest_days_pkey primary key (backtest_id, day)
);
comment on table backtest_days is 'Rows that a backtest has counted, a UTC day: what bands alone would change follows from the counts, without the rows.';
comment on column backtest_days.counts is 'JSON by corridor: rows by score and label, those that a rule sends to review likewise, and those that bands do not move by verdict and label.';

-- Months

create table archived_months (
  month text not null constraint archived_month_is_one check (month ~ '^\d{4}-(0[1-9]|1[0-2])$'),
  number integer not null constraint archived_number_from_one check (number > 0),
  step text not null constraint archived_step_known check (step in ('export', 'verify', 'seal', 'drop', 'cold', 'ended')),
  location text not null,
  manifest jsonb not null,
  begun_at timestamptz(3) not null default now(),
  constraint archived_months_pkey primary key (month, number)
);
comment on table archived_months is 'Archives of months, a row each time one is begun. A month whose step is cold has no tables: its rows are in files.';
comment on column archived_months.step is 'The next step; cold: the files are all there is; ended: the month was restored, or the archive was begun anew.';
comment on column archived_months.location is 'Folder, or s3://bucket/prefix, that has the files.';
comment on column archived_months.manifest is 'What archive.json has: tables with rows, hashes and files.';
create unique index archived_months_open_key on archived_months (month) where step <> 'ended';
create trigger archived_months_stay before delete or truncate on archived_months
  for each statement execute function refuse_change();

create table legal_holds (
  hold_id bigint generated always as identity constraint legal_holds_pkey primary key,
  kind text not null constraint hold_kind_known check (kind in ('market', 'month', 'account')),
  subject text constraint hold_subject_fits check (
    case kind
      when 'market' then subject is null
      when 'month' then subject is not null and subject ~ '^\d{4}-(0[1-9]|1[0-2])$'
      else subject is not null and char_length(subject) between 1 and 128
    end),
  reason text not null constraint hold_reason_bounded check (char_length(reason) between 1 and 500),
  set_by text not null,
  set_by_key text not null,
  set_at timestamptz(3) not null default now(),
  lifted_by text,
  lifted_by_key text,
  lifted_at timestamptz(3),
  lift_reason text constraint lift_reason_bounded check (char_length(lift_reason) between 1 and 500),
  constraint hold_lifted_whole check (num_nulls(lifted_by, lifted_by_key, lifted_at, lift_reason) in (0, 4))
);
comment on table legal_holds is 'What a court or an authority wants kept: a market, a month or an account. While a hold is in force nothing of its subject is dropped, purged or erased. Several holds may have one subject, a row a reason.';
comment on column legal_holds.subject is 'The month as 2026-03, or the account as rows have it; null: the whole market.';
comment on column legal_holds.lifted_at is 'Null: the hold is in force.';
create index legal_holds_in_force_idx on legal_holds (kind, subject) where lifted_at is null;
create trigger legal_holds_stay before delete or truncate on legal_holds for each statement execute function refuse_change();

create trigger legal_holds_keep before update on legal_holds for each row
  when (old.lifted_at is not null
        or (new.hold_id, new.kind, new.subject, new.reason, new.set_by, new.set_by_key, new.set_at)
           is distinct from (old.hold_id, old.kind, old.subject, old.reason, old.set_by, old.set_by_key, old.set_at))
  execute function refuse_change('they are lifted once');

create function is_held(of_account text, at_time timestamptz) returns boolean
language sql stable set search_path from current as $$
  select exists (
    select from legal_holds
     where lifted_at is null
       and case kind
             when 'market' then true
             when 'month' then subject = to_char(at_time at time zone 'utc', 'YYYY-MM')
             else subject = of_account
           end)
$$;
comment on function is_held is 'Whether a legal hold is in force over a row of an account and of a transaction''s time.';

-- What one process at a time does

create table leaderships (
  duty text constraint leaderships_pkey primary key,
  owner text not null default '',
  epoch bigint not null default 0,
  expires_at timestamptz(3) not null default '-infinity'
);
comment on table leaderships is 'One row per duty that one process at a time does, made when it is first asked for.';
comment on column leaderships.owner is 'The process that does it, or did it last.';
comment on column leaderships.epoch is 'Grows with each change of owner. Every write of an owner names it and fails once it has grown.';
comment on column leaderships.expires_at is 'By this server''s clock. From then on any process may take the duty over.';

-- Readiness and breakers write here.
create table write_probe (
  only_row boolean constraint write_probe_pkey primary key default true constraint one_row check (only_row),
  written_at timestamptz(3) not null default now()
);
comment on table write_probe is 'One row, whose update proves that Postgres takes writes.';
insert into write_probe default values;

-- Row level security of every table: the owner and its members read all rows, any other role reads the rows that a policy gives
-- it, whatever it was granted. A later file enables it for what it makes.
do $$
declare
  of_market regclass;
begin
  for of_market in
    select oid from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relrowsecurity
  loop
    execute format('alter table %s enable row level security', of_market);
  end loop;
end $$;

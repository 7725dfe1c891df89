-- The baseline: makes the schema of a market as migrations 1 to 44 of older builds made it, and `shared` with the first
-- market. A database that has all of those migrations keeps its schema, and `risk migrate` records this file as applied.
-- It makes new tables and locks none that is there already, but shared.corridors against other migrations for a moment.
--
-- Names have no schema: they land in the first schema of the search_path, the market's. A function with
-- `set search_path from current` keeps that path, because the search_path of its caller may be any other.

-- Corridors of all markets

-- Every market may read `shared`, and none writes it at run time. The migrating role owns it.
create schema if not exists shared;

create table if not exists shared.corridors (
  corridor text constraint corridors_pkey primary key,
  created_at timestamptz(3) not null default now(),
  market text,
  constraint corridor_is_source_destination check (corridor ~ '^[A-Z]{2}-[A-Z]{2}$')
);
comment on table shared.corridors is
  'Ordered pairs source country - destination country that transactions may name, and of which market. Written by migrate (seed and RISK_CORRIDORS).';
comment on column shared.corridors.market is
  'The one market whose transactions may name the corridor: a schema of this database. Null, or a schema that is gone: the first that asks gets it.';

insert into shared.corridors (corridor) values
  ('US-EG'), ('US-MX'), ('US-PH'), ('US-IN'), ('GB-NG'), ('GB-PK'),
  ('AE-IN'), ('SA-EG'), ('DE-TR'), ('FR-MA'), ('ES-CO'), ('US-US')
on conflict do nothing;
update shared.corridors set market = current_schema() where market is null;

do $$ begin
  execute format('create view corridors as select corridor from shared.corridors where market = %L', current_schema());
end $$;
comment on view corridors is 'Corridors of this market.';

-- Rows that never change

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'rows of % are never changed', tg_table_name
    using errcode = 'integrity_constraint_violation';
end $$;

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
  inserted_xid xid8 default pg_current_xact_id(),
  client text,
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
comment on table transactions is
  'One row per accepted transaction, one partition per UTC month of created_at. Written once by ingest, never updated.';
comment on column transactions.transaction_id is
  'UUIDv7 whose time part is created_at to the millisecond, so that an id alone names its partition.';
comment on column transactions.created_at is 'When it happened, by the caller (default: when received).';
comment on column transactions.received_at is
  'When it was stored, by Postgres'' clock, read once its database transaction had an id: what a time is behind, an id proves.';
comment on column transactions.inserted_xid is
  'The database transaction that stored it: orders rows for the tallies. Null for rows that are older than the column.';
comment on column transactions.client is
  'Client of the API key that it came with, the only one that reads it by a key whose one role is ingest. Null for rows that are older than the column: no client''s.';

-- Lists of an account and of a merchant, and the rebuild of their profiles.
create index transactions_account_idx on transactions (account_id, created_at);
create index transactions_merchant_idx on transactions (merchant_id, created_at);
-- Rows arrive in the order of received_at, so a few kilobytes of BRIN find the newest rows for the reconciler.
create index transactions_received_idx on transactions using brin (received_at) with (pages_per_range = 32);
-- Rows that the tallies of merchants lack.
create index transactions_inserted_idx on transactions (inserted_xid) where inserted_xid is not null;
-- Searches by device and by address.
create index transactions_device_idx on transactions (device_id, created_at) where device_id is not null;
create index transactions_ip_idx on transactions (ip, created_at) where ip is not null;

create table ingest_batches (
  batch_id uuid constraint ingest_batches_pkey primary key,
  received_at timestamptz(3) not null,
  transaction_ids uuid[] not null,
  taken_over boolean not null default false,
  constraint transaction_ids_bounded check (cardinality(transaction_ids) between 1 and 1000)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
-- Ids are random: trying to compress them costs more than the short life of a batch is worth.
alter table ingest_batches alter column transaction_ids set storage external;
comment on table ingest_batches is
  'One row per request whose transactions are committed but not yet known to be in a stream; deleted once appended. The reconciler appends what stays.';
comment on column ingest_batches.received_at is
  'When it was opened, by Postgres'' clock; of transactions that came with it, their received_at.';
comment on column ingest_batches.taken_over is
  'Whether a recovery relies on the row, so that only the reconciler closes it: what its request has appended may be lost.';
create index ingest_batches_received_idx on ingest_batches (received_at);

-- Idempotency keys

-- The key of a row: 16 bytes of SHA-256, so that an index entry is as short for a key of 255 characters as for any.
create function idempotency_digest(client text, key text) returns uuid
  language sql immutable strict parallel safe
  return encode(substr(sha256(convert_to(client, 'UTF8') || '\x00'::bytea || convert_to(key, 'UTF8')), 1, 16), 'hex')::uuid;
comment on function idempotency_digest is
  'What idempotency_keys knows a client''s key by; src/store/key-digest.ts computes the same.';

create table idempotency_slices (
  slice int constraint idempotency_slices_pkey primary key,
  opened_at timestamptz(3) not null,
  sealed_at timestamptz(3)
);
comment on table idempotency_slices is
  'One row per partition of idempotency_keys. Exactly one is open and takes keys; the others are sealed and dropped whole RISK_IDEMPOTENCY_RETENTION_DAYS after that.';
comment on column idempotency_slices.slice is
  'Random, so that what a process remembers of a slice never fits one of another history, as of a restored backup.';
create unique index idempotency_slices_open_key on idempotency_slices ((sealed_at is null)) where sealed_at is null;

create table idempotency_keys (
  slice int not null,
  digest uuid not null,
  transaction_id uuid not null,
  fingerprint uuid not null
) partition by list (slice);
comment on table idempotency_keys is
  'One row per (client, key): the transaction it made. Unique within a slice by index; across slices because a sealed slice takes no row and is asked before the open one is written.';
comment on column idempotency_keys.digest is 'idempotency_digest(client, key)';
comment on column idempotency_keys.fingerprint is
  'The first 16 bytes of SHA-256 of the validated body before defaults.';

-- Makes a partition and the row of its slice; the caller sees to it that no other slice is open.
create function open_idempotency_slice() returns int
  language plpgsql set search_path from current as $$
  declare
    number int := floor(random() * 2147483647);
    name text := 'idempotency_keys_' || number;
  begin
    execute format('create table %I (like idempotency_keys, constraint %I primary key (digest))', name, name || '_pkey');
    execute format('alter table %I set (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 200000, autovacuum_analyze_scale_factor = 0.1)', name);
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

-- Scores

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
  features_crc32 integer,
  constraint scores_pkey primary key (transaction_id, created_at),
  constraint score_in_range check (score between 0 and 1000),
  constraint risk_in_range check (risk >= 0 and risk <= 1),
  constraint probability_in_range check (probability >= 0 and probability <= 1),
  constraint verdict_known check (verdict in ('approve', 'review', 'decline')),
  constraint features_are_doubles check (octet_length(features) % 8 = 0),
  constraint attempts_in_range check (attempts between 1 and 4),
  constraint degradation_in_range check (degradation between 0 and 4)
) partition by range (created_at);
comment on table scores is
  'One row per scored transaction, written once (insert .. on conflict do nothing) with everything needed to recompute it: features, feature_schema, rule_set, model.';
comment on column scores.reasons is 'Ordered reasons: [{code, detail, contribution in score points}].';
comment on column scores.features is
  'The logged vector: raw little-endian doubles in the order of the feature schema; NaN is a missing value. feature_values() makes numbers of it.';
comment on column scores.features_crc32 is
  'CRC-32 of features with every NaN read as the least double, so that one changed bit is found wherever it is; null for older rows.';

-- Searches ask for whatever is no approval and for whatever scores high under any rule set: a few per cent of the rows. A
-- verdict of a corridor is answered by the index alone. By time, and the riskiest first.
create index scores_risky_time_idx on scores (created_at, transaction_id) include (corridor, verdict, score)
  where verdict <> 'approve' or score >= 300;
create index scores_riskiest_idx on scores (score, created_at, transaction_id) include (corridor, verdict)
  where verdict <> 'approve' or score >= 300;
-- Scores that were made with less than everything; usually none.
create index scores_degraded_idx on scores (created_at, transaction_id) include (corridor, degradation)
  where degradation > 0;

create function feature_values(features bytea) returns double precision[]
language plpgsql immutable strict parallel safe as $$
declare
  numbers double precision[] := '{}';
  high integer; -- sign, exponent and the first 4 bits of the mantissa
  exponent integer;
  mantissa bigint;
  number double precision;
begin
  for at in 0 .. octet_length(features) - 8 by 8 loop
    high := get_byte(features, at + 7) * 256 + get_byte(features, at + 6);
    exponent := (high >> 4) & 2047;
    mantissa := (high & 15) * 281474976710656 + get_byte(features, at + 5) * 1099511627776
      + get_byte(features, at + 4) * 4294967296 + get_byte(features, at + 3)::bigint * 16777216
      + get_byte(features, at + 2) * 65536 + get_byte(features, at + 1) * 256 + get_byte(features, at);
    if exponent = 2047 then
      number := case when mantissa > 0 then 'NaN' else 'Infinity' end;
    else
      if exponent > 0 then mantissa := mantissa + 4503599627370496; end if;
      exponent := greatest(exponent, 1) - 1075;
      -- A power of two in two halves, as neither of them can underflow.
      number := mantissa * 2::float8 ^ (exponent / 2) * 2::float8 ^ (exponent - exponent / 2);
    end if;
    numbers := numbers || case when high > 32767 then -number else number end;
  end loop;
  return numbers;
end $$;
comment on function feature_values is
  'A stored vector as numbers, for people: feature n (from 1) is (feature_values(features))[n], or 30 times as fast (feature_values(substring(features from 8 * n - 7 for 8)))[1].';

create table recomputed_features (
  transaction_id uuid not null,
  created_at timestamptz(3) not null,
  feature_schema smallint not null,
  features bytea not null,
  recomputed_at timestamptz(3) not null,
  constraint recomputed_features_pkey primary key (transaction_id, feature_schema),
  constraint features_are_doubles check (octet_length(features) % 8 = 0)
);
comment on table recomputed_features is
  'Vectors of a newer feature schema for scores that were stored with an older one, from the transactions and labels of today: never what decided, which is in scores.';

-- Dead letters

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
comment on table dead_letters is
  'Stream entries given up, committed before the entry is acknowledged. Active while neither replayed nor purged. transaction_id is null when the entry could not be read. Closed ones are kept RISK_DEAD_LETTER_RETENTION_DAYS, and beyond that while nothing else says what became of the transaction.';
create unique index dead_letters_active_transaction_key on dead_letters (transaction_id)
  where replayed_at is null and purged_at is null;
create unique index dead_letters_unreadable_entry_key on dead_letters (stream, entry_id)
  where transaction_id is null;
create index dead_letters_failed_idx on dead_letters (failed_at desc, dead_letter_id desc);
create index dead_letters_replayed_idx on dead_letters (replayed_at) where replayed_at is not null;
-- What became of a transaction: asked with every read of one, and for every id by the reconciler.
create index dead_letters_final_transaction_idx on dead_letters (transaction_id)
  where replayed_at is null;
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
  client text,
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
comment on table labels is
  'What became known of a transaction, by whom and when; one partition per UTC month of the transaction. Appended by POST /v1/labels, never updated: the newest labelled_at wins, and of two at the same time fraud.';
comment on column labels.created_at is 'Of the transaction.';
comment on column labels.labelled_at is 'When it became known, by the caller.';
comment on column labels.received_at is 'When the API was told.';
comment on column labels.batch_id is
  'The request that brought it: a try whose commit was not heard of finds its own rows by it.';
comment on column labels.account_id is 'Of the transaction, as merchant_id: rates are asked by party.';
comment on column labels.amount_to_median is
  'Of a fraud: the amount by the median of its account, from the score that was stored when the label came. Null: there was no score, or no sibling.';
comment on column labels.client is 'Client of the API key that reported it. Null for rows that are older than the column.';
comment on column labels.identity is 'The person who held that key; null for a key of no person.';
comment on column labels.note is
  'What the reporter added, for people: neither features nor training read it. The first report of a label keeps its note.';

-- Rates count frauds of a party by the time of the transaction. Frauds are few, so the many rows that say
-- legitimate cost no entry; whether one came after a fraud is looked up in the primary key.
create index labels_fraud_account_idx on labels (account_id, created_at) where label = 'fraud';
create index labels_fraud_merchant_idx on labels (merchant_id, created_at) where label = 'fraud';
-- Lists, newest first: of all, of an account and of a merchant.
create index labels_time_idx on labels (labelled_at, transaction_id);
create index labels_account_idx on labels (account_id, labelled_at, transaction_id);
create index labels_merchant_idx on labels (merchant_id, labelled_at, transaction_id);

create table label_batches (
  batch_id uuid not null,
  received_at timestamptz(3) not null,
  transaction_ids uuid[] not null,
  constraint label_batches_pkey primary key (batch_id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
alter table label_batches alter column transaction_ids set storage external;
comment on table label_batches is
  'Requests whose labels are committed, but of which the profiles may not have been told. Deleted once they are; what stays is told by a worker.';
create index label_batches_received_idx on label_batches (received_at);

-- API keys, people and sessions

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
  constraint roles_known check (roles <@ array['ingest', 'analyst', 'operator', 'risk_officer', 'admin']),
  constraint roles_not_empty check (cardinality(roles) > 0),
  constraint approving_keys_have_a_person
    check (identity is not null or revoked_at is not null or not 'risk_officer' = any (roles)),
  constraint confirmed_keys_have_a_person check (identity is not null or confirmed_at is null),
  constraint bootstrap_keys_are_nobody check (key_id !~ '^bootstrap[0-9a-f]*$' or identity is null)
);
comment on table api_keys is 'Bearer keys: only the SHA-256 of a key is kept; the key is shown once, when it is made.';
comment on column api_keys.identity is 'The person; null for a key of nobody in particular, which never approves.';
comment on column api_keys.made_by is 'The key; null: whoever has the database.';
comment on column api_keys.confirmed_at is 'A role that approves counts from here on.';
comment on column api_keys.confirmed_by is 'The key; null where whoever has the database made one of the first two who approve.';
create index api_keys_identity_idx on api_keys (identity);

create table identities (
  identity text constraint identities_pkey primary key,
  created_at timestamptz(3) not null default now(),
  made_by text constraint identities_made_by_fkey references api_keys (key_id),
  revoked_at timestamptz(3),
  constraint identity_is_a_name check (
    identity = btrim(normalize(identity, nfkc)) and lower(identity) not in ('', 'engine')
      and identity !~* '^(key|database role) ')
);
comment on table identities is 'People who own keys.';
comment on column identities.made_by is 'The key; null: whoever has the database.';
create unique index identities_name_key on identities (lower(identity));

alter table api_keys
  add constraint api_keys_identity_fkey foreign key (identity) references identities (identity);

-- The person of a key that may approve now; null for every other key.
create function approver_of(key text) returns text language sql stable set search_path from current as $$
  select i.identity
    from api_keys k join identities i on i.identity = k.identity
   where k.key_id = key and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
     and k.confirmed_at is not null and i.revoked_at is null and 'risk_officer' = any (k.roles)
$$;

-- A key, whatever made it or its person, and so on. It ends at a key that whoever has the database made, who vouches for its person.
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

-- Everybody who may hold a key: the people of its line, and each key of nobody by itself.
create function makers_of(key text) returns setof text language sql stable set search_path from current as $$
  select distinct coalesce(identity, 'key ' || key_id) from line_of(key)
$$;

-- Whether a key of nobody is in the line of a key: anybody may hold it then.
create function is_nobodys(key text) returns boolean language sql stable set search_path from current as $$
  select exists (select from line_of(key) where identity is null)
$$;

-- Somebody who may hold both keys; null where they are two people's.
create function shared_maker(one text, other text) returns text language sql stable set search_path from current as $$
  select * from makers_of(one) intersect select * from makers_of(other) limit 1
$$;

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

-- Audit log

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
  'What people and the engine changed, and what people took or were given: keys, people, sessions, models, rollouts, dead letters, months, review cases, rates, exports. A change has its row by the database transaction that changes; rows are only appended.';
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

-- Models and their rollouts

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
comment on column models.model_id is 'SHA-256 of the artefact, hexadecimal.';
comment on column models.model is 'name@version, as scores.model names it.';
comment on column models.golden_inputs is 'Row by row, features in the order of feature_names; NaN is a missing value.';
comment on column models.golden_probabilities is 'After calibration.';
comment on column models.golden_source is 'manifest: came with the model; import: recorded when it was imported.';
comment on column models.known_by is 'Labels known by then were used.';
comment on column models.parent is 'name@version of the model it was to replace; need not be registered here.';
comment on column models.calibration is
  'From margins to probabilities, as in the manifest; null: as the format of the artefact has it.';
create trigger models_never_change before update or delete or truncate on models
  for each statement execute function refuse_change();

create table model_proposals (
  proposal_id bigint generated always as identity constraint model_proposals_pkey primary key,
  model_id text not null constraint model_proposals_model_fkey references models (model_id),
  corridor text not null,
  state text not null,
  canary_percent smallint not null,
  proposed_by text not null,
  proposed_at timestamptz(3) not null default now(),
  proposed_by_key text constraint model_proposals_key_fkey references api_keys (key_id),
  constraint proposal_corridor_or_all check (corridor = 'all' or corridor ~ '^[A-Z]{2}-[A-Z]{2}$'),
  constraint proposal_state_known check (state in ('shadow', 'canary', 'active')),
  constraint proposal_canary_in_range check (
    case state when 'canary' then canary_percent between 1 and 99 else canary_percent = 0 end),
  constraint proposed_by_somebody check (btrim(proposed_by) <> ''),
  constraint model_proposals_content_key unique (proposal_id, model_id, state, canary_percent, proposed_by)
);
comment on table model_proposals is 'What somebody would have a model do; in force only by a row of model_rollouts that somebody else approved.';
comment on column model_proposals.canary_percent is 'Percent of the accounts; 0 but for a canary.';
comment on column model_proposals.proposed_by_key is 'Null: made before keys were recorded; cannot be approved.';
create trigger model_proposals_never_change before update or delete or truncate on model_proposals
  for each statement execute function refuse_change();

create table model_rollouts (
  rollout_id bigint generated always as identity constraint model_rollouts_pkey primary key,
  corridor text not null,
  model_id text not null constraint model_rollouts_model_fkey references models (model_id),
  state text not null,
  canary_percent smallint not null,
  cause text not null,
  proposal_id bigint,
  proposed_by text not null,
  approved_by text,
  created_at timestamptz(3) not null default now(),
  reason text constraint rollout_reason_bounded check (char_length(reason) <= 1024),
  decided_by_key text constraint model_rollouts_key_fkey references api_keys (key_id),
  ends_at timestamptz(3),
  constraint rollout_corridor_shape check (corridor ~ '^[A-Z]{2}-[A-Z]{2}$'),
  constraint rollout_canary_in_range check (
    case state when 'canary' then canary_percent between 1 and 99 else canary_percent = 0 end),
  constraint rollout_cause_fits check (
    case cause
      when 'approval' then state in ('shadow', 'canary', 'active') and proposal_id is not null
      when 'emergency' then state in ('shadow', 'canary', 'active') and proposal_id is not null
      when 'displacement' then state = 'deprecated' and proposal_id is null
      when 'rollback' then state in ('active', 'deprecated') and proposal_id is null
      else false
    end),
  constraint approved_unless_alone check (
    case cause when 'approval' then approved_by is not null when 'displacement' then true else approved_by is null end),
  constraint emergency_ends check (
    case cause when 'emergency' then (ends_at <= created_at + interval '1 day' and btrim(reason) <> '') is true
               else ends_at is null end),
  constraint proposer_is_not_approver check (
    lower(btrim(normalize(proposed_by, nfkc))) <> lower(btrim(normalize(approved_by, nfkc)))),
  constraint rollout_by_somebody check (btrim(proposed_by) <> '' and btrim(approved_by) <> ''),
  constraint rollout_is_proposal_fkey foreign key (proposal_id, model_id, state, canary_percent, proposed_by)
    references model_proposals (proposal_id, model_id, state, canary_percent, proposed_by)
);
comment on table model_rollouts is
  'What models do: the newest row of a model in a corridor holds; without a row it is staged. Appended only, by risk models approve and rollback.';
comment on column model_rollouts.cause is
  'approval: as proposed; displacement: another model became active; rollback: one risk officer went back, or the engine; emergency: one risk officer alone, for a day at most.';
comment on column model_rollouts.reason is 'Why, where the engine rolled back by itself (proposed_by engine) or one person acted alone.';
comment on column model_rollouts.decided_by_key is 'Of who approved, rolled back or put in force alone; null for the engine.';
comment on column model_rollouts.ends_at is 'An emergency ends here unless a row of the same proposal is approved before.';
create unique index model_rollouts_proposal_key on model_rollouts (proposal_id, corridor, cause)
  where proposal_id is not null;
create index model_rollouts_ends_idx on model_rollouts (ends_at) where ends_at is not null;
create trigger model_rollouts_never_change before update or delete or truncate on model_rollouts
  for each statement execute function refuse_change();

create function refuse_one_person() returns trigger language plpgsql set search_path from current as $$
declare
  proposer text := (select proposed_by_key from model_proposals where proposal_id = new.proposal_id);
begin
  if approver_of(new.decided_by_key) is distinct from coalesce(new.approved_by, new.proposed_by) then
    raise exception '% may not approve by the key %', coalesce(new.approved_by, new.proposed_by),
        coalesce(new.decided_by_key, 'of nobody')
      using errcode = 'integrity_constraint_violation';
  end if;
  if new.cause = 'emergency' then
    return null;
  end if;
  if proposer is null or shared_maker(proposer, new.decided_by_key) is not null then
    raise exception 'proposal % and its approval are not two people''s', new.proposal_id
      using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
create trigger model_rollouts_need_two_people after insert on model_rollouts
  for each row when (new.cause in ('approval', 'emergency')) execute function refuse_one_person();

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
comment on table model_checks is
  'Each time a process proved a model (hash, feature schema, golden vectors three times) before it scored by it, or found that it must not.';
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
comment on table shadow_batches is
  'What shadow models made of the batches of workers, a row a batch and model; at least once. Read as shadow_scores; kept RISK_SHADOW_RETENTION_DAYS.';
create index shadow_batches_model_idx on shadow_batches (model_id, scored_at);
create index shadow_batches_scored_idx on shadow_batches (scored_at);

create view shadow_scores as
  select b.model_id, b.scored_at, s.transaction_id, s.probability
    from shadow_batches b
   cross join lateral unnest(b.transaction_ids, b.probabilities) as s (transaction_id, probability);
comment on view shadow_scores is 'A row a transaction and shadow model, more where an entry came again.';

create table watch_reports (
  watched_at timestamptz(3) not null,
  model text not null,
  report jsonb not null,
  constraint watch_reports_pkey primary key (watched_at, model),
  constraint watch_report_bounded check (octet_length(report::text) <= 1048576)
);
comment on table watch_reports is
  'What one worker at a time found of each model that decides: drift, and whether verdicts and probabilities came true. A run and model a row, kept RISK_WATCH_RETENTION_DAYS.';
comment on column watch_reports.model is 'name@version as in scores.model, or rules where no model decided.';
comment on column watch_reports.report is 'As GET /v1/models/watch answers it.';

-- Tallies of merchants

create table tally_checkpoint (
  only_row boolean constraint tally_checkpoint_pkey primary key default true constraint one_row check (only_row),
  folded_to xid8 not null
);
comment on table tally_checkpoint is
  'Rows of transactions with inserted_xid before folded_to are in the tallies, those from it on are not. All database transactions before it have ended.';
insert into tally_checkpoint (folded_to) values (pg_snapshot_xmin(pg_current_snapshot()));

create table tallied_merchants (
  merchant_id text constraint tallied_merchants_pkey primary key,
  tallied_to timestamptz(3) not null default '-infinity'
);
comment on table tallied_merchants is
  'Merchants with more transactions than a rebuild may count. Those created until tallied_to are in the tallies; infinity: all are.';

create table merchant_hours (
  merchant_id text not null,
  hour_at timestamptz(3) not null,
  currency text not null,
  count integer not null,
  sum numeric not null,
  constraint merchant_hours_pkey primary key (merchant_id, hour_at, currency)
);
comment on table merchant_hours is
  'Transactions of a tallied merchant by UTC hour of created_at and currency: how many, and the sum of their amounts.';
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
comment on table merchant_hour_parts is
  'The same for parts of hours that have too many transactions to count: from one place in (created_at, transaction_id) to the next part, or the end of the hour.';
create index merchant_hour_parts_from_idx on merchant_hour_parts (from_at);

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
comment on table daily_increments is
  'What a statement adds to the daily tallies, written by the same statement that stores the rows it counts. A worker adds it to daily_tallies and total_tallies and deletes it.';
comment on column daily_increments.day is 'UTC day of created_at; of a dead letter, of failed_at.';
comment on column daily_increments.outcome is
  'accepted: transactions; a verdict: scores; fraud, legitimate: transactions whose deciding label it is; a reason code: scores that have this reason; dead_lettered: transactions that ended as a dead letter which is not replayed; dead_letter: dead letters neither replayed nor purged.';
comment on column daily_increments.currency is 'XXX where there is none, as of reasons and dead letters.';
comment on column daily_increments.amount is 'Sum of the amounts of these transactions.';

create table daily_tallies (
  like daily_increments,
  constraint daily_tallies_key unique nulls not distinct (day, corridor, currency, outcome, rule_set, model)
);
comment on table daily_tallies is
  'Transactions, scores and their reasons, labels and dead letters by day. A figure is the sum of these rows and those of daily_increments.';
-- Days that counted something.
create index daily_tallies_outcome_idx on daily_tallies (outcome, day);

create table total_tallies (
  corridor text not null,
  outcome text not null,
  count bigint not null,
  constraint total_tallies_pkey primary key (corridor, outcome)
);
comment on table total_tallies is
  'The same over all days, so that a total costs the same however many days there are. Labels and reasons have no total.';

create table tally_days (
  day date constraint tally_days_pkey primary key,
  increments bigint not null
) with (fillfactor = 50);
comment on table tally_days is
  'How many rows of daily_increments were ever merged into the tallies of a day. With those not merged yet it is the version of the figures of the day.';

create table tally_merge (
  only_row boolean constraint tally_merge_pkey primary key default true constraint one_row check (only_row),
  emptied_at timestamptz(3) not null
);
comment on table tally_merge is 'Locked by the worker that merges increments.';
comment on column tally_merge.emptied_at is 'What was committed before it is in daily_tallies and total_tallies.';
insert into tally_merge (emptied_at) values (now());

-- Dead letters are few and several statements change them, so a trigger counts what each of them changed.
create function tally_dead_letters() returns trigger language plpgsql set search_path from current as $$
begin
  if tg_op <> 'INSERT' then
    insert into daily_increments (day, corridor, currency, outcome, count, amount, score_sum)
    select (failed_at at time zone 'UTC')::date, corridor, 'XXX', outcome, -count(*), 0, 0
      from removed
     cross join lateral (values ('dead_lettered', replayed_at is null and transaction_id is not null),
                                ('dead_letter', replayed_at is null and purged_at is null)) o (outcome, is_counted)
     where is_counted group by 1, 2, 4;
  end if;
  if tg_op <> 'DELETE' then
    insert into daily_increments (day, corridor, currency, outcome, count, amount, score_sum)
    select (failed_at at time zone 'UTC')::date, corridor, 'XXX', outcome, count(*), 0, 0
      from stored
     cross join lateral (values ('dead_lettered', replayed_at is null and transaction_id is not null),
                                ('dead_letter', replayed_at is null and purged_at is null)) o (outcome, is_counted)
     where is_counted group by 1, 2, 4;
  end if;
  return null;
end $$;
create trigger dead_letters_tallied_insert after insert on dead_letters
  referencing new table as stored for each statement execute function tally_dead_letters();
create trigger dead_letters_tallied_update after update on dead_letters
  referencing old table as removed new table as stored for each statement execute function tally_dead_letters();
create trigger dead_letters_tallied_delete after delete on dead_letters
  referencing old table as removed for each statement execute function tally_dead_letters();

-- Review

create table review_policies (
  version integer generated always as identity constraint review_policies_pkey primary key,
  policy jsonb not null,
  made_at timestamptz(3) not null default now(),
  made_by text not null,
  constraint policy_by_somebody check (btrim(made_by) <> ''),
  constraint policy_names_its_currency
    check ((policy ->> 'currency' ~ '^[A-Z]{3}$' and policy ? 'four_eyes_amount') is true)
);
comment on table review_policies is
  'Priorities with their deadlines, overflow rules and bounds of the review of transactions. The newest version is in force; a case names the version that placed it.';

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
    {"priority": 4, "older_than_minutes": 480, "actions": ["propose_tighter_auto_clear", "alert"]},
    {"priority": 2, "older_than_minutes": 240, "actions": ["call_all_hands", "propose_throttle"]},
    {"priority": 0, "older_than_minutes": 120, "actions": ["escalate"]}
  ],
  "four_eyes_amount": "5000",
  "lock_seconds": 900,
  "undo_seconds": 10,
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
comment on table exchange_rates is
  'What one unit of a currency was worth in US dollars on a UTC day. Imported by people; a day without a row has the rate of the day before.';

create table review_intake (
  intake_id bigint generated always as identity constraint review_intake_pkey primary key,
  source text not null,
  transaction_ids uuid[] not null,
  received_at timestamptz(3) not null default now(),
  constraint intake_source_known check (source in ('score', 'dispute')),
  constraint intake_names_transactions check (cardinality(transaction_ids) > 0)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
comment on table review_intake is
  'Transactions that need a case, a row a batch, written by the statement that stores their scores or labels. A worker makes the cases and deletes the row in one database transaction.';

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
comment on table review_cases is
  'What people have to look at: one row a transaction, whatever names it again. A case that is closed as legitimate or unsure opens again by a dispute.';
comment on column review_cases.created_at is 'Of the transaction.';
comment on column review_cases.policy is 'Version of review_policies; no foreign key, as versions are never removed and a check costs every case a lookup.';
comment on column review_cases.market_amount is
  'The amount in market_currency by the rates of rate_day, the newest day up to that of the transaction on which both currencies have one; null where there is none.';
comment on column review_cases.market_currency is 'The currency of the policy that placed the case.';
comment on column review_cases.locked_until is 'From then on anybody may claim it, by this server''s clock.';
comment on column review_cases.claimed_at is 'First claim since it opened.';
comment on column review_cases.escalated_by is 'A person, who leaves it to a risk officer; engine: an overflow rule.';
comment on column review_cases.final_at is 'End of the time in which the decision can be undone.';

-- Cases that wait for somebody, in the order of work; those whose decision becomes final; arrivals; the end.
create index review_cases_queue_idx on review_cases (priority, due_at, transaction_id) where state <> 'closed';
create index review_cases_final_idx on review_cases (final_at) where state = 'decided';
create index review_cases_opened_idx on review_cases using brin (opened_at) with (pages_per_range = 32);
create index review_cases_closed_idx on review_cases (closed_at, transaction_id) where closed_at is not null;
-- Cases of an account, a merchant or a device: open ones first, closed ones by their time.
create index review_cases_of_account_idx on review_cases (account_id, closed_at, transaction_id);
create index review_cases_of_merchant_idx on review_cases (merchant_id, closed_at, transaction_id);
create index review_cases_of_device_idx on review_cases (device_id, closed_at, transaction_id)
  where device_id is not null;
-- Lists of the queue: of a corridor; claimed now or before; assigned; and those whose decision waits for a second person, or
-- for the end of the time to undo.
create index review_cases_corridor_idx on review_cases (corridor, priority, due_at, transaction_id)
  where state <> 'closed';
create index review_cases_claimed_idx on review_cases (locked_by, priority, due_at, transaction_id)
  where locked_by is not null;
create index review_cases_assigned_idx on review_cases (assignee, priority, due_at, transaction_id)
  where assignee is not null and state <> 'closed';
create index review_cases_undecided_idx on review_cases (state, priority, due_at, transaction_id)
  where state in ('confirming', 'decided');

create function refuse_one_reviewer() returns trigger language plpgsql set search_path from current as $$
begin
  if new.decided_by_key is null or shared_maker(new.decided_by_key, new.confirmed_by_key) is not null
     or approver_of(new.confirmed_by_key) is distinct from new.confirmed_by then
    raise exception 'the decision on % and its confirmation are not two people''s', new.transaction_id
      using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
create trigger review_cases_need_two_people after insert or update of confirmed_by, confirmed_by_key on review_cases
  for each row when (new.confirmed_by is not null) execute function refuse_one_reviewer();

create table review_notes (
  note_id bigint generated always as identity constraint review_notes_pkey primary key,
  transaction_id uuid not null constraint review_notes_case_fkey references review_cases (transaction_id) on delete cascade,
  written_at timestamptz(3) not null default now(),
  written_by text not null,
  note text,
  file_name text,
  file_type text,
  file bytea,
  constraint note_or_file check ((note is null) <> (file is null)),
  constraint file_is_named check ((file is null) = (file_name is null) and (file is null) = (file_type is null)),
  constraint note_bounded check (char_length(note) between 1 and 4000),
  constraint file_bounded check (octet_length(file) between 1 and 262144)
);
alter table review_notes alter column file set storage external;
comment on table review_notes is 'Notes and attached files of cases, for people; nothing else reads them.';
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
comment on table final_decisions is
  'What people decided about transactions, once it can no longer be undone; the newest of a transaction stands. Written by the commit that closes the case and stores its label; events are made from it.';
comment on column final_decisions.decision_id is 'In the order of commits, without a gap: one worker at a time writes.';
comment on column final_decisions.label is
  'posted: a label of source review; none: unsure; month_detached: the month of the transaction could not take one.';
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
    array['transaction.decided', 'transaction.final_decision', 'review.deadline_near', 'alert.raised']),
  constraint endpoint_verdicts_known check (cardinality(verdicts) > 0 and verdicts <@ array['approve', 'review', 'decline']),
  constraint endpoint_of_a_client_sees_its_own check (client is null or event_types <@
    array['transaction.decided', 'transaction.final_decision']),
  constraint endpoint_disabled_for_a_reason check ((disabled_at is null) = (disabled_reason is null)),
  constraint endpoint_deleted_without_secret check ((secret is null) = (deleted_at is not null)
    and (deleted_at is null or previous_secret is null)),
  constraint endpoint_previous_secret_ends check ((previous_secret is null) = (previous_until is null))
);
comment on table webhook_endpoints is
  'Where events are sent. A deleted endpoint keeps its row, without secrets, until its deliveries have ended.';
comment on column webhook_endpoints.client is 'Whose transactions it hears of; null: the market''s.';
comment on column webhook_endpoints.secret is 'Encrypted where RISK_WEBHOOK_KEYS is set.';
comment on column webhook_endpoints.previous_secret is 'Signs beside the newer one until previous_until.';
comment on column webhook_endpoints.failing_since is 'First failure since the last success.';
create index webhook_endpoints_deleted_idx on webhook_endpoints (deleted_at) where deleted_at is not null;

create table webhook_intake (
  intake_id bigint generated always as identity constraint webhook_intake_pkey primary key,
  transaction_ids uuid[] not null,
  constraint hooked_names_transactions check (cardinality(transaction_ids) > 0)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
comment on table webhook_intake is
  'Transactions whose verdict an endpoint takes, a row a batch, written by the statement that stores their scores. A worker makes the deliveries and deletes the row in one database transaction.';

create table webhook_position (
  only_row boolean constraint webhook_position_pkey primary key default true constraint one_row check (only_row),
  decision_id bigint not null
);
comment on table webhook_position is 'Final decisions up to this one have their deliveries.';
insert into webhook_position (decision_id) values (0);

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
  constraint delivery_state_fits check (
    case state when 'waiting' then next_at is not null when 'delivered' then next_at is null when 'dead' then next_at is null
      else false end)
) with (autovacuum_vacuum_scale_factor = 0.02);
comment on table webhook_deliveries is
  'What is sent to whom, and how it went: one row an endpoint and event, whatever names the event again.';
comment on column webhook_deliveries.endpoint_id is
  'No foreign key: an endpoint''s row is removed after its deliveries, and a check costs every row a lookup.';
comment on column webhook_deliveries.event_id is 'Sent as webhook-id, by which receivers tell repetitions.';
comment on column webhook_deliveries.payload is 'The body, byte for byte, as it is signed.';
comment on column webhook_deliveries.next_at is
  'When it is due. A worker that sends it moves this into the future: until then no other one sends it.';
comment on column webhook_deliveries.decisions is 'How many decisions the event lists; null: it is about something else.';
create index webhook_deliveries_due_idx on webhook_deliveries (endpoint_id, next_at) where state = 'waiting';
create index webhook_deliveries_log_idx on webhook_deliveries (endpoint_id, delivery_id);

-- What one worker at a time does, and what is known of Redis

create table leaderships (
  duty text constraint leaderships_pkey primary key,
  owner text not null default '',
  epoch bigint not null default 0,
  expires_at timestamptz(3) not null default '-infinity'
);
comment on table leaderships is
  'One row per duty that one process at a time does, made when it is first asked for.';
comment on column leaderships.owner is 'The process that does it, or did it last.';
comment on column leaderships.epoch is
  'Grows with each change of owner. Every write of an owner names it and fails once it has grown.';
comment on column leaderships.expires_at is
  'By this server''s clock. From then on any process may take the duty over.';
insert into leaderships (duty) values ('purge'), ('cases'), ('decisions'), ('case-figures'), ('webhooks');

create table reconcile_state (
  only_row boolean constraint reconcile_state_pkey primary key default true constraint one_row check (only_row),
  redis_identity text,
  checkpoint timestamptz(3) not null default '2000-01-01',
  recovering boolean not null default false,
  updated_at timestamptz(3) not null default now()
);
comment on table reconcile_state is
  'What the reconciler knows: the Redis it last saw, and the received_at before which every transaction is known to be final. Written only where it still is as it was read.';
insert into reconcile_state (only_row) values (true);

create table stream_proofs (
  stream text constraint stream_proofs_pkey primary key,
  token text not null,
  history text not null,
  proven_at timestamptz(3) not null default now()
);
comment on table stream_proofs is
  'One row a stream: the token that stands in its group and its retries, and the history of writes (replication id) of the server that held them.';

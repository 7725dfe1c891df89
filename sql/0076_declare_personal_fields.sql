-- Personal fields of a market, with the subjects behind its tokens. Makes tables; no reader and no writer waits.

create table personal_fields (
  field text constraint personal_fields_pkey primary key
    constraint personal_field_known check (field ~ '^(account_id|device_id|ip|metadata(\.[A-Za-z][A-Za-z0-9_]{0,39}){1,4})$'),
  declared_by text not null,
  declared_at timestamptz(3) not null default now()
);
comment on table personal_fields is
  'Fields whose values are stored, streamed and logged as tokens, declared before the first transaction. No row: values are kept as they come.';

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
  asked_by_key text,
  asked_at timestamptz(3) not null default now(),
  confirmed_by text,
  erased_at timestamptz(3)
);
comment on table erasures is 'Subjects that were erased, or wait for a second person, by their tokens; nothing here leads to a value.';
comment on column erasures.asked_by_key is 'The key; null: the ledger was applied to a restored database.';
comment on column erasures.erased_at is 'Null: on a block list, so another person has to ask for the erasure, too.';

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
  features double precision[] not null,
  feature_schema smallint not null,
  rule_set text not null,
  model text,
  attempts smallint not null,
  degradation smallint not null,
  constraint scores_pkey primary key (transaction_id, created_at),
  constraint score_in_range check (score between 0 and 1000),
  constraint risk_in_range check (risk >= 0 and risk <= 1),
  constraint probability_in_range check (probability >= 0 and probability <= 1),
  constraint verdict_known check (verdict in ('approve', 'review', 'decline')),
  constraint attempts_in_range check (attempts between 1 and 4),
  constraint degradation_in_range check (degradation between 0 and 4)
) partition by range (created_at);
comment on table scores is
  'One row per scored transaction, written once (insert .. on conflict do nothing) with everything needed to recompute it: features, feature_schema, rule_set, model.';
comment on column scores.features is 'The logged vector, in the order of the feature schema; NaN is a missing value.';
comment on column scores.reasons is 'Ordered reasons: [{code, detail, contribution in score points}].';

create index scores_account_idx on scores (account_id, created_at);
-- What analysts look for: everything that is not an approval, newest first.
create index scores_flagged_idx on scores (created_at, transaction_id) where verdict <> 'approve';

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
  'Stream entries given up, committed before the entry is acknowledged. Active while neither replayed nor purged. transaction_id is null when the entry could not be read.';
create unique index dead_letters_active_transaction_key on dead_letters (transaction_id)
  where replayed_at is null and purged_at is null;
create unique index dead_letters_unreadable_entry_key on dead_letters (stream, entry_id)
  where transaction_id is null;
create index dead_letters_failed_idx on dead_letters (failed_at desc, dead_letter_id desc);
create index dead_letters_replayed_idx on dead_letters (replayed_at) where replayed_at is not null;

create table reconcile_state (
  only_row boolean constraint reconcile_state_pkey primary key default true constraint one_row check (only_row),
  redis_identity text,
  checkpoint timestamptz(3) not null default '2000-01-01',
  recovering boolean not null default false,
  updated_at timestamptz(3) not null default now()
);
comment on table reconcile_state is
  'What the reconciler knows: the Redis it last saw, and the received_at before which every transaction is known to be final.';
insert into reconcile_state (only_row) values (true);

-- Makes one table and locks nothing that is there already.
create table recomputed_features (
  transaction_id uuid not null,
  created_at timestamptz(3) not null,
  feature_schema smallint not null,
  features double precision[] not null,
  recomputed_at timestamptz(3) not null,
  constraint recomputed_features_pkey primary key (transaction_id, feature_schema)
);
comment on table recomputed_features is
  'Vectors of a newer feature schema for scores that were stored with an older one, from the transactions and labels of today: never what decided, which is in scores.';

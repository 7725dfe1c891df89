-- A new table: nothing that exists is locked.
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'rows of % are never changed', tg_table_name
    using errcode = 'integrity_constraint_violation';
end $$;

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
comment on column models.golden_source is 'manifest: came with the model; import: recorded when it was imported.';
comment on column models.known_by is 'Labels known by then were used.';
comment on column models.parent is 'name@version of the model it was to replace; need not be registered here.';

create trigger models_never_change before update or delete or truncate on models
  for each statement execute function refuse_change();

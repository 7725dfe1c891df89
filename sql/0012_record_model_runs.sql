-- New tables, and a column without a default: nothing that exists is locked for longer than a moment.
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
create index model_checks_model_idx on model_checks (model_id, check_id);

create trigger model_checks_never_change before update or delete or truncate on model_checks
  for each statement execute function refuse_change();

alter table model_rollouts add column reason text constraint rollout_reason_bounded check (char_length(reason) <= 1024);
comment on column model_rollouts.reason is 'Why, where the engine rolled back by itself (proposed_by engine).';

create table shadow_batches (
  model_id text not null,
  scored_at timestamptz(3) not null,
  transaction_ids uuid[] not null,
  probabilities double precision[] not null,
  constraint shadow_batch_whole check (cardinality(transaction_ids) = cardinality(probabilities))
);
comment on table shadow_batches is
  'What shadow models made of the batches of workers, a row a batch and model; at least once. Read as shadow_scores; old rows may be deleted at any time.';
create index shadow_batches_model_idx on shadow_batches (model_id, scored_at);

create view shadow_scores as
  select b.model_id, b.scored_at, s.transaction_id, s.probability
    from shadow_batches b
   cross join lateral unnest(b.transaction_ids, b.probabilities) as s (transaction_id, probability);
comment on view shadow_scores is 'A row a transaction and shadow model, more where an entry came again.';

-- New tables: nothing that exists is locked.
create table model_proposals (
  proposal_id bigint generated always as identity constraint model_proposals_pkey primary key,
  model_id text not null constraint model_proposals_model_fkey references models (model_id),
  corridor text not null,
  state text not null,
  canary_percent smallint not null,
  proposed_by text not null,
  proposed_at timestamptz(3) not null default now(),
  constraint proposal_corridor_or_all check (corridor = 'all' or corridor ~ '^[A-Z]{2}-[A-Z]{2}$'),
  constraint proposal_state_known check (state in ('shadow', 'canary', 'active')),
  constraint proposal_canary_in_range check (
    case state when 'canary' then canary_percent between 1 and 99 else canary_percent = 0 end),
  constraint proposed_by_somebody check (btrim(proposed_by) <> ''),
  constraint model_proposals_content_key unique (proposal_id, model_id, state, canary_percent, proposed_by)
);
comment on table model_proposals is 'What somebody would have a model do; in force only by a row of model_rollouts that somebody else approved.';
comment on column model_proposals.canary_percent is 'Percent of the accounts; 0 but for a canary.';

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
  constraint rollout_corridor_shape check (corridor ~ '^[A-Z]{2}-[A-Z]{2}$'),
  constraint rollout_canary_in_range check (
    case state when 'canary' then canary_percent between 1 and 99 else canary_percent = 0 end),
  constraint rollout_cause_fits check (
    case cause
      when 'approval' then state in ('shadow', 'canary', 'active') and proposal_id is not null
      when 'displacement' then state = 'deprecated' and proposal_id is null
      when 'rollback' then state in ('active', 'deprecated') and proposal_id is null
      else false
    end),
  constraint approved_unless_rolled_back check ((approved_by is null) = (cause = 'rollback')),
  constraint proposer_is_not_approver check (
    lower(btrim(normalize(proposed_by, nfkc))) <> lower(btrim(normalize(approved_by, nfkc)))),
  constraint rollout_by_somebody check (btrim(proposed_by) <> '' and btrim(approved_by) <> ''),
  constraint rollout_is_proposal_fkey foreign key (proposal_id, model_id, state, canary_percent, proposed_by)
    references model_proposals (proposal_id, model_id, state, canary_percent, proposed_by)
);
comment on table model_rollouts is
  'What models do: the newest row of a model in a corridor holds; without a row it is staged. Appended only, by risk models approve and rollback.';
comment on column model_rollouts.cause is
  'approval: as proposed; displacement: another model became active; rollback: one risk officer went back.';
create unique index model_rollouts_proposal_key on model_rollouts (proposal_id, corridor)
  where proposal_id is not null;

create trigger model_proposals_never_change before update or delete or truncate on model_proposals
  for each statement execute function refuse_change();
create trigger model_rollouts_never_change before update or delete or truncate on model_rollouts
  for each statement execute function refuse_change();

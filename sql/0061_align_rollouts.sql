-- Rollouts of rule sets have the states and columns of rollouts of models, as one mechanism decides both. Locks two tables for a moment each.

-- transaction: lets a proposal ask for a shadow
alter table rule_set_proposals
  drop constraint rule_set_proposal_state_known,
  add constraint rule_set_proposal_state_known check (state in ('shadow', 'canary', 'active'));

-- transaction: lets the engine decide too, with a reason
alter table rule_set_rollouts
  alter column decided_by_key drop not null,
  add column reason text constraint rule_set_rollout_reason_bounded check (char_length(reason) <= 1024),
  add column ends_at timestamptz(3) constraint rule_set_rollout_has_no_end check (ends_at is null),
  drop constraint rule_set_rollout_cause_fits,
  add constraint rule_set_rollout_cause_fits check (
    case cause
      when 'approval' then state in ('shadow', 'canary', 'active') and proposal_id is not null and approved_by is not null
      when 'displacement' then state = 'deprecated' and proposal_id is null
      when 'rollback' then state in ('active', 'deprecated') and proposal_id is null and approved_by is null
      else false
    end);
comment on column rule_set_rollouts.reason is 'Why, where the engine rolled back by itself (proposed_by engine).';
comment on column rule_set_rollouts.decided_by_key is 'Of who approved or rolled back; null for the engine.';
comment on column rule_set_rollouts.ends_at is 'As of model_rollouts; null, as nobody puts a rule set in force alone.';

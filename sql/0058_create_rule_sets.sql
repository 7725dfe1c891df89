-- Rule sets that people write, approve and roll out. Makes tables; their foreign keys lock api_keys against writes for a moment.

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
  approved_by_key text constraint rule_sets_approver_key_fkey references api_keys (key_id),
  approved_at timestamptz(3),
  retired_by text,
  retired_at timestamptz(3),
  constraint rule_set_state_known check (state in ('draft', 'submitted', 'approved', 'retired')),
  constraint rule_set_state_fits check (
    (state <> 'draft' or (submitted_at is null and approved_at is null and retired_at is null))
    and (state <> 'submitted' or (submitted_at is not null and approved_at is null and retired_at is null))
    and (state <> 'approved' or (approved_at is not null and retired_at is null))
    and ((state = 'retired') = (retired_at is not null and retired_by is not null))),
  constraint rule_set_approval_whole check (num_nonnulls(approved_by, approved_by_key, approved_at) in (0, 3)),
  constraint author_is_not_approver check (
    lower(btrim(normalize(author, nfkc))) <> lower(btrim(normalize(approved_by, nfkc))))
);
comment on table rule_sets is
  'Rule sets beside those of the build. Only a draft changes; what was submitted is approved by another person, or retired.';
comment on column rule_sets.version is 'Ascends by one a change of the row: the entity tag of a draft.';
comment on column rule_sets.source is 'Canonical JSON; sha256 is its SHA-256.';
create trigger rule_sets_stay before delete or truncate on rule_sets
  for each statement execute function refuse_change();

create function guard_rule_set() returns trigger language plpgsql set search_path from current as $$
begin
  if tg_op = 'INSERT' then
    if new.state <> 'draft' then
      raise exception 'rule set % does not begin as a draft', new.rule_set using errcode = 'integrity_constraint_violation';
    end if;
    return new;
  end if;
  if (new.rule_set, new.author, new.author_key, new.created_at)
       is distinct from (old.rule_set, old.author, old.author_key, old.created_at)
     or old.state <> 'draft' and (new.source, new.sha256, new.submitted_at)
       is distinct from (old.source, old.sha256, old.submitted_at)
     or old.approved_at is not null and (new.approved_by, new.approved_by_key, new.approved_at)
       is distinct from (old.approved_by, old.approved_by_key, old.approved_at) then
    raise exception 'rule set % never changes', old.rule_set using errcode = 'integrity_constraint_violation';
  end if;
  if (old.state, new.state) not in (('draft', 'draft'), ('draft', 'submitted'), ('draft', 'retired'),
       ('submitted', 'approved'), ('submitted', 'retired'), ('approved', 'retired')) then
    raise exception 'rule set % is %, and does not become %', old.rule_set, old.state, new.state
      using errcode = 'integrity_constraint_violation';
  end if;
  if new.approved_at is null or old.approved_at is not null then
    return new;
  end if;
  if approver_of(new.approved_by_key) is distinct from new.approved_by then
    raise exception '% may not approve by the key %', new.approved_by, new.approved_by_key
      using errcode = 'integrity_constraint_violation';
  end if;
  if shared_maker(new.author_key, new.approved_by_key) is not null then
    raise exception 'rule set % and its approval are not two people''s', new.rule_set
      using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
create trigger rule_sets_need_two_people before insert or update on rule_sets
  for each row execute function guard_rule_set();

create table rule_set_proposals (
  proposal_id bigint generated always as identity constraint rule_set_proposals_pkey primary key,
  rule_set text not null constraint rule_set_proposals_rule_set_fkey references rule_sets (rule_set),
  corridor text not null,
  state text not null,
  canary_percent smallint not null,
  proposed_by text not null constraint rule_set_proposed_by_somebody check (btrim(proposed_by) <> ''),
  proposed_by_key text not null constraint rule_set_proposals_key_fkey references api_keys (key_id),
  proposed_at timestamptz(3) not null default now(),
  constraint rule_set_proposal_corridor_or_all check (corridor = 'all' or corridor ~ '^[A-Z]{2}-[A-Z]{2}$'),
  constraint rule_set_proposal_state_known check (state in ('canary', 'active')),
  constraint rule_set_proposal_canary_in_range check (
    case state when 'canary' then canary_percent between 1 and 99 else canary_percent = 0 end),
  constraint rule_set_proposals_content_key unique (proposal_id, rule_set, state, canary_percent, proposed_by)
);
comment on table rule_set_proposals is
  'What somebody would have a rule set do; in force only by a row of rule_set_rollouts that somebody else approved.';
create trigger rule_set_proposals_never_change before update or delete or truncate on rule_set_proposals
  for each statement execute function refuse_change();

create table rule_set_rollouts (
  rollout_id bigint generated always as identity constraint rule_set_rollouts_pkey primary key,
  corridor text not null constraint rule_set_rollout_corridor_shape check (corridor ~ '^[A-Z]{2}-[A-Z]{2}$'),
  rule_set text not null constraint rule_set_rollouts_rule_set_fkey references rule_sets (rule_set),
  state text not null,
  canary_percent smallint not null,
  cause text not null,
  proposal_id bigint,
  proposed_by text not null,
  approved_by text,
  decided_by_key text not null constraint rule_set_rollouts_key_fkey references api_keys (key_id),
  created_at timestamptz(3) not null default now(),
  constraint rule_set_rollout_canary_in_range check (
    case state when 'canary' then canary_percent between 1 and 99 else canary_percent = 0 end),
  constraint rule_set_rollout_cause_fits check (
    case cause
      when 'approval' then state in ('canary', 'active') and proposal_id is not null and approved_by is not null
      when 'displacement' then state = 'deprecated' and proposal_id is null
      when 'rollback' then state in ('active', 'deprecated') and proposal_id is null and approved_by is null
      else false
    end),
  constraint rule_set_proposer_is_not_approver check (
    lower(btrim(normalize(proposed_by, nfkc))) <> lower(btrim(normalize(approved_by, nfkc)))),
  constraint rule_set_rollout_is_proposal_fkey foreign key (proposal_id, rule_set, state, canary_percent, proposed_by)
    references rule_set_proposals (proposal_id, rule_set, state, canary_percent, proposed_by)
);
comment on table rule_set_rollouts is
  'What rule sets do: the newest row of a rule set in a corridor holds; a corridor without one has the rule set of the build. Appended only.';
comment on column rule_set_rollouts.cause is
  'approval: as proposed; displacement: another rule set became active; rollback: one risk officer went back.';
create unique index rule_set_rollouts_proposal_key on rule_set_rollouts (proposal_id, corridor) where proposal_id is not null;
create trigger rule_set_rollouts_never_change before update or delete or truncate on rule_set_rollouts
  for each statement execute function refuse_change();

create function refuse_one_person_of_rules() returns trigger language plpgsql set search_path from current as $$
begin
  if approver_of(new.decided_by_key) is distinct from new.approved_by then
    raise exception '% may not approve by the key %', new.approved_by, new.decided_by_key
      using errcode = 'integrity_constraint_violation';
  end if;
  if shared_maker((select proposed_by_key from rule_set_proposals where proposal_id = new.proposal_id), new.decided_by_key)
       is not null then
    raise exception 'proposal % and its approval are not two people''s', new.proposal_id
      using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
create trigger rule_set_rollouts_need_two_people after insert on rule_set_rollouts
  for each row when (new.cause = 'approval') execute function refuse_one_person_of_rules();

-- Locks api_keys, model_proposals and model_rollouts for a moment.
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
  add column identity text constraint api_keys_identity_fkey references identities (identity),
  add column made_by text constraint api_keys_made_by_fkey references api_keys (key_id),
  add column confirmed_by text constraint api_keys_confirmed_by_fkey references api_keys (key_id),
  add column confirmed_at timestamptz(3);
comment on column api_keys.identity is 'The person; null for a key of nobody in particular, which never approves.';
comment on column api_keys.made_by is 'The key; null: whoever has the database.';
comment on column api_keys.confirmed_at is 'A role that approves counts from here on.';
comment on column api_keys.confirmed_by is 'The key; null where whoever has the database made one of the first two who approve.';
create index api_keys_identity_idx on api_keys (identity);

-- Nobody knows who stands behind these owners, so none of their keys approves any longer.
update api_keys set revoked_at = coalesce(revoked_at, now()) where roles <@ array['risk_officer'];
update api_keys set roles = array_remove(roles, 'risk_officer') where 'risk_officer' = any (roles) and not roles <@ array['risk_officer'];
alter table api_keys
  add constraint approving_keys_have_a_person
    check (identity is not null or revoked_at is not null or not 'risk_officer' = any (roles)),
  add constraint confirmed_keys_have_a_person check (identity is not null or confirmed_at is null),
  add constraint bootstrap_keys_are_nobody check (key_id !~ '^bootstrap[0-9a-f]*$' or identity is null);

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

alter table model_proposals add column proposed_by_key text constraint model_proposals_key_fkey references api_keys (key_id);
comment on column model_proposals.proposed_by_key is 'Null: made before keys were recorded; cannot be approved.';

alter table model_rollouts
  add column decided_by_key text constraint model_rollouts_key_fkey references api_keys (key_id),
  add column ends_at timestamptz(3),
  drop constraint rollout_cause_fits,
  add constraint rollout_cause_fits check (
    case cause
      when 'approval' then state in ('shadow', 'canary', 'active') and proposal_id is not null
      when 'emergency' then state in ('shadow', 'canary', 'active') and proposal_id is not null
      when 'displacement' then state = 'deprecated' and proposal_id is null
      when 'rollback' then state in ('active', 'deprecated') and proposal_id is null
      else false
    end),
  drop constraint approved_unless_rolled_back,
  add constraint approved_unless_alone check (
    case cause when 'approval' then approved_by is not null when 'displacement' then true else approved_by is null end),
  add constraint emergency_ends check (
    case cause when 'emergency' then (ends_at <= created_at + interval '1 day' and btrim(reason) <> '') is true
               else ends_at is null end);
comment on column model_rollouts.decided_by_key is 'Of who approved, rolled back or put in force alone; null for the engine.';
comment on column model_rollouts.ends_at is 'An emergency ends here unless a row of the same proposal is approved before.';
comment on column model_rollouts.cause is
  'approval: as proposed; displacement: another model became active; rollback: one risk officer went back, or the engine; emergency: one risk officer alone, for a day at most.';
comment on column model_rollouts.reason is 'Why, where the engine rolled back by itself (proposed_by engine) or one person acted alone.';
drop index model_rollouts_proposal_key;
create unique index model_rollouts_proposal_key on model_rollouts (proposal_id, corridor, cause)
  where proposal_id is not null;
create index model_rollouts_ends_idx on model_rollouts (ends_at) where ends_at is not null;

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

-- Legal holds: what nobody drops, purges or erases. Makes a table and two functions; no reader and no writer waits.

create table legal_holds (
  hold_id bigint generated always as identity constraint legal_holds_pkey primary key,
  kind text not null constraint hold_kind_known check (kind in ('market', 'month', 'account')),
  subject text constraint hold_subject_fits check (
    case kind
      when 'market' then subject is null
      when 'month' then subject is not null and subject ~ '^\d{4}-(0[1-9]|1[0-2])$'
      else subject is not null and char_length(subject) between 1 and 128
    end),
  reason text not null constraint hold_reason_bounded check (char_length(reason) between 1 and 500),
  set_by text not null,
  set_by_key text not null,
  set_at timestamptz(3) not null default now(),
  lifted_by text,
  lifted_by_key text,
  lifted_at timestamptz(3),
  lift_reason text constraint lift_reason_bounded check (char_length(lift_reason) between 1 and 500),
  constraint hold_lifted_whole check (num_nulls(lifted_by, lifted_by_key, lifted_at, lift_reason) in (0, 4))
);
comment on table legal_holds is
  'What a court or an authority wants kept: a market, a month or an account. While a hold is in force nothing of its subject is dropped, purged or erased. Several holds may have one subject, a row a reason.';
comment on column legal_holds.subject is 'The month as 2026-03, or the account as rows have it; null: the whole market.';
comment on column legal_holds.lifted_at is 'Null: the hold is in force.';
create index legal_holds_in_force_idx on legal_holds (kind, subject) where lifted_at is null;

create trigger legal_holds_stay before delete or truncate on legal_holds
  for each statement execute function refuse_change();

create function keep_legal_hold() returns trigger language plpgsql as $$
begin
  if old.lifted_at is not null
     or (new.hold_id, new.kind, new.subject, new.reason, new.set_by, new.set_by_key, new.set_at)
        is distinct from (old.hold_id, old.kind, old.subject, old.reason, old.set_by, old.set_by_key, old.set_at) then
    raise exception 'legal holds are never changed, they are lifted once' using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
create trigger legal_holds_keep before update on legal_holds for each row execute function keep_legal_hold();

create function is_held(of_account text, at_time timestamptz) returns boolean
language sql stable set search_path from current as $$
  select exists (
    select from legal_holds
     where lifted_at is null
       and case kind
             when 'market' then true
             when 'month' then subject = to_char(at_time at time zone 'utc', 'YYYY-MM')
             else subject = of_account
           end)
$$;
comment on function is_held is 'Whether a legal hold is in force over a row of an account and of a transaction''s time.';

-- Makes new tables, adds a row to leaderships, and builds an index of audit_log concurrently: about 1 s a million rows, of
-- which it holds those of review cases alone.

-- transaction: cases, and what they are made from
create table review_policies (
  version integer generated always as identity constraint review_policies_pkey primary key,
  policy jsonb not null,
  made_at timestamptz(3) not null default now(),
  made_by text not null,
  constraint policy_by_somebody check (btrim(made_by) <> '')
);
comment on table review_policies is
  'Priorities with their deadlines, overflow rules and bounds of the review of transactions. The newest version is in force; a case names the version that placed it.';

insert into review_policies (made_by, policy) values ('engine', '{
  "priorities": [
    {"priority": 0, "name": "dispute", "deadline_minutes": 120, "sources": ["dispute"]},
    {"priority": 5, "name": "spot check", "deadline_minutes": 2880, "sources": ["spot_check"]},
    {"priority": 1, "name": "high value", "deadline_minutes": 240, "amount_usd_above": "1000"},
    {"priority": 2, "name": "high risk", "deadline_minutes": 240, "score_from": 700},
    {"priority": 3, "name": "trust verification", "deadline_minutes": 480,
     "reasons": ["NEW_DEVICE", "NEW_COUNTRY", "NEW_MERCHANT", "NEW_CORRIDOR", "DORMANT_ACCOUNT"]},
    {"priority": 4, "name": "standard", "deadline_minutes": 1440}
  ],
  "overflow": [
    {"priority": 4, "older_than_minutes": 480, "actions": ["propose_tighter_auto_clear", "alert"]},
    {"priority": 2, "older_than_minutes": 240, "actions": ["call_all_hands", "propose_throttle"]},
    {"priority": 0, "older_than_minutes": 120, "actions": ["escalate"]}
  ],
  "four_eyes_amount_usd": "5000",
  "lock_seconds": 900,
  "undo_seconds": 10,
  "spot_check_ratio": 0.001,
  "dispute_sources": ["chargeback", "bank", "dispute"],
  "capacity": {"reviews_per_hour": 20, "hours_per_day": 8, "utilisation_max": 0.85, "utilisation_hired": 0.8}
}');

create trigger review_policies_never_change before update or delete or truncate on review_policies
  for each statement execute function refuse_change();

create table review_intake (
  intake_id bigint generated always as identity constraint review_intake_pkey primary key,
  source text not null,
  transaction_ids uuid[] not null,
  received_at timestamptz(3) not null default now(),
  constraint intake_source_known check (source in ('score', 'dispute')),
  constraint intake_names_transactions check (cardinality(transaction_ids) > 0)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
comment on table review_intake is
  'Transactions that need a case, a row a batch, written by the statement that stores their scores or labels. A worker makes the cases and deletes the row in one database transaction.';

create table exchange_rates (
  currency text not null,
  day date not null,
  usd numeric not null,
  imported_at timestamptz(3) not null default now(),
  constraint exchange_rates_pkey primary key (currency, day),
  constraint rate_of_a_currency check (currency ~ '^[A-Z]{3}$' and currency <> 'USD'),
  constraint rate_in_range check (usd > 0 and usd < 1e9)
);
comment on table exchange_rates is
  'What one unit of a currency was worth in US dollars on a UTC day. Imported by people; a day without a row has the rate of the day before.';

create table review_cases (
  transaction_id uuid constraint review_cases_pkey primary key,
  created_at timestamptz(3) not null,
  account_id text not null,
  merchant_id text not null,
  device_id text,
  corridor text not null,
  amount numeric not null,
  currency text not null,
  amount_usd numeric,
  rate_day date,
  score smallint,
  verdict text,
  reasons text[] not null,
  source text not null,
  priority smallint not null,
  policy integer not null,
  opened_at timestamptz(3) not null default now(),
  opened_by text not null,
  due_at timestamptz(3) not null,
  state text not null default 'open',
  assignee text,
  locked_by text,
  locked_until timestamptz(3),
  claimed_at timestamptz(3),
  escalated_by text,
  escalated_at timestamptz(3),
  disposition text,
  decision_reason text,
  decided_by text,
  decided_by_key text constraint review_cases_decider_fkey references api_keys (key_id),
  decided_at timestamptz(3),
  confirmed_by text,
  confirmed_by_key text constraint review_cases_confirmer_fkey references api_keys (key_id),
  final_at timestamptz(3),
  closed_at timestamptz(3),
  constraint case_source_known check (source in ('verdict', 'dispute', 'spot_check', 'manual')),
  constraint case_priority_in_range check (priority between 0 and 5),
  constraint case_state_fits check (
    case state
      when 'open' then disposition is null and decided_by is null and final_at is null and closed_at is null
      when 'confirming' then decided_by is not null and confirmed_by is null and final_at is null and closed_at is null
      when 'decided' then decided_by is not null and final_at is not null and closed_at is null
      when 'closed' then decided_by is not null and final_at is not null and closed_at is not null
      else false
    end),
  constraint disposition_known check (disposition in ('fraud', 'legitimate', 'unsure')),
  constraint decision_has_a_reason check ((disposition is null) = (decision_reason is null)),
  constraint lock_has_a_holder check ((locked_by is null) = (locked_until is null))
) with (fillfactor = 70);
comment on table review_cases is
  'What people have to look at: one row a transaction, whatever names it again. A case that is closed as legitimate or unsure opens again by a dispute.';
comment on column review_cases.created_at is 'Of the transaction.';
comment on column review_cases.policy is 'Version of review_policies; no foreign key, as versions are never removed and a check costs every case a lookup.';
comment on column review_cases.amount_usd is
  'The amount by the rate of rate_day, the day of the transaction or the newest before it; null where there was no rate.';
comment on column review_cases.locked_until is 'From then on anybody may claim it, by this server''s clock.';
comment on column review_cases.claimed_at is 'First claim since it opened.';
comment on column review_cases.escalated_by is 'A person, who leaves it to a risk officer; engine: an overflow rule.';
comment on column review_cases.final_at is 'End of the time in which the decision can be undone.';

-- Cases that wait for somebody, in the order of work; those of a ring; those whose decision becomes final; arrivals; the end.
create index review_cases_queue_idx on review_cases (priority, due_at, transaction_id) where state <> 'closed';
create index review_cases_account_idx on review_cases (account_id) where state = 'open';
create index review_cases_merchant_idx on review_cases (merchant_id) where state = 'open';
create index review_cases_device_idx on review_cases (device_id) where state = 'open' and device_id is not null;
create index review_cases_final_idx on review_cases (final_at) where state = 'decided';
create index review_cases_opened_idx on review_cases using brin (opened_at) with (pages_per_range = 32);
create index review_cases_closed_idx on review_cases (closed_at, transaction_id) where closed_at is not null;

create function refuse_one_reviewer() returns trigger language plpgsql set search_path from current as $$
begin
  if new.decided_by_key is null or shared_maker(new.decided_by_key, new.confirmed_by_key) is not null
     or approver_of(new.confirmed_by_key) is distinct from new.confirmed_by then
    raise exception 'the decision on % and its confirmation are not two people''s', new.transaction_id
      using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
create trigger review_cases_need_two_people after insert or update of confirmed_by, confirmed_by_key on review_cases
  for each row when (new.confirmed_by is not null) execute function refuse_one_reviewer();

create table review_notes (
  note_id bigint generated always as identity constraint review_notes_pkey primary key,
  transaction_id uuid not null constraint review_notes_case_fkey references review_cases (transaction_id) on delete cascade,
  written_at timestamptz(3) not null default now(),
  written_by text not null,
  note text,
  file_name text,
  file_type text,
  file bytea,
  constraint note_or_file check ((note is null) <> (file is null)),
  constraint file_is_named check ((file is null) = (file_name is null) and (file is null) = (file_type is null)),
  constraint note_bounded check (char_length(note) between 1 and 4000),
  constraint file_bounded check (octet_length(file) between 1 and 262144)
);
alter table review_notes alter column file set storage external;
comment on table review_notes is 'Notes and attached files of cases, for people; nothing else reads them.';
create index review_notes_case_idx on review_notes (transaction_id, note_id);

create table final_decisions (
  decision_id bigint constraint final_decisions_pkey primary key,
  transaction_id uuid not null,
  created_at timestamptz(3) not null,
  account_id text not null,
  merchant_id text not null,
  corridor text not null,
  score smallint,
  verdict text,
  source text not null,
  priority smallint not null,
  disposition text not null,
  reason text not null,
  decided_by text not null,
  decided_at timestamptz(3) not null,
  confirmed_by text,
  label text not null,
  opened_at timestamptz(3) not null,
  claimed_at timestamptz(3),
  due_at timestamptz(3) not null,
  final_at timestamptz(3) not null default now(),
  constraint decision_known check (disposition in ('fraud', 'legitimate', 'unsure')),
  constraint decision_label_known check (label in ('posted', 'none', 'month_detached'))
);
comment on table final_decisions is
  'What people decided about transactions, once it can no longer be undone; the newest of a transaction stands. Written by the commit that closes the case and stores its label; events are made from it.';
comment on column final_decisions.decision_id is 'In the order of commits, without a gap: one worker at a time writes.';
comment on column final_decisions.label is
  'posted: a label of source review; none: unsure; month_detached: the month of the transaction could not take one.';
create index final_decisions_transaction_idx on final_decisions (transaction_id, decision_id);
create index final_decisions_final_idx on final_decisions (final_at);
create trigger final_decisions_never_change before update or truncate on final_decisions
  for each statement execute function refuse_change();

insert into leaderships (duty) values ('cases'), ('decisions'), ('case-figures') on conflict do nothing;

-- concurrently: what was done with a case
create index concurrently audit_log_case_idx on audit_log (subject, audit_id) where action like 'case.%';

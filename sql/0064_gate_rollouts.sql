-- Gates of rollouts: reasons of those who go on early, and how what is rolled out does. Locks two tables for a moment each.

-- transaction: reasons of models
alter table model_proposals
  add column reason text constraint model_proposal_reason_bounded check (char_length(btrim(reason)) between 1 and 1024);
comment on column model_proposals.reason is 'Why it goes on before the dwell time and the gates of its stage; null: it does not.';

-- transaction: reasons of rule sets
alter table rule_set_proposals
  add column reason text constraint rule_set_proposal_reason_bounded check (char_length(btrim(reason)) between 1 and 1024);
comment on column rule_set_proposals.reason is 'As of model_proposals.';

-- transaction: counts
create table rollout_counts (
  subject text not null,
  corridor text not null,
  minute timestamptz(0) not null default date_trunc('minute', now()),
  decided bigint not null,
  failed bigint not null,
  over_500 bigint not null,
  over_750 bigint not null,
  severe bigint not null,
  constraint rollout_counts_pkey primary key (subject, corridor, minute)
);
create index rollout_counts_minute_idx on rollout_counts (minute);
comment on table rollout_counts is
  'Decisions of models and rule sets that people rolled out, a row a minute, subject and corridor. Workers add what they counted every second; a batch that comes again counts again.';
comment on column rollout_counts.subject is 'SHA-256 of a model, name of a rule set, or all: every score of the corridor, by the time from acceptance.';
comment on column rollout_counts.over_500 is 'Decisions that took 500 ms or longer, as over_750.';
comment on column rollout_counts.severe is 'Decisions that took 2 s or longer.';

-- Counts of what shadows of rule sets would have decided otherwise. Makes a table; locks nothing.

create table rule_set_flips (
  rule_set text not null,
  corridor text not null,
  from_at timestamptz(3) not null default now(),
  to_at timestamptz(3) not null default now(),
  scores bigint not null,
  stricter bigint not null,
  milder bigint not null,
  failed bigint not null,
  stricter_ids uuid[] not null,
  milder_ids uuid[] not null,
  constraint rule_set_flips_pkey primary key (rule_set, corridor),
  constraint rule_set_flips_bounded check (cardinality(stricter_ids) <= 20 and cardinality(milder_ids) <= 20)
);
comment on table rule_set_flips is
  'Scores beside which a rule set was a shadow, a row a rule set and corridor. Workers add what they counted every two seconds; a batch that comes again counts again.';
comment on column rule_set_flips.failed is 'Scores for which the shadow itself failed; they are no flips.';
comment on column rule_set_flips.stricter_ids is 'The newest transactions that the shadow would have decided more strictly.';

-- Hashes of scores that wait to be sealed. Adds columns to evidence_intake, which blocks the storing of scores for an instant.

alter table evidence_intake
  add column hashes bytea,
  add column scored_at timestamptz(3),
  add constraint evidence_intake_hashed check ((hashes is null) = (scored_at is null)
    and octet_length(hashes) = 32 * cardinality(transaction_ids));
alter table evidence_intake alter column hashes set storage external;
comment on column evidence_intake.hashes is
  'Hashes of the scores in the order of transaction_ids, 32 bytes each; null: the sealer reads the scores and hashes them.';
comment on column evidence_intake.scored_at is 'When the hashed scores were scored.';

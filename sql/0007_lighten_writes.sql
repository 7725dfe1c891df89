-- A page of an account's scores starts from its transactions, which are indexed by account already: one
-- index less to keep for every score.
drop index scores_account_idx;
-- Ids are random: trying to compress them costs more than a batch's short life is worth.
alter table ingest_batches alter column transaction_ids set storage external;

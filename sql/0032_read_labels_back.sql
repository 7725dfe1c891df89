-- Adds columns without a default: an exclusive lock on labels for a moment, no rewrite. Then proves a check of the new column
-- while labels are written, and builds three indexes concurrently, 1 to 2 s a million labels each.

-- transaction: labels say who reported them, and may carry a note
alter table labels add column client text, add column identity text, add column note text;
alter table labels add constraint note_length check (char_length(note) between 1 and 500) not valid;
comment on column labels.client is 'Client of the API key that reported it. Null for rows that are older than the column.';
comment on column labels.identity is 'The person who held that key; null for a key of no person.';
comment on column labels.note is
  'What the reporter added, for people: neither features nor training read it. The first report of a label keeps its note.';

-- transaction: every row is older than the column
alter table labels validate constraint note_length;

-- concurrently: newest first
create index concurrently labels_time_idx on labels (labelled_at, transaction_id);

-- concurrently: those of an account
create index concurrently labels_account_idx on labels (account_id, labelled_at, transaction_id);

-- concurrently: those of a merchant
create index concurrently labels_merchant_idx on labels (merchant_id, labelled_at, transaction_id);

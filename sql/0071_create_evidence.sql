-- The log of evidence: leaves, tiles of its Merkle tree, and scores that wait to be sealed. Makes tables, and locks none that exists.

create table evidence_logs (
  log_id int generated always as identity constraint evidence_logs_pkey primary key,
  origin text not null constraint evidence_logs_origin_key unique
    constraint evidence_origin_bounded check (char_length(origin) between 1 and 255),
  begun_at timestamptz(3) not null default now(),
  size bigint not null default 0 constraint evidence_size_not_negative check (size >= 0),
  root bytea not null constraint evidence_root_is_sha256 check (octet_length(root) = 32),
  audit_id bigint not null default 0,
  sealed_at timestamptz(3) not null default now(),
  before_at timestamptz(3) not null default now(),
  before_xid xid8 not null default pg_current_xact_id(),
  walked_to uuid default '00000000-0000-0000-0000-000000000000',
  checkpoint text,
  refused text
);
comment on table evidence_logs is
  'One row per log; the newest takes leaves. The commit that appends compares size and root with those it read.';
comment on column evidence_logs.audit_id is 'The last line of audit_log that is sealed.';
comment on column evidence_logs.sealed_at is
  'When a worker last sealed or found nothing to seal: scores name themselves in evidence_intake until 7 days after.';
comment on column evidence_logs.before_at is 'Scores with an earlier scored_at are sealed by a walk over all scores, those from it on by evidence_intake.';
comment on column evidence_logs.before_xid is
  'The walk begins once every database transaction up to it has ended.';
comment on column evidence_logs.walked_to is 'Where the walk is; null once it is over.';
comment on column evidence_logs.checkpoint is 'The newest signed checkpoint.';
comment on column evidence_logs.refused is 'Why the log takes no leaves: it contradicts a checkpoint that was published. Null: it takes them.';

create table evidence_entries (
  log_id int not null constraint evidence_entries_log_fkey references evidence_logs (log_id),
  position bigint not null,
  kind text not null,
  subject text,
  leaf text not null constraint evidence_leaf_bounded check (octet_length(leaf) between 1 and 65535),
  ids bytea,
  hashes bytea,
  scored_from timestamptz(3),
  scored_to timestamptz(3),
  id_from uuid,
  id_to uuid,
  constraint evidence_entries_pkey primary key (log_id, position),
  constraint evidence_kind_known check (kind in ('scores', 'audit', 'model', 'rule-set')),
  constraint evidence_scores_whole check (case when kind = 'scores'
    then octet_length(ids) * 2 = octet_length(hashes) and subject is null and num_nonnulls(scored_from, id_from) = 1
         and num_nonnulls(scored_from, scored_to) <> 1 and num_nonnulls(id_from, id_to) <> 1
    else num_nonnulls(ids, hashes, scored_from, scored_to, id_from, id_to) = 0 and subject is not null end)
);
-- Hashes and ids are random: trying to compress them would cost more than it saves.
alter table evidence_entries alter column ids set storage external, alter column hashes set storage external;
comment on table evidence_entries is 'One row per leaf of a log: a batch of scores, or one line, model or rule set by the hash of its content.';
comment on column evidence_entries.subject is 'Id of the line, or name of the model or rule set.';
comment on column evidence_entries.leaf is 'Canonical JSON, byte by byte what the tree has the hash of.';
comment on column evidence_entries.ids is 'Transactions of a batch in the order of their leaves, 16 bytes each.';
comment on column evidence_entries.hashes is 'Leaf hashes of the scores of a batch, 32 bytes each.';
comment on column evidence_entries.scored_from is 'Of a batch that evidence_intake named; a batch of the walk has the range of its ids.';
create unique index evidence_entries_subject_key on evidence_entries (log_id, kind, subject) where kind <> 'scores';
create index evidence_entries_scored_idx on evidence_entries (log_id, scored_to) where scored_to is not null;
create index evidence_entries_id_idx on evidence_entries (log_id, id_to) where id_to is not null;

create table evidence_tiles (
  log_id int not null constraint evidence_tiles_log_fkey references evidence_logs (log_id),
  level smallint not null,
  tile bigint not null,
  hashes bytea not null constraint evidence_tile_bounded check (
    octet_length(hashes) % 32 = 0 and octet_length(hashes) between 32 and 8192),
  constraint evidence_tiles_pkey primary key (log_id, level, tile)
);
alter table evidence_tiles alter column hashes set storage external;
comment on table evidence_tiles is 'Hashes of the Merkle trees (RFC 6962) in tiles of 256, as c2sp.org/tlog-tiles has them; the last tile of a level grows.';

create table evidence_intake (
  intake_id bigint generated always as identity constraint evidence_intake_pkey primary key,
  transaction_ids uuid[] not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
alter table evidence_intake alter column transaction_ids set storage external;
comment on table evidence_intake is 'Scores that wait to be sealed: a row by the statement that stores scores, deleted by the commit that seals them.';

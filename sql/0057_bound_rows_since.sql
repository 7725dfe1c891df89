-- Readers of a snapshot look back as far as rows stored since may lie, in place of 14 seconds. Adds a column, and locks the table for
-- a moment. Snapshots from before are rebuilt.

alter table profile_snapshots add column rows_from timestamptz(3) not null default '-infinity';
comment on column profile_snapshots.rows_from is
  'No database transaction from folded_to on began before it, so rows stored since are hardly older; late_rows has the others.';
comment on column profile_snapshots.folded_at is 'When the snapshot was stored.';

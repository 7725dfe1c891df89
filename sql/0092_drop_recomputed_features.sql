-- Drops recomputed_features, which nothing read. Locks that table alone, for a moment. The purge of a process of an earlier release
-- fails until that process is replaced.

drop table recomputed_features;

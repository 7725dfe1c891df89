-- Nothing reads the vectors that `risk features rebuild` computed: training takes those that were logged with scores. Locks that table alone, for
-- milliseconds.
drop table recomputed_features;

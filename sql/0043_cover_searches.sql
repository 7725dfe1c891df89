-- Builds three indexes of scores concurrently, about 10 s a million rows, and drops two that they replace: whoever asks for a verdict
-- of a corridor is answered by the index alone, without the page of each row. Builds a small one of daily tallies.

-- concurrently: risky scores in the order of time
create index concurrently scores_risky_time_idx on scores (created_at, transaction_id) include (corridor, verdict, score)
  where verdict <> 'approve' or score >= 300;

-- concurrently: the riskiest first; the predicate is that of scores_risky_time_idx
create index concurrently scores_riskiest_idx on scores (score, created_at, transaction_id) include (corridor, verdict)
  where verdict <> 'approve' or score >= 300;

-- concurrently: scores that were made with less than everything; usually none
create index concurrently scores_degraded_idx on scores (created_at, transaction_id) include (corridor, degradation)
  where degradation > 0;

-- concurrently: days that counted something
create index concurrently daily_tallies_outcome_idx on daily_tallies (outcome, day);

-- transaction: indexes that cover less
drop index scores_risky_idx, scores_ranked_idx;

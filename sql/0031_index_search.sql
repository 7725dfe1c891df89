-- Builds three indexes concurrently: of devices and addresses 2 to 3 s a million transactions each, of risky scores by score
-- moments. Until they are built, searches by device or address read by time, and their pages are not complete.

-- concurrently: transactions of a device
create index concurrently transactions_device_idx on transactions (device_id, created_at) where device_id is not null;

-- concurrently: transactions from an address
create index concurrently transactions_ip_idx on transactions (ip, created_at) where ip is not null;

-- concurrently: the riskiest first; the predicate is that of scores_risky_idx
create index concurrently scores_ranked_idx on scores (score, created_at, transaction_id)
  where verdict <> 'approve' or score >= 300;

-- Locks model_checks for a moment. No statement looks checks up by model: they are appended, purged from the oldest on, and
-- read whole by people; models are never removed, so its foreign key needs no index either.
drop index model_checks_model_idx;

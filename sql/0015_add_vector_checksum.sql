-- A column without a default: nothing is rewritten, the lock lasts a moment.
alter table scores add column features_crc32 integer;
comment on column scores.features_crc32 is
  'CRC-32 of the vector''s doubles, so that one changed bit is found wherever it is; null for older rows.';

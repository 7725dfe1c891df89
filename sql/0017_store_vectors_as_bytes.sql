-- Vectors become bytea: raw little-endian doubles, as a Float64Array has them in memory. The bits stay the same,
-- and with them scores.features_crc32. No code reads both forms, so API and workers must stand still meanwhile.
--
-- It runs in steps, each a transaction of its own that may be repeated: an interrupted `risk migrate` goes on where
-- it stopped. Partitions are detached at once (exclusive locks, for a moment), then rewritten one by one, each in a
-- transaction under an exclusive lock of that partition alone: 45 µs a row, and room for one partition twice.

-- step: functions
create or replace function feature_values(features bytea) returns double precision[]
language plpgsql immutable strict parallel safe as $$
declare
  numbers double precision[] := '{}';
  high integer; -- sign, exponent and the first 4 bits of the mantissa
  exponent integer;
  mantissa bigint;
  number double precision;
begin
  for at in 0 .. octet_length(features) - 8 by 8 loop
    high := get_byte(features, at + 7) * 256 + get_byte(features, at + 6);
    exponent := (high >> 4) & 2047;
    mantissa := (high & 15) * 281474976710656 + get_byte(features, at + 5) * 1099511627776
      + get_byte(features, at + 4) * 4294967296 + get_byte(features, at + 3)::bigint * 16777216
      + get_byte(features, at + 2) * 65536 + get_byte(features, at + 1) * 256 + get_byte(features, at);
    if exponent = 2047 then
      number := case when mantissa > 0 then 'NaN' else 'Infinity' end;
    else
      if exponent > 0 then mantissa := mantissa + 4503599627370496; end if;
      exponent := greatest(exponent, 1) - 1075;
      -- A power of two in two halves, as neither of them can underflow.
      number := mantissa * 2::float8 ^ (exponent / 2) * 2::float8 ^ (exponent - exponent / 2);
    end if;
    numbers := numbers || case when high > 32767 then -number else number end;
  end loop;
  return numbers;
end $$;
comment on function feature_values is
  'A stored vector as numbers, for people: feature n (from 1) is (feature_values(features))[n], or 30 times as fast (feature_values(substring(features from 8 * n - 7 for 8)))[1].';

-- Dropped by the last step. All doubles are swapped at once, as one string of bits: bytes, then pairs, then fours.
create or replace function feature_bytes(features double precision[]) returns bytea
language plpgsql immutable strict parallel safe as $$
declare
  n integer := cardinality(features);
  ones varbit := ('x' || repeat('00ff00ff00ff00ff', n))::varbit;
  twos varbit := ('x' || repeat('0000ffff0000ffff', n))::varbit;
  fours varbit := ('x' || repeat('00000000ffffffff', n))::varbit;
  bits varbit;
begin
  if n = 0 then return ''; end if;
  select ('x' || encode(string_agg(float8send(coalesce(value, 'NaN')), ''::bytea order by at), 'hex'))::varbit
    into bits from unnest(features) with ordinality as u (value, at);
  bits := ((bits & ones) << 8) | ((bits >> 8) & ones);
  bits := ((bits & twos) << 16) | ((bits >> 16) & twos);
  bits := ((bits & fours) << 32) | ((bits >> 32) & fours);
  return substring(varbit_send(bits) from 5);
end $$;

-- step: the parent, without rows
do $$
declare
  partition regclass;
begin
  if (select atttypid from pg_attribute where attrelid = 'scores'::regclass and attname = 'features') = 'bytea'::regtype then
    return;
  end if;
  -- The lock of partitions.ts: nobody makes a partition meanwhile.
  perform pg_advisory_xact_lock(7212001);
  for partition in select inhrelid::regclass from pg_inherits where inhparent = 'scores'::regclass loop
    execute format('alter table scores detach partition %s', partition);
  end loop;
  alter table scores alter column features type bytea using feature_bytes(features),
    add constraint features_are_doubles check (octet_length(features) % 8 = 0);
end $$;

-- step: its partitions, the newest first
do $$
declare
  partition text;
  month timestamp;
  bounds text[];
  at integer := 0;
  count integer;
begin
  loop
    select max(relname), count(*) into partition, count from pg_class
     where relnamespace = current_schema()::text::regnamespace and relkind = 'r' and not relispartition
       and relname ~ '^scores_y\d{4}m\d{2}$';
    exit when partition is null;
    at := at + 1;
    raise info '% (% of %)', partition, at, at + count - 1;
    month := make_timestamp(substr(partition, 9, 4)::integer, substr(partition, 14, 2)::integer, 1, 0, 0, 0);
    bounds := array[month at time zone 'utc', (month + interval '1 month') at time zone 'utc']::text[];
    -- The checks are proved while rows are rewritten, so that attaching does not read them again.
    execute format('alter table %I alter column features type bytea using feature_bytes(features),
                      add constraint features_are_doubles check (octet_length(features) %% 8 = 0),
                      add constraint %I check (created_at >= %L and created_at < %L)',
                   partition, partition || '_range', bounds[1], bounds[2]);
    execute format('alter table scores attach partition %I for values from (%L) to (%L)', partition, bounds[1], bounds[2]);
    execute format('alter table %I drop constraint %I', partition, partition || '_range');
    commit;
  end loop;
end $$;

-- step: recomputed vectors
do $$
begin
  if (select atttypid from pg_attribute where attrelid = 'recomputed_features'::regclass and attname = 'features') <> 'bytea'::regtype then
    alter table recomputed_features alter column features type bytea using feature_bytes(features),
      add constraint features_are_doubles check (octet_length(features) % 8 = 0);
  end if;
end $$;

-- step: a rewritten table has no visibility map, which index-only scans need
vacuum (analyze) scores;

-- step: the end
drop function if exists feature_bytes(double precision[]);
comment on column scores.features is
  'The logged vector: raw little-endian doubles in the order of the feature schema; NaN is a missing value. feature_values() makes numbers of it.';
comment on column scores.features_crc32 is
  'CRC-32 of features with every NaN read as the least double, so that one changed bit is found wherever it is; null for older rows.';

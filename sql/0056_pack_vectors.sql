-- Stored vectors without the bytes of their doubles that are 0, which are two thirds. Functions for people read both forms; no row
-- is written anew.

-- A process of an older release would misread the new form.
do $$
begin
  if exists (select from pg_stat_activity
              where datname = current_database() and pid <> pg_backend_pid()
                and application_name in ('risk-api/2', 'risk-worker/2', 'risk-api/3', 'risk-worker/3')) then
    raise exception using
      errcode = 'object_in_use',
      message = 'processes of an older release are connected: stop them, then migrate',
      hint = 'select pid, application_name, client_addr from pg_stat_activity where application_name like ''risk-%''';
  end if;
end $$;

alter table scores drop constraint features_are_doubles;
alter table recomputed_features drop constraint features_are_doubles;
comment on column scores.features is
  'The logged vector in the order of the feature schema; NaN is a missing value. feature_values() makes numbers of it. A length that is a multiple of 8: raw little-endian doubles. Any other: how many doubles, a byte each with a bit for each of its bytes that is not 0, then those bytes, the lowest of a double first.';

create function feature_value(features bytea, feature integer) returns double precision
language plpgsql immutable strict parallel safe as $$
declare
  bytes bytea := '\x0000000000000000';
  mask integer;
  at integer;
  high integer; -- sign, exponent and the first 4 bits of the mantissa
  exponent integer;
  mantissa bigint;
  number double precision;
begin
  if octet_length(features) % 8 = 0 then
    bytes := substring(features from 8 * feature - 7 for 8);
  elsif feature <= get_byte(features, 0) then
    mask := get_byte(features, feature);
    at := 1 + get_byte(features, 0) + bit_count(substring(features from 2 for feature - 1));
    for bit in 0 .. 7 loop
      if mask & (1 << bit) <> 0 then
        bytes := set_byte(bytes, bit, get_byte(features, at));
        at := at + 1;
      end if;
    end loop;
  else
    return null;
  end if;
  if octet_length(bytes) < 8 then return null; end if;
  high := get_byte(bytes, 7) * 256 + get_byte(bytes, 6);
  exponent := (high >> 4) & 2047;
  mantissa := (high & 15) * 281474976710656 + get_byte(bytes, 5) * 1099511627776
    + get_byte(bytes, 4) * 4294967296 + get_byte(bytes, 3)::bigint * 16777216
    + get_byte(bytes, 2) * 65536 + get_byte(bytes, 1) * 256 + get_byte(bytes, 0);
  if exponent = 2047 then
    number := case when mantissa > 0 then 'NaN' else 'Infinity' end;
  else
    if exponent > 0 then mantissa := mantissa + 4503599627370496; end if;
    exponent := greatest(exponent, 1) - 1075;
    -- A power of two in two halves, as neither of them can underflow.
    number := mantissa * 2::float8 ^ (exponent / 2) * 2::float8 ^ (exponent - exponent / 2);
  end if;
  return case when high > 32767 then -number else number end;
end $$;
comment on function feature_value is
  'A feature of a stored vector as a number, for people; the first is 1. Null where the vector is shorter.';

create or replace function feature_values(features bytea) returns double precision[]
language plpgsql immutable strict parallel safe set search_path from current as $$
declare
  numbers double precision[] := '{}';
  count integer := octet_length(features) / 8;
begin
  if octet_length(features) % 8 > 0 then count := get_byte(features, 0); end if;
  for feature in 1 .. count loop
    numbers := numbers || feature_value(features, feature);
  end loop;
  return numbers;
end $$;
comment on function feature_values is
  'A stored vector as numbers, for people: feature n (from 1) is (feature_values(features))[n], or faster feature_value(features, n).';

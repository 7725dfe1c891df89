--[[
  Writes profiles of one hash slot by compare-and-set on their header. A value that Redis has no room
  for becomes a stub: the new header alone. A stub keeps its version, so copies in the workers stay
  valid and nobody mistakes an older value for the current one; its contents are rebuilt from Postgres.

  KEYS[1..n] string  packed profiles, header first

  ARGV[1] number     bytes of the header
  ARGV[2] number     time to live, seconds
  ARGV[3] number     1: write stubs only
  then 4 values a key:
    mode             'a' appends, 'r' replaces
    expected         header that must stand; '' when the key must not exist
    header           header afterwards
    bytes            'a': what is appended; 'r': the whole value, header included

  Returns one number a key: 0 another writer was first, 1 stored, 2 only the stub is stored.
]]
local header_bytes, ttl_seconds, full = tonumber(ARGV[1]), ARGV[2], ARGV[3] == '1'

-- '' for a key that is absent or too short to have a header.
local function header_of(key)
  local header = redis.call('GETRANGE', key, 0, header_bytes - 1)
  return #header == header_bytes and header or ''
end

local function refused(reply)
  return type(reply) == 'table' and reply.err ~= nil
end

local function store(key, mode, header, bytes)
  if mode == 'a' then
    -- SETRANGE is the write that a full Redis refuses, before anything has changed.
    if refused(redis.pcall('SETRANGE', key, 0, header)) then return false end
    redis.call('APPEND', key, bytes)
    redis.call('EXPIRE', key, ttl_seconds)
    return true
  end
  return not refused(redis.pcall('SET', key, bytes, 'EX', ttl_seconds))
end

local stored = {}
for i, key in ipairs(KEYS) do
  local at = i * 4
  local expected, header = ARGV[at + 1], ARGV[at + 2]
  if header_of(key) ~= expected then
    stored[i] = 0
  elseif not full and store(key, ARGV[at], header, ARGV[at + 3]) then
    stored[i] = 1
  else
    -- After a deletion, which is always allowed, a full Redis lets the rest of the script write: hence
    -- the first refusal makes stubs of all that follow.
    full = true
    redis.call('DEL', key)
    redis.call('SET', key, header, 'EX', ttl_seconds)
    stored[i] = 2
  end
end
return stored

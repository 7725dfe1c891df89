--[[
  Writes profiles of one hash slot by compare-and-set on their header. A value that Redis has no room
  for becomes a stub: the new header alone. A stub keeps its version, so copies in the workers stay
  valid and nobody mistakes an older value for the current one; its contents are rebuilt from Postgres.

  KEYS[1..n] string  packed profiles, header first

  ARGV[1] number     bytes of a header
  ARGV[2] number     time to live, seconds
  ARGV[3] number     1: write stubs only
  ARGV[4] string     n writes, one after the other:
    expected         header that must stand; all zero when the key must not exist
    header           header afterwards
    mode             u8: 1 appends, 0 replaces
    length           u32 little-endian
    bytes            what is appended, or the whole value with its header

  Returns one number a key: 0 another writer was first, 1 stored, 2 only the stub is stored.
]]
local header_bytes, ttl_seconds, full, writes = tonumber(ARGV[1]), ARGV[2], ARGV[3] == '1', ARGV[4]
local none = string.rep('\0', header_bytes)
local APPEND = 1
-- An append renews the time to live once in so many versions: one command less for most of them.
local VERSIONS_PER_RENEWAL = 8

-- All zero for a key that is absent or too short to have a header.
local function header_of(key)
  local header = redis.call('GETRANGE', key, 0, header_bytes - 1)
  return #header == header_bytes and header or none
end

local function refused(reply)
  return type(reply) == 'table' and reply.err ~= nil
end

local function store(key, mode, header, bytes)
  if mode == APPEND then
    -- SETRANGE is the write that a full Redis refuses, before anything has changed.
    if refused(redis.pcall('SETRANGE', key, 0, header)) then return false end
    redis.call('APPEND', key, bytes)
    if string.byte(header) % VERSIONS_PER_RENEWAL == 0 then redis.call('EXPIRE', key, ttl_seconds) end
    return true
  end
  return not refused(redis.pcall('SET', key, bytes, 'EX', ttl_seconds))
end

local stored = {}
local at = 1
for i, key in ipairs(KEYS) do
  local expected = string.sub(writes, at, at + header_bytes - 1)
  local header = string.sub(writes, at + header_bytes, at + 2 * header_bytes - 1)
  local mode, length, first = struct.unpack('<BI4', writes, at + 2 * header_bytes)
  at = first + length
  if header_of(key) ~= expected then
    stored[i] = 0
  elseif not full and store(key, mode, header, string.sub(writes, first, at - 1)) then
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

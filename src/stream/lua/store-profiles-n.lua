--[[
  Writes profiles of some hash slots (of one on a cluster) by compare-and-set on their header. A value that Redis has no room
  for becomes a stub: the new header alone, its last byte (the format) zero. So nobody mistakes an older
  value for the current one, and a write that was sent on the heels of this one loses; the contents are
  rebuilt from Postgres.

  Where no key is expected there is no version to compare: another writer's value may have stood there and
  been lost, with what it had taken in. So such a write counts only in the generation that it was loaded in.

  KEYS, for each slot:
    string  generation of the slot
    string  packed profiles, header last

  ARGV[1] number     bytes of a header
  ARGV[2] number     time to live, seconds
  ARGV[3] number     1: write stubs only
  ARGV[4] string     a write for each profile, one after the other:
    expected         header that must stand; all zero when the key must not exist
    digits           u8: how many digits follow
    offset           decimal digits: where the bytes go; none replaces the whole value
    length           u32 little-endian
    bytes            what is written, with the new header at its end
  ARGV[5] string     how many profiles each slot has, separated by spaces
  ARGV[6..] string   generation of each slot that the caller loaded in

  Returns one digit a profile, in one string, which the client takes apart at a tenth of the cost of an array:
  0 another writer was first, 1 stored, 2 only the stub is stored.
]]
local header_bytes, ttl_seconds, full, writes = tonumber(ARGV[1]), ARGV[2], ARGV[3] == '1', ARGV[4]
local none = string.rep('\0', header_bytes)
-- As text, like the offsets: Redis formats each number that a script passes as a double, at the cost of a command.
local from = '-' .. ARGV[1]
-- Writing over the end renews the time to live once in so many versions: one command less for most of them.
local VERSIONS_PER_RENEWAL = 8

local function refused(reply)
  return type(reply) == 'table' and reply.err ~= nil
end

local stored = {}
local at = 1

local function store(key, is_same_generation)
  local expected = string.sub(writes, at, at + header_bytes - 1)
  local digits = string.byte(writes, at + header_bytes)
  local offset = string.sub(writes, at + header_bytes + 1, at + header_bytes + digits)
  local length, first = struct.unpack('<I4', writes, at + header_bytes + 1 + digits)
  at = first + length
  local standing = redis.call('GETRANGE', key, from, '-1')
  if #standing < header_bytes then standing = none end
  if standing ~= expected or (expected == none and not is_same_generation) then return '0' end
  local bytes = string.sub(writes, first, at - 1)
  local reply
  if full then
    reply = { err = 'full' }
  elseif digits == 0 then
    reply = redis.pcall('SET', key, bytes, 'EX', ttl_seconds)
  else
    reply = redis.pcall('SETRANGE', key, offset, bytes)
    if string.byte(bytes, -header_bytes) % VERSIONS_PER_RENEWAL == 0 and not refused(reply) then
      redis.call('EXPIRE', key, ttl_seconds)
    end
  end
  if not refused(reply) then return '1' end
  -- After a deletion, which is always allowed, a full Redis lets the rest of the script write: hence
  -- the first refusal makes stubs of all that follow.
  full = true
  redis.call('DEL', key)
  redis.call('SET', key, string.sub(bytes, -header_bytes, -2) .. '\0', 'EX', ttl_seconds)
  return '2'
end

local key_at, slot = 0, 0
for profiles in string.gmatch(ARGV[5], '%d+') do
  key_at, slot = key_at + 1, slot + 1
  local is_same_generation = (redis.call('GET', KEYS[key_at]) or '') == ARGV[5 + slot]
  for _ = 1, tonumber(profiles) do
    key_at = key_at + 1
    stored[#stored + 1] = store(KEYS[key_at], is_same_generation)
  end
end
return table.concat(stored)

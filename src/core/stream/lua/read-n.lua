--[[
  Reads entries of several streams (of one on a cluster) without blocking, a few at a time until the transactions
  in them suffice, of each stream and in all. What is wrong with one stream is said of it alone; a server that takes no writes
  fails the call, so that its client leaves it.

  KEYS, for each stream:
    stream  the corridor's transactions
    hash    counts

  ARGV[1] string   consumer group
  ARGV[2] string   this consumer
  ARGV[3] string   '>' for entries that nobody has read yet; else this consumer's own pending ones behind this id
  ARGV[4] number   transactions wanted in all; the last entry read may exceed it
  ARGV[5..] number those wanted of each stream; its last entry may exceed it

  Returns for each stream that has any, or fails:
    { its number, from 1; what is wrong, or ''; transactions it holds; entries as XREADGROUP returns them }
]]
--- @include counting
local group, consumer, after, left = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local COUNT_MAX = 128

local function read(key, counts, share)
  local found, from, wanted = {}, after, math.min(share, left)
  local largest, total = COUNT_MAX, 0
  while wanted > 0 do
    -- Entries of one may be followed by the largest.
    local limit = math.max(1, math.floor(wanted / largest))
    local reply = redis.pcall('XREADGROUP', 'GROUP', group, consumer, 'COUNT', limit, 'STREAMS', key, from)
    if not reply then break end
    if reply.err then return found, reply.err, 0 end
    local entries = reply[1][2]
    for _, entry in ipairs(entries) do
      found[#found + 1] = entry
      local count = entry[2] and count_of(entry[2]) or 1
      wanted, left = wanted - count, left - count
    end
    total = total_of(key, counts)
    if #entries < limit then break end
    -- Each of the other entries holds one transaction at least.
    largest = math.min(COUNT_MAX, total - redis.call('XLEN', key) + 1)
    if after ~= '>' then from = entries[#entries][1] end
  end
  return found, '', total
end

local reply = {}
for i = 1, #KEYS, 2 do
  local number = (i + 1) / 2
  local found, failure, total = read(KEYS[i], KEYS[i + 1], tonumber(ARGV[4 + number]))
  if string.find(failure, '^READONLY ') or string.find(failure, '^NOREPLICAS ') then
    return redis.error_reply(failure)
  end
  if #found > 0 or failure ~= '' then
    reply[#reply + 1] = { number, failure, total, found }
  end
end
return reply

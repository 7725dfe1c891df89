--[[
  What a stream holds, in transactions, at one moment. A key of another type holds nothing to count: other corridors'
  figures must not fail with it.

  KEYS[1] stream      the corridor's transactions
  KEYS[2] hash        counts
  KEYS[3] sorted set  retries

  ARGV[1] string      consumer group

  Returns { transactions; those of them that are pending; age of the oldest entry, milliseconds; retries }.
]]
--- @include counting
--- @include is-type
local transactions, counts, group = KEYS[1], KEYS[2], ARGV[1]
-- Entries that are looked at: a worker has fewer, and of entries that none reads there may be a whole stream.
local PAGE = 1000

-- Where every entry holds one transaction the server knows; else entries are asked, and the mean of a page stands for all.
local function pending_of(total)
  local summary = redis.pcall('XPENDING', transactions, group)
  if summary.err or summary[1] == 0 then return 0 end
  if total == redis.call('XLEN', transactions) then return summary[1] end
  local rows = redis.call('XPENDING', transactions, group, '-', '+', PAGE)
  local sum = 0
  for _, row in ipairs(rows) do
    local entry = redis.call('XRANGE', transactions, row[1], row[1])[1]
    if entry then sum = sum + count_of(entry[2]) end
  end
  return math.floor(sum * summary[1] / #rows + 0.5)
end

local function age_of(oldest)
  if not oldest then return 0 end
  local time = redis.call('TIME')
  return math.max(0, time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(string.match(oldest[1], '^%d+')))
end

local total, pending, age = 0, 0, 0
if is_type('stream', transactions) then
  age = age_of(redis.call('XRANGE', transactions, '-', '+', 'COUNT', 1)[1])
  if is_type('hash', counts) then
    total = total_of(transactions, counts)
    pending = math.min(total, pending_of(total))
  end
end
return { total, pending, age, is_type('zset', KEYS[3]) and redis.call('ZCARD', KEYS[3]) or 0 }

--[[
  What a stream holds, in transactions, at one moment. A key of another type holds nothing to count: other corridors'
  figures must not fail with it.

  KEYS[1] stream      the corridor's transactions
  KEYS[2] hash        counts
  KEYS[3] sorted set  retries

  ARGV[1] string      consumer group
  ARGV[2..] strings   versions of entries that the caller's release reads

  Returns { transactions; those of them that are pending of a worker; age of the oldest entry, milliseconds; retries; entries
  that wait for a worker that reads their version; transactions of those of them that the caller's release does not read; age of
  the oldest entry without those }.
]]
--- @include counting
--- @include group-info
--- @include is-type
local transactions, counts, group = KEYS[1], KEYS[2], ARGV[1]
local PAGE = 1000

local reads = {}
for i = 2, #ARGV do reads['for-version-' .. ARGV[i]] = true end
local function is_version(consumer) return string.match(consumer, '^for%-version%-%d+$') end
-- Time of an entry, milliseconds since 1970, from its id.
local function at_of(id) return tonumber(string.match(id, '^%d+')) end

local function transactions_of(consumer, entries_max)
  local sum, entries, from = 0, 0, '-'
  while true do
    local rows = redis.call('XPENDING', transactions, group, from, '+', math.min(PAGE, entries_max - entries), consumer)
    for _, row in ipairs(rows) do
      local entry = redis.call('XRANGE', transactions, row[1], row[1])[1]
      if entry then sum = sum + count_of(entry[2]) end
    end
    entries = entries + #rows
    if #rows < PAGE or entries >= entries_max then return sum, entries end
    from = '(' .. rows[#rows][1]
  end
end

-- Where every entry holds one transaction the server knows; else the entries are asked. Of what was handed over there may be
-- a whole stream: the mean of a page stands for all.
local function pending_of(total)
  local found = { pending = 0, handed_over = 0, unread = 0, consumers = {} }
  local summary = redis.pcall('XPENDING', transactions, group)
  if summary.err or summary[1] == 0 then return found end
  local are_single = total == redis.call('XLEN', transactions)
  for _, row in ipairs(summary[4]) do
    local consumer, entries = row[1], tonumber(row[2])
    if is_version(consumer) then found.handed_over = found.handed_over + entries end
    if is_version(consumer) and not reads[consumer] then
      local sum, looked = entries, entries
      if not are_single then sum, looked = transactions_of(consumer, PAGE) end
      found.unread = found.unread + math.floor(sum * entries / math.max(1, looked) + 0.5)
    else
      table.insert(found.consumers, consumer)
      if not is_version(consumer) then
        found.pending = found.pending + (are_single and entries or transactions_of(consumer, math.huge))
      end
    end
  end
  return found
end

-- Where another release's entries are among them: the first one that is pending of any other consumer or was never delivered.
local function readable_of(found)
  local last = group_info(transactions, group)['last-delivered-id']
  local oldest = redis.call('XRANGE', transactions, '(' .. last, '+', 'COUNT', 1)[1]
  for _, consumer in ipairs(found.consumers) do
    local row = redis.call('XPENDING', transactions, group, '-', '+', 1, consumer)[1]
    if row and (not oldest or at_of(row[1]) < at_of(oldest[1])) then oldest = row end
  end
  return oldest
end

local function age_of(oldest)
  if not oldest then return 0 end
  local time = redis.call('TIME')
  return math.max(0, time[1] * 1000 + math.floor(time[2] / 1000) - at_of(oldest[1]))
end

local total, age, readable, found = 0, 0, 0, { pending = 0, handed_over = 0, unread = 0 }
if is_type('stream', transactions) then
  age = age_of(redis.call('XRANGE', transactions, '-', '+', 'COUNT', 1)[1])
  readable = age
  if is_type('hash', counts) then
    total = total_of(transactions, counts)
    found = pending_of(total)
    if found.unread > 0 then readable = age_of(readable_of(found)) end
  end
end
local unread = math.min(total, found.unread)
local pending = math.min(total - unread, found.pending)
-- Entries that an older release made never due are not counted.
local retries = is_type('zset', KEYS[3]) and redis.call('ZCOUNT', KEYS[3], '-inf', '(+inf') or 0
return { total, pending, age, retries, found.handed_over, unread, readable }

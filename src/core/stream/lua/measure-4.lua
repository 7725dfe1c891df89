--[[
  What a stream holds, in transactions, at one moment. A key of another type holds nothing to count: other corridors'
  figures must not fail with it.

  KEYS[1] stream      the corridor's transactions
  KEYS[2] hash        counts
  KEYS[3] sorted set  retries
  KEYS[4] stream      dead letters, a bounded copy

  ARGV[1] string      consumer group

  Returns { transactions; those of them that are pending of a worker; age of the oldest entry, milliseconds; retries; dead
  letters; entries that wait for a worker that reads their version }.
]]
--- @include counting
--- @include is-type
local transactions, counts, group = KEYS[1], KEYS[2], ARGV[1]
local PAGE = 1000

local function transactions_of(consumer)
  local sum, from = 0, '-'
  while true do
    local rows = redis.call('XPENDING', transactions, group, from, '+', PAGE, consumer)
    for _, row in ipairs(rows) do
      local entry = redis.call('XRANGE', transactions, row[1], row[1])[1]
      if entry then sum = sum + count_of(entry[2]) end
    end
    if #rows < PAGE then return sum end
    from = '(' .. rows[#rows][1]
  end
end

-- Where every entry holds one transaction the server knows; else the entries are asked. What was handed over, of which
-- there may be a whole stream, is not.
local function pending_of(total)
  local summary = redis.pcall('XPENDING', transactions, group)
  if summary.err or summary[1] == 0 then return 0, 0 end
  local are_single = total == redis.call('XLEN', transactions)
  local pending, handed_over = 0, 0
  for _, row in ipairs(summary[4]) do
    local consumer, entries = row[1], tonumber(row[2])
    if string.match(consumer, '^for%-version%-%d+$') then
      handed_over = handed_over + entries
    else
      pending = pending + (are_single and entries or transactions_of(consumer))
    end
  end
  return pending, handed_over
end

local total, pending, age, handed_over = 0, 0, 0, 0
if is_type('stream', transactions) then
  local oldest = redis.call('XRANGE', transactions, '-', '+', 'COUNT', 1)[1]
  if oldest then
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    age = math.max(0, now - tonumber(string.match(oldest[1], '^%d+')))
  end
  if is_type('hash', counts) then
    total = total_of(transactions, counts)
    pending, handed_over = pending_of(total)
    pending = math.min(total, pending)
  end
end
-- Entries that an older release made never due are not counted.
local retries = is_type('zset', KEYS[3]) and redis.call('ZCOUNT', KEYS[3], '-inf', '(+inf') or 0
local dead_letters = is_type('stream', KEYS[4]) and redis.call('XLEN', KEYS[4]) or 0
return { total, pending, age, retries, dead_letters, handed_over }

--[[
  Takes entries out of their stream that have a version which the caller does not read, once nobody has claimed them for so
  long that no worker reads them. Their open rows are in Postgres.

  KEYS[1] stream  the corridor's transactions
  KEYS[2] hash    counts

  ARGV[1] string  consumer group
  ARGV[2] string  entry version that the caller reads
  ARGV[3] number  idle time from which nobody is taken to claim an entry, milliseconds
  ARGV[4] string  where to begin, as XPENDING takes it
  ARGV[5] number  entries to look at

  Returns { entries taken out; where to go on, or '' at the end }.
]]
--- @include counting
--- @include entry-version
--- @include is-type
local transactions, counts, group, limit = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[5])
if not is_type('stream', transactions) then return { 0, '' } end
local idle = redis.pcall('XPENDING', transactions, group, 'IDLE', ARGV[3], ARGV[4], '+', limit)
if idle.err or #idle == 0 then return { 0, '' } end

local total, dropped = total_of(transactions, counts), 0
for _, row in ipairs(idle) do
  local entry = redis.call('XRANGE', transactions, row[1], row[1])[1]
  if entry and is_unread(entry[2], ARGV[2]) then
    redis.call('XACK', transactions, group, row[1])
    redis.call('XDEL', transactions, row[1])
    total, dropped = total - count_of(entry[2]), dropped + 1
  end
end
if redis.call('XLEN', transactions) == 0 then
  redis.call('HDEL', counts, 'transactions')
elseif dropped > 0 then
  redis.call('HSET', counts, 'transactions', math.max(0, total))
end
return { dropped, #idle < limit and '' or '(' .. idle[#idle][1] }

--[[
  Takes entries that were handed over, and whose transactions are to be found elsewhere, out of their stream.

  KEYS[1] stream    the corridor's transactions
  KEYS[2] hash      counts

  ARGV[1] string    consumer group
  ARGV[2] string    consumer that stands for their version
  ARGV[3..] strings entry ids

  Returns how many were taken out; what a worker has claimed meanwhile stays with it.
]]
--- @include counting
local transactions, counts, group, consumer = KEYS[1], KEYS[2], ARGV[1], ARGV[2]

local total, dropped = total_of(transactions, counts), 0
for i = 3, #ARGV do
  local id = ARGV[i]
  local entry = redis.call('XRANGE', transactions, id, id)[1]
  if #redis.call('XPENDING', transactions, group, id, id, 1, consumer) == 1 then
    redis.call('XACK', transactions, group, id)
    redis.call('XDEL', transactions, id)
    total, dropped = total - (entry and count_of(entry[2]) or 0), dropped + 1
  end
end
if redis.call('XLEN', transactions) == 0 then
  redis.call('HDEL', counts, 'transactions')
elseif dropped > 0 then
  redis.call('HSET', counts, 'transactions', math.max(0, total))
end
return dropped

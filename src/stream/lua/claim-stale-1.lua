--[[
  Takes over entries that their consumer has left alone for too long, and says how often each was
  delivered. Deleted entries leave the pending list here.

  KEYS[1] stream  the corridor's transactions

  ARGV[1] string  consumer group
  ARGV[2] string  consumer that takes over
  ARGV[3] number  idle time from which an entry is stale, milliseconds
  ARGV[4] string  cursor to go on from ('0-0' at first)
  ARGV[5] number  entries to claim at most

  Returns { next cursor, { id, deliveries, fields or false, ... } }.
]]
local transactions, group, consumer = KEYS[1], ARGV[1], ARGV[2]

local claimed = redis.call(
  'XAUTOCLAIM', transactions, group, consumer, ARGV[3], ARGV[4], 'COUNT', ARGV[5]
)
local entries = {}
for _, entry in ipairs(claimed[2]) do
  local id = entry[1]
  local pending = redis.call('XPENDING', transactions, group, id, id, 1)[1]
  entries[#entries + 1] = id
  entries[#entries + 1] = pending and pending[4] or 1
  entries[#entries + 1] = entry[2]
end
return { claimed[1], entries }

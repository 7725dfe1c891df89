--[[
  Removes a consumer that has nothing pending. Removing one that has would drop its pending entries
  from the group, and nobody could claim them any more.

  KEYS[1] stream  the corridor's transactions

  ARGV[1] string  consumer group
  ARGV[2] string  consumer
]]
local transactions, group, consumer = KEYS[1], ARGV[1], ARGV[2]

if #redis.call('XPENDING', transactions, group, '-', '+', 1, consumer) == 0 then
  redis.call('XGROUP', 'DELCONSUMER', transactions, group, consumer)
end

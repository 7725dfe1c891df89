--[[
  Removes a consumer that has nothing pending. Removing one that has would drop its pending entries
  from the group, and nobody could claim them any more.

  KEYS[1] stream  the corridor's transactions

  ARGV[1] string  consumer group
  ARGV[2] string  consumer

  Returns how many entries are pending: 0 means that the consumer is gone.
]]
local transactions, group, consumer = KEYS[1], ARGV[1], ARGV[2]

local pending = redis.call('XPENDING', transactions, group, '-', '+', 1, consumer)
if #pending == 0 then
  redis.call('XGROUP', 'DELCONSUMER', transactions, group, consumer)
end
return #pending

--[[
  Resets the idle time of entries that this consumer still works on. An entry that another consumer
  has taken over stays with that one. Delivery counts do not change.

  KEYS[1] stream    the corridor's transactions

  ARGV[1] string    consumer group
  ARGV[2] string    this consumer
  ARGV[3..] string  entry ids

  Returns how many are still ours.
]]
local transactions, group, consumer = KEYS[1], ARGV[1], ARGV[2]

local ours = 0
for i = 3, #ARGV do
  local id = ARGV[i]
  if #redis.call('XPENDING', transactions, group, id, id, 1, consumer) == 1 then
    redis.call('XCLAIM', transactions, group, consumer, 0, id, 'JUSTID')
    ours = ours + 1
  end
end
return ours

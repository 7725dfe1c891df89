--[[
  Hands entries that this consumer cannot read over to consumers that stand for their versions (versions.ts). The delivery
  does not count: such entries reach this consumer by their first one alone, as nobody claims what he cannot read.

  KEYS[1] stream    the corridor's transactions

  ARGV[1] string    consumer group
  ARGV[2] string    this consumer
  ARGV[3..] strings for each entry: its id, the consumer of its version
]]
local transactions, group, consumer = KEYS[1], ARGV[1], ARGV[2]

for i = 3, #ARGV, 2 do
  local id = ARGV[i]
  -- A group that is gone owns nothing: its entries come back when it is made again.
  local pending = redis.pcall('XPENDING', transactions, group, id, id, 1, consumer)
  if pending.err == nil and #pending == 1 then
    redis.call('XCLAIM', transactions, group, ARGV[i + 1], 0, id, 'RETRYCOUNT', 0, 'JUSTID')
  end
end

--[[
  Makes the consumer group of a stream where it is missing, at the first entry. A full Redis makes none of a stream that
  holds nothing; one that does must be worked off: after a write that is always allowed Redis lets the next one through.

  KEYS[1] stream  the corridor's transactions

  ARGV[1] string  consumer group
]]
local transactions, group = KEYS[1], ARGV[1]
if not redis.pcall('XPENDING', transactions, group).err then return end
if redis.call('XLEN', transactions) > 0 then redis.call('XTRIM', transactions, 'MINID', '0') end
redis.call('XGROUP', 'CREATE', transactions, group, '0', 'MKSTREAM')
